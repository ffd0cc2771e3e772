/** Materializes a selection in memory: the engine's own stores, no server. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as AssetGraph from "../../src/runtime/asset/AssetGraph.ts"
import * as Partitions from "../../src/runtime/partition/Partitions.ts"
import * as PartitionSelector from "../../src/runtime/partition/PartitionSelector.ts"
import * as PartitionSet from "../../src/runtime/partition/PartitionSet.ts"
import type * as Plan from "../../src/runtime/plan/Plan.ts"
import type { Event } from "../../src/runtime/run/Event.ts"
import { Executor, type Options } from "../../src/runtime/run/Executor.ts"
import * as Situation from "../../src/runtime/run/Situation.ts"
import { MaterializationStore } from "../../src/runtime/store/MaterializationStore.ts"
import * as Testing from "../../src/runtime/testing/Testing.ts"

/** With all stores, for the commands and the daemon too. */
export const layerMemory = Testing.layer

export { planned } from "../../src/runtime/testing/Testing.ts"

export interface Asked {
  readonly assets: ReadonlyArray<string>
  readonly ancestors?: boolean
  readonly force?: boolean
  /** As in `--partition`. */
  readonly partition?: string
  readonly concurrency?: number
  /** Of the run, beside what the request says. */
  readonly options?: Partial<Options>
}

export const plan = <R>(graph: AssetGraph.AssetGraph<string, R>, asked: Asked) =>
  Effect.gen(function*() {
    const universe = yield* Situation.universe
    const targets = asked.assets.map((asset) => {
      const space = Partitions.space(graph.assets.get(asset)!.dimensions, universe)
      const set = asked.partition === undefined
        ? PartitionSet.all(space)
        : Result.getOrThrow(PartitionSelector.toSet(asked.partition, space))
      return { asset, set }
    })
    const request = { targets, ancestors: asked.ancestors ?? true, force: asked.force ?? false }
    return { universe, targets, plan: yield* Situation.plan(graph, request, universe) }
  })

export const execute = <R>(plan: Plan.Plan<R>, asked: Partial<Asked> = {}) =>
  Effect.gen(function*() {
    const executor = yield* Executor
    const events: Array<Event> = []
    const summary = yield* executor.execute(plan, {
      concurrency: asked.concurrency ?? 4,
      pools: { one: 1 },
      request: { assets: asked.assets },
      observe: (event) => Effect.sync(() => void events.push(event)),
      ...asked.options
    })
    return { summary, events, plan }
  })

export const materialize = <R>(graph: AssetGraph.AssetGraph<string, R>, asked: Asked) =>
  Effect.flatMap(plan(graph, asked), (made) => execute(made.plan, asked))

/** Every partition with or without history is a suspect: what a plan says, it says by looking at each, and remembers nothing. */
export const byHistory = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(MaterializationStore, (store) =>
    Effect.provideService(effect, MaterializationStore, {
      ...store,
      apply: () => Effect.void,
      classes: (spaces) =>
        Effect.succeed(
          new Map([...spaces].map(([asset, space]) => [asset, [{ standing: undefined, set: PartitionSet.all(space) }]]))
        )
    }))
