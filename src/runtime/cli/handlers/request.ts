/** What the flags of `materialize` and `backfill start` ask for. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as AssetGraph from "../../asset/AssetGraph.ts"
import * as Partitions from "../../partition/Partitions.ts"
import * as PartitionSelector from "../../partition/PartitionSelector.ts"
import * as PartitionSet from "../../partition/PartitionSet.ts"
import type * as Planner from "../../plan/Planner.ts"
import type { Kind } from "../../plan/Staleness.ts"
import * as Selection from "../../selection/Selection.ts"
import { type Failure, usage } from "../Failure.ts"

export interface Asked {
  readonly asset: ReadonlyArray<string>
  readonly select: Option.Option<string>
  readonly partition: Option.Option<string>
  readonly only: Kind
  readonly force: boolean
}

const orUsage = <A>(result: Result.Result<A, string>, fix: string): Effect.Effect<A, Failure> =>
  Result.isSuccess(result) ? Effect.succeed(result.success) : Effect.fail(usage(result.failure, fix))

/** `--asset` brings ancestors along, `--select` is exact. */
const targetsOf = Effect.fnUntraced(function*(graph: AssetGraph.Any, input: Asked) {
  if (input.asset.length > 0 && Option.isSome(input.select)) {
    return yield* usage("--asset and --select say the same thing twice", "use one of them")
  }
  if (input.asset.length === 0 && Option.isNone(input.select)) {
    const known = `assets: ${graph.names.join(", ")}`
    return yield* usage(
      "which asset? Give --asset NAME or --select EXPR",
      `materialize --asset ${graph.names.at(-1)}   (${known})`
    )
  }
  const text = Option.getOrElse(input.select, () => input.asset.join(","))
  return yield* orUsage(Selection.resolve(graph, text), "barograph asset list")
})

/** What `--partition` selects of an asset; all of it when it is left out. */
const selected = (
  graph: AssetGraph.Any,
  name: string,
  partition: Option.Option<string>,
  universe: Partitions.Universe
) => {
  const space = Partitions.space(graph.assets.get(name)!.dimensions, universe)
  return Option.isNone(partition)
    ? Effect.succeed(PartitionSet.all(space))
    : orUsage(PartitionSelector.toSet(partition.value, space), `barograph asset show ${name}`)
}

export const requestFor = Effect.fnUntraced(
  function*(graph: AssetGraph.Any, input: Asked, universe: Partitions.Universe) {
    const names = yield* targetsOf(graph, input)
    if (names.length > 0 && names.every((name) => graph.assets.get(name)!.external)) {
      return yield* usage(
        `${names.map((name) => `"${name}"`).join(", ")}: made by somebody else, so read and never materialized`,
        `barograph asset show ${names[0]} says who reads it`
      )
    }
    const targets = yield* Effect.forEach(
      names,
      (asset) => Effect.map(selected(graph, asset, input.partition, universe), (set) => ({ asset, set }))
    )
    if (Option.isSome(input.partition) && targets.every(({ set }) => PartitionSet.isEmpty(set))) {
      return yield* usage(
        `no partition of ${names.join(", ")} is ${input.partition.value}`,
        `barograph asset show ${names[0]} says which there are`
      )
    }
    return {
      targets,
      ancestors: Option.isNone(input.select),
      force: input.force,
      only: input.only
    } satisfies Planner.Request
  }
)
