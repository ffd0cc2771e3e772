/** Reads from the store what the planner must know: who the members are, what the code versions are, how things stand. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import type { Universe } from "../partition/Partitions.ts"
import type { Plan } from "../plan/Plan.ts"
import * as Planner from "../plan/Planner.ts"
import * as Staleness from "../plan/Staleness.ts"
import { DynamicPartitions } from "../store/DynamicPartitions.ts"
import { MaterializationStore } from "../store/MaterializationStore.ts"

/** An asset's code version is an effect, and it failed. */
export class CodeVersionError extends Schema.TaggedError<CodeVersionError>()("CodeVersionError", {
  asset: Schema.String,
  message: Schema.String
}) {}

export const universe = Effect.gen(function*() {
  const dynamic = yield* DynamicPartitions
  return { now: yield* Clock.currentTimeMillis, members: yield* dynamic.all } satisfies Universe
})

const codeVersions = Effect.fnUntraced(function*(graph: AssetGraph.Any, names: Iterable<string>) {
  const versions: { [asset: string]: string } = {}
  for (const name of names) {
    versions[name] = yield* Effect.mapError(
      graph.assets.get(name)!.codeVersion,
      (error) => new CodeVersionError({ asset: name, message: `code version of ${name}: ${String(error)}` })
    )
  }
  return versions
})

/** The plan for the request as things are now. */
export const plan = <R>(graph: AssetGraph.AssetGraph<string, R>, request: Planner.Request, now: Universe) =>
  Effect.gen(function*() {
    const store = yield* MaterializationStore
    const wanted = Planner.partitionsOf(graph, request, now)
    const states = new Map<string, ReadonlyMap<string, Staleness.PartitionState>>()
    for (const [asset, partitions] of wanted) states.set(asset, yield* store.states(asset, partitions))
    return Planner.plan(graph, request, {
      universe: now,
      codeVersions: yield* codeVersions(graph, wanted.keys()) as Effect.Effect<
        { readonly [asset: string]: string },
        CodeVersionError,
        R
      >,
      stateOf: (asset, partition) => states.get(asset)?.get(partition) ?? Staleness.unknown
    }) satisfies Plan
  })
