/** Which assets a selection means. `Expression` has the grammar; this resolves its tree against a graph. */
import * as Result from "effect/Result"
import type * as Asset from "../asset/Asset.ts"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import { didYouMean } from "../asset/Suggest.ts"
import * as Expression from "./Expression.ts"

type Names = ReadonlySet<string>

const upstream = (graph: AssetGraph.Any, name: string): ReadonlyArray<string> =>
  Object.values(graph.assets.get(name)!.dependencies).map((dependency) => dependency.asset.name)

const downstream = (graph: AssetGraph.Any, name: string): ReadonlyArray<string> => graph.downstream.get(name)!

type Neighbours = (graph: AssetGraph.Any, name: string) => ReadonlyArray<string>

/** The names and those at most so many generations away. */
const spread = (graph: AssetGraph.Any, names: Names, generations: number, next: Neighbours): Names => {
  const seen = new Set(names)
  let edge = [...names]
  for (let i = 0; i < generations && edge.length > 0; i++) {
    edge = edge.flatMap((name) => next(graph, name)).filter((name) => !seen.has(name) && seen.add(name))
  }
  return seen
}

/** Those that no other of the names leads to, over any path: one walk from all of them at once. */
const notReached = (graph: AssetGraph.Any, names: Names, next: Neighbours): Names => {
  const first = new Set([...names].flatMap((name) => next(graph, name)))
  return names.difference(spread(graph, first, Number.POSITIVE_INFINITY, next))
}

const pattern = (text: string): RegExp =>
  new RegExp(`^${text.split("*").map((part) => part.replace(/[.\\^$+?()[\]{}|]/g, "\\$&")).join(".*")}$`)

const has = (values: ReadonlyArray<string>, value: string | null): boolean =>
  value === null ? values.length === 0 : values.includes(value)

const matches = (asset: Asset.Any, wanted: Expression.Expression & { readonly _tag: "attribute" }): boolean => {
  switch (wanted.attribute) {
    case "key":
      return wanted.value !== null && pattern(wanted.value).test(asset.name)
    case "group":
      return wanted.value !== null && asset.group === wanted.value
    case "kind":
      return has(asset.kinds, wanted.value)
    case "owner":
      return has(asset.owners, wanted.value)
    case "tag":
      return wanted.of === "<null>" ? Object.keys(asset.tags).length === 0 : asset.tags[wanted.of!] === wanted.value
  }
}

const unknown = (graph: AssetGraph.Any, name: string): string =>
  `There is no asset "${name}".${didYouMean(name, graph.names)} Assets: ${graph.names.join(", ")}.`

const evaluate = (graph: AssetGraph.Any, wanted: Expression.Expression): Result.Result<Names, string> => {
  switch (wanted._tag) {
    case "everything":
      return Result.succeed(new Set(graph.names))
    case "name":
      return graph.assets.has(wanted.name)
        ? Result.succeed(new Set([wanted.name]))
        : Result.fail(unknown(graph, wanted.name))
    case "attribute":
      return Result.succeed(new Set(graph.names.filter((name) => matches(graph.assets.get(name)!, wanted))))
    case "not":
      return Result.map(evaluate(graph, wanted.of), (names) => new Set(graph.names).difference(names))
    case "roots":
      return Result.map(evaluate(graph, wanted.of), (names) => notReached(graph, names, downstream))
    case "sinks":
      return Result.map(evaluate(graph, wanted.of), (names) => notReached(graph, names, upstream))
    case "walk":
      return Result.map(
        evaluate(graph, wanted.of),
        (names) =>
          new Set([...spread(graph, names, wanted.up, upstream), ...spread(graph, names, wanted.down, downstream)])
      )
    default:
      return Result.flatMap(
        evaluate(graph, wanted.left),
        (left) =>
          Result.map(evaluate(graph, wanted.right), (right) => {
            const both = new Set(left)
            return wanted._tag === "and" ? both.intersection(right) : both.union(right)
          })
      )
  }
}

/** The assets that the text selects, upstream first; a sentence when it cannot be read or selects none. */
export const resolve = (graph: AssetGraph.Any, text: string): Result.Result<ReadonlyArray<string>, string> =>
  Result.flatMap(
    Result.flatMap(Expression.parse(text), (wanted) => evaluate(graph, wanted)),
    (chosen) =>
      chosen.size === 0
        ? Result.fail(`The selection ${text} names no asset.`)
        : Result.succeed(graph.names.filter((name) => chosen.has(name)))
  )
