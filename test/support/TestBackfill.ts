/** Backfills in a test: what `backfill start` and `resume` do, without the words. */
import * as Effect from "effect/Effect"
import type * as AssetGraph from "../../src/runtime/asset/AssetGraph.ts"
import * as Partitions from "../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../src/runtime/partition/PartitionSet.ts"
import * as Slices from "../../src/runtime/plan/Slices.ts"
import type { Kind } from "../../src/runtime/plan/Staleness.ts"
import * as Backfill from "../../src/runtime/run/Backfill.ts"
import * as Situation from "../../src/runtime/run/Situation.ts"

export interface Asked {
  readonly assets: ReadonlyArray<string>
  readonly ancestors?: boolean
  readonly force?: boolean
  readonly only?: Kind
  readonly slice?: number
}

/** All partitions of the assets; the slices, and the id. */
export const create = <R>(graph: AssetGraph.AssetGraph<string, R>, asked: Asked) =>
  Effect.gen(function*() {
    const universe = yield* Situation.universe
    const targets = asked.assets.map((asset) => ({
      asset,
      set: PartitionSet.all(Partitions.space(graph.assets.get(asset)!.dimensions, universe))
    }))
    const { ancestors = true, force = false, only = "all" } = asked
    const plan = yield* Situation.plan(graph, { targets, ancestors, force, only }, universe)
    const slices = Slices.cut(graph, targets, plan, asked.slice ?? 2)
    const request = { ancestors, force, only, assets: asked.assets, select: null, partition: null, tags: {} }
    return { slices, backfillId: yield* Backfill.create(request, slices) }
  })

/** Works on it to its end; how it stands then, and what an observer heard. */
export const work = <R>(
  graph: AssetGraph.AssetGraph<string, R>,
  backfillId: string,
  observe: Backfill.Options["observe"] = () => Effect.void
) =>
  Effect.gen(function*() {
    const heard: Array<Backfill.BackfillEvent> = []
    const backfill = yield* Backfill.work(graph, backfillId, {
      concurrency: 4,
      pools: {},
      limits: {},
      observe: (event) => Effect.andThen(Effect.sync(() => void heard.push(event)), observe(event))
    })
    return { backfill: backfill!, heard }
  })
