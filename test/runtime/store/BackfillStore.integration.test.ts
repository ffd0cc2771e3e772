import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { BackfillStore } from "../../../src/runtime/store/BackfillStore.ts"
import { Claims } from "../../../src/runtime/store/Claims.ts"
import * as EngineSchema from "../../../src/runtime/store/EngineSchema.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import { request, slice, suite } from "./BackfillStoreSuite.ts"
import { begun, wanted } from "./RunQueueSuite.ts"

const stores = Layer.mergeAll(BackfillStore.layer, Claims.layer, RunStore.layer).pipe(
  Layer.provideMerge(EngineSchema.layer),
  Layer.provideMerge(EmbeddedDatabase.layer)
)

suite("backfills in PostgreSQL", stores)

layer(stores, { excludeTestServices: true })("backfills in PostgreSQL, with workers that die", (it) => {
  it.effect("a slice whose worker is gone is pending again, one whose worker is alive is not", () =>
    Effect.scoped(Effect.gen(function*() {
      const store = yield* BackfillStore
      const claims = yield* Claims
      yield* store.create("dead", request, [slice(0, "copy", "letter=a"), slice(0, "copy", "letter=b")])
      yield* claims.hold("dead/alive")
      yield* Effect.scoped(Effect.gen(function*() {
        yield* claims.hold("dead/gone")
        expect((yield* store.claim("dead", "dead/gone"))!.position).toBe(0)
        expect((yield* store.claim("dead", "dead/alive"))!.position).toBe(1)
        yield* store.recover
        expect((yield* store.slices("dead")).map(({ status }) => status)).toEqual(["running", "running"])
      }))
      expect((yield* store.claim("dead", "dead/alive"))!.position).toBe(0)
      expect((yield* store.slices("dead")).map(({ worker }) => worker)).toEqual(["dead/alive", "dead/alive"])
    })))

  it.effect("a new leader takes the slices of one that stands still, and leaves those of a command", () =>
    Effect.scoped(Effect.gen(function*() {
      const store = yield* BackfillStore
      const claims = yield* Claims
      const workers = [["leader", 1], ["command", undefined], ["planning leader", 1], ["new leader", 2]] as const
      yield* store.create("still", request, workers.map(([worker]) => slice(0, "copy", `letter=${worker}`)))
      for (const [worker, term] of workers) {
        yield* claims.hold(`still/${worker}`)
        const held = (yield* store.claim("still", `still/${worker}`, term))!
        if (worker === "planning leader") continue
        yield* begun(wanted(`still ${worker}`), term)
        expect(yield* store.attach(held, `still ${worker}`, 0)).toBe(true)
      }
      const statuses = Effect.map(store.slices("still"), (slices) => slices.map(({ status }) => status))
      yield* store.recover
      expect(yield* statuses).toEqual(["running", "running", "running", "running"])
      expect(yield* (yield* RunStore).seize(2)).toEqual(["still leader"])
      yield* store.recover
      expect(yield* statuses).toEqual(["pending", "running", "pending", "running"])
    })))

  it.effect("workers that claim at once get a slice each", () =>
    Effect.scoped(Effect.gen(function*() {
      const store = yield* BackfillStore
      const slices = Array.from({ length: 40 }, (_, at) => slice(0, "copy", `letter=${at}`))
      yield* store.create("crowd", request, slices)
      yield* (yield* Claims).hold("crowd/1")
      const claimed = yield* Effect.forEach(slices, () => store.claim("crowd", "crowd/1"), { concurrency: "unbounded" })
      expect(claimed.map((one) => one!.position).sort((a, b) => a - b)).toEqual(slices.map((_, at) => at))
    })))

  it.effect("the next of many slices is found by the index of the open ones", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const store = yield* BackfillStore
      yield* store.create("large", request, Array.from({ length: 20_000 }, (_, at) => slice(0, "copy", `letter=${at}`)))
      yield* sql`update barograph.backfill_slices set status = 'done' where position < 19990 and backfill_id = 'large'`
      yield* sql`vacuum analyze barograph.backfill_slices`
      const plan = yield* sql<{ "QUERY PLAN": string }>`explain select min(stage) from barograph.backfill_slices
        where backfill_id = 'large' and status in ('pending', 'running')`
      expect(plan.map((row) => row["QUERY PLAN"]).join("\n")).toContain("backfill_slices_open")
    }))
})
