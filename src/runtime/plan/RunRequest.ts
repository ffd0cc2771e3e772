/**
 * What a run is asked for, in words: as a person, a schedule or a condition says it, and as it is kept with the run. Pure;
 * resolved against the graph and what exists by now, so that the same words may mean more partitions next week.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import * as Partitions from "../partition/Partitions.ts"
import * as PartitionSelector from "../partition/PartitionSelector.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import * as Selection from "../selection/Selection.ts"
import type * as Demand from "./Demand.ts"
import type * as Planner from "./Planner.ts"
import { KINDS } from "./Staleness.ts"

export const RunRequest = Schema.Struct({
  /** With the ancestors that need it. */
  assets: Schema.Array(Schema.String),
  /** Exactly what the expression names, instead of `assets`. */
  select: Schema.NullOr(Schema.String),
  /** Of each of them; all partitions when it is null. */
  partition: Schema.NullOr(Schema.String),
  force: Schema.optionalKey(Schema.Boolean),
  only: Schema.optionalKey(Schema.Literals(KINDS)),
  /** Exactly these partitions of these assets, instead of all of the above. */
  targets: Schema.optionalKey(Schema.Array(Schema.Struct({ asset: Schema.String, partitions: Schema.String })))
})
export type RunRequest = typeof RunRequest.Type

/** The request cannot be; `fix` is the command that helps. */
export interface Refusal {
  readonly message: string
  readonly fix: string
}

type Resolved<A> = Result.Result<A, Refusal>

const refuse = (message: string, fix: string): Resolved<never> => Result.fail({ message, fix })

const orRefuse = <A>(result: Result.Result<A, string>, fix: string): Resolved<A> =>
  Result.mapError(result, (message) => ({ message, fix }))

const namesOf = (graph: AssetGraph.Any, { assets, select }: RunRequest): Resolved<ReadonlyArray<string>> => {
  if (assets.length > 0 && select !== null) {
    return refuse("--asset and --select say the same thing twice", "use one of them")
  }
  if (assets.length === 0 && select === null) {
    const known = `assets: ${graph.names.join(", ")}`
    return refuse(
      "which asset? Give --asset NAME or --select EXPR",
      `--asset ${graph.names.at(-1)}   (${known})`
    )
  }
  return orRefuse(Selection.resolve(graph, select ?? assets.join(",")), "barograph asset list")
}

const setOf = (
  graph: AssetGraph.Any,
  asset: string,
  partition: string | null,
  universe: Partitions.Universe
): Resolved<PartitionSet.PartitionSet> => {
  const space = Partitions.space(graph.assets.get(asset)!.dimensions, universe)
  return partition === null
    ? Result.succeed(PartitionSet.all(space))
    : orRefuse(PartitionSelector.toSet(partition, space), `barograph asset show ${asset}`)
}

const namedTargets = (
  graph: AssetGraph.Any,
  request: RunRequest,
  universe: Partitions.Universe
): Resolved<ReadonlyArray<Demand.Target>> =>
  Result.gen(function*() {
    const names = yield* namesOf(graph, request)
    if (names.length > 0 && names.every((name) => graph.assets.get(name)!.external)) {
      return yield* refuse(
        `${names.map((name) => `"${name}"`).join(", ")}: made by somebody else, so read and never materialized`,
        `barograph asset show ${names[0]} says who reads it`
      )
    }
    const targets: Array<Demand.Target> = []
    for (const asset of names) targets.push({ asset, set: yield* setOf(graph, asset, request.partition, universe) })
    if (request.partition !== null && targets.every(({ set }) => PartitionSet.isEmpty(set))) {
      return yield* refuse(
        `no partition of ${names.join(", ")} is "${request.partition}"`,
        `barograph asset show ${names[0]} says which there are`
      )
    }
    return targets
  })

const exactTargets = (
  graph: AssetGraph.Any,
  given: NonNullable<RunRequest["targets"]>,
  universe: Partitions.Universe
): Resolved<ReadonlyArray<Demand.Target>> =>
  Result.gen(function*() {
    const targets: Array<Demand.Target> = []
    for (const { asset, partitions } of given) {
      if (!graph.assets.has(asset)) {
        return yield* refuse(`there is no asset "${asset}" any more`, "barograph asset list")
      }
      targets.push({ asset, set: yield* setOf(graph, asset, partitions, universe) })
    }
    return targets
  })

/** What the planner is asked, with the partitions that there are by now. */
export const resolve = (
  graph: AssetGraph.Any,
  request: RunRequest,
  universe: Partitions.Universe
): Resolved<Planner.Request> =>
  Result.map(
    request.targets === undefined
      ? namedTargets(graph, request, universe)
      : exactTargets(graph, request.targets, universe),
    (targets) => ({
      targets,
      ancestors: request.targets === undefined && request.select === null,
      force: request.force ?? false,
      only: request.only ?? "all"
    })
  )
