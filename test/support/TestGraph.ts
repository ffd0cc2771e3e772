/** Materializes a selection in memory: the engine's own stores, no server. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as AssetGraph from "../../src/runtime/asset/AssetGraph.ts"
import * as Partitions from "../../src/runtime/partition/Partitions.ts"
import type { Event } from "../../src/runtime/run/Event.ts"
import { Executor } from "../../src/runtime/run/Executor.ts"
import * as Pool from "../../src/runtime/run/Pool.ts"
import * as Situation from "../../src/runtime/run/Situation.ts"
import { Claims } from "../../src/runtime/store/Claims.ts"
import { DynamicPartitions } from "../../src/runtime/store/DynamicPartitions.ts"
import { MaterializationStore } from "../../src/runtime/store/MaterializationStore.ts"
import { RunStore } from "../../src/runtime/store/RunStore.ts"

export const layerMemory = Executor.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      RunStore.layerMemory,
      MaterializationStore.layerMemory,
      Claims.layerMemory,
      DynamicPartitions.layerMemory
    )
  )
)

export interface Asked {
  readonly assets: ReadonlyArray<string>
  readonly ancestors?: boolean
  readonly force?: boolean
  readonly filter?: Partitions.Filter
  readonly concurrency?: number
}

export const plan = <R>(graph: AssetGraph.AssetGraph<string, R>, asked: Asked) =>
  Effect.gen(function*() {
    const universe = yield* Situation.universe
    const targets = asked.assets.map((asset) => ({
      asset,
      keys: Partitions.keys(graph.assets.get(asset)!.dimensions, universe, asked.filter)
    }))
    const request = { targets, ancestors: asked.ancestors ?? true, force: asked.force ?? false }
    return { universe, plan: yield* Situation.plan(graph, request, universe) }
  })

export const materialize = <R>(graph: AssetGraph.AssetGraph<string, R>, asked: Asked) =>
  Effect.gen(function*() {
    const executor = yield* Executor
    const events: Array<Event> = []
    const made = yield* plan(graph, asked)
    const summary = yield* executor.execute(graph, made.plan, {
      concurrency: asked.concurrency ?? 4,
      pools: Pool.make({ one: 1 }),
      universe: made.universe,
      request: asked,
      observe: (event) => Effect.sync(() => void events.push(event))
    })
    return { summary, events, plan: made.plan }
  })
