/**
 * Which assets: names, commas, and `+` for neighbours. `+x` is x with all its ancestors, `x+` with all its
 * descendants, `2+x` with two generations up, `*` is everything.
 */
import * as Result from "effect/Result"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import { didYouMean } from "../asset/Suggest.ts"

const TERM = /^(?:(\d*)\+)?([a-z0-9_]+|\*)(?:\+(\d*))?$/i

const depth = (digits: string | undefined): number =>
  digits === undefined ? 0 : digits === "" ? Number.POSITIVE_INFINITY : Number(digits)

const spread = (start: string, generations: number, next: (name: string) => Iterable<string>): Set<string> => {
  const seen = new Set([start])
  let edge = [start]
  for (let i = 0; i < generations && edge.length > 0; i++) {
    edge = edge.flatMap((name) => [...next(name)]).filter((name) => !seen.has(name))
    for (const name of edge) seen.add(name)
  }
  return seen
}

const upstream = (graph: AssetGraph.Any) => (name: string): Iterable<string> =>
  Object.values(graph.assets.get(name)!.dependencies).map((dependency) => dependency.asset.name)

const downstream = (graph: AssetGraph.Any) => (name: string): Iterable<string> => graph.downstream.get(name)!

const term = (graph: AssetGraph.Any, text: string): Result.Result<Iterable<string>, string> => {
  const match = TERM.exec(text)
  if (match === null) {
    return Result.fail(`"${text}" is not a selection: expected an asset name with "+" before or after, or "*".`)
  }
  const [, up, name, down] = match
  if (name === "*") return Result.succeed(graph.names)
  if (!graph.assets.has(name!)) {
    return Result.fail(
      `There is no asset "${name}".${didYouMean(name!, graph.names)} Assets: ${graph.names.join(", ")}.`
    )
  }
  const found = spread(name!, depth(up), upstream(graph))
  for (const below of spread(name!, depth(down), downstream(graph))) found.add(below)
  return Result.succeed(found)
}

/** The assets that the text selects, upstream first; a sentence when it selects none. */
export const resolve = (graph: AssetGraph.Any, text: string): Result.Result<ReadonlyArray<string>, string> => {
  const chosen = new Set<string>()
  for (const part of text.split(",").map((one) => one.trim()).filter((one) => one !== "")) {
    const found = term(graph, part)
    if (Result.isFailure(found)) return Result.fail(found.failure)
    for (const name of found.success) chosen.add(name)
  }
  if (chosen.size === 0) return Result.fail(`The selection "${text}" names no asset.`)
  return Result.succeed(graph.names.filter((name) => chosen.has(name)))
}
