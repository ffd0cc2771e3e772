import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import { Executor } from "../../../src/runtime/run/Executor.ts"
import { CheckStore } from "../../../src/runtime/store/CheckStore.ts"
import { Claims } from "../../../src/runtime/store/Claims.ts"
import { DynamicPartitions } from "../../../src/runtime/store/DynamicPartitions.ts"
import * as EngineSchema from "../../../src/runtime/store/EngineSchema.ts"
import { MaterializationStore } from "../../../src/runtime/store/MaterializationStore.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import * as TestGraph from "../../support/TestGraph.ts"
import * as StoreSuite from "./StoreSuite.ts"

const stores = Executor.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(RunStore.layer, MaterializationStore.layer, CheckStore.layer, Claims.layer, DynamicPartitions.layer)
  ),
  Layer.provideMerge(EngineSchema.layer),
  Layer.provideMerge(EmbeddedDatabase.layer)
)

const Counted = Schema.Struct({ rows: Schema.Finite })

StoreSuite.suite("in PostgreSQL", stores)

layer(stores, { timeout: "60 seconds", excludeTestServices: true })("the engine's store in PostgreSQL", (it) => {
  it.effect("the schema is brought up to date by eight processes at once", () =>
    Effect.gen(function*() {
      yield* Effect.all(
        Array.from({ length: 8 }, () => Layer.build(Layer.fresh(EngineSchema.layer)).pipe(Effect.scoped)),
        { concurrency: "unbounded" }
      )
    }))

  it.effect("a run whose process is gone is marked, one that is alive is not", () =>
    Effect.gen(function*() {
      const runs = yield* RunStore
      const claims = yield* Claims
      yield* runs.enqueue({ runId: "gone", request: {}, tags: {}, priority: 0 })
      expect(yield* runs.begin("gone", {})).toBeGreaterThan(0)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* claims.hold("alive")
        yield* runs.enqueue({ runId: "alive", request: {}, tags: {}, priority: 0 })
        yield* runs.begin("alive", {})
        expect(yield* runs.recover).toEqual(["gone"])
        expect((yield* runs.find("alive"))!.status).toBe("running")
      }))
      expect((yield* runs.find("gone"))!.status).toBe("interrupted")
      expect(yield* runs.recover).toEqual(["alive"])
    }))

  it.effect("two runs at once do each partition once", () =>
    Effect.gen(function*() {
      const calls: Array<string> = []
      const slow = Asset.make(
        "slow",
        { partitions: { n: Partitions.statics(["1", "2", "3", "4"]) }, output: Counted, batch: { max: 2 } },
        ({ items }) =>
          Effect.gen(function*() {
            calls.push(...items.map(({ partition }) => partition.n))
            yield* Effect.sleep("150 millis")
            return items.map(() => ({ _tag: "Success", success: { rows: 1 } }) as never)
          })
      )
      const graph = AssetGraph.make(slow)
      const one = TestGraph.materialize(graph, { assets: ["slow"] })
      const both = yield* Effect.all([one, one], { concurrency: 2 })
      expect(both.map(({ summary }) => summary.status)).toEqual(["succeeded", "succeeded"])
      expect([...calls].sort()).toEqual(["1", "2", "3", "4"])
    }))

  it.effect("a claim waits for the one before, and is free when that run is over", () =>
    Effect.gen(function*() {
      const claims = yield* Claims
      const order: Array<string> = []
      const first = yield* Effect.forkChild(Effect.scoped(Effect.gen(function*() {
        const run = yield* claims.hold("first")
        yield* run.claim("asset", ["a", "b"])
        order.push("first has it")
        yield* Effect.sleep("300 millis")
        order.push("first ends")
      })))
      yield* Effect.sleep("100 millis")
      yield* Effect.scoped(Effect.gen(function*() {
        const run = yield* claims.hold("second")
        yield* run.claim("asset", ["c"])
        order.push("second has another")
        yield* run.claim("asset", ["b", "d"])
        order.push("second has it")
      }))
      yield* Fiber.join(first)
      expect(order).toEqual(["first has it", "second has another", "first ends", "second has it"])
    }))

  it.effect("what a step lets go is free for other runs while its own run goes on", () =>
    Effect.gen(function*() {
      const claims = yield* Claims
      const sql = yield* SqlClient.SqlClient
      yield* Effect.scoped(Effect.gen(function*() {
        const first = yield* claims.hold("goes on")
        for (let at = 0; at < 200; at++) yield* Effect.scoped(first.claim("asset", [`n=${at}`]))
        yield* Effect.scoped(Effect.gen(function*() {
          const second = yield* claims.hold("comes later")
          yield* second.claim("asset", Array.from({ length: 200 }, (_, at) => `n=${at}`))
        })).pipe(Effect.timeout("20 seconds"))
        const [held] = yield* sql<{ count: number }>`
          select count(*)::int as count from pg_locks where locktype = 'advisory'`
        expect(held!.count).toBe(1)
      }))
    }))

  it.effect("a pool's slots are shared by all runs, and free when the run that held them is over", () =>
    Effect.gen(function*() {
      const claims = yield* Claims
      const order: Array<string> = []
      const first = yield* Effect.forkChild(Effect.scoped(Effect.gen(function*() {
        const run = yield* claims.hold("leasing first")
        yield* run.lease("narrow", 2)
        yield* run.lease("narrow", 2)
        order.push("both are taken")
        return yield* Effect.never
      })))
      yield* Effect.suspend(() => Effect.succeed(order.length)).pipe(
        Effect.repeat({ until: (taken) => taken === 1, schedule: Schedule.spaced("10 millis") })
      )
      yield* Effect.scoped(Effect.gen(function*() {
        const run = yield* claims.hold("leasing second")
        yield* run.lease("another", 1)
        order.push("another pool is free")
        yield* Effect.forkChild(Fiber.interrupt(first))
        yield* run.lease("narrow", 2)
        yield* run.lease("narrow", 2)
        order.push("both again")
      }))
      expect(order).toEqual(["both are taken", "another pool is free", "both again"])
    }))

  it.effect("a lease is free at once when the run that retries is canceled", () =>
    Effect.gen(function*() {
      const runs = yield* RunStore
      const pool = { pool: "one" } as const
      const tries: Array<string> = []
      const stubborn = Asset.make(
        "stubborn",
        { ...pool, retry: Schedule.spaced("1 millis") },
        () =>
          Effect.andThen(
            Effect.sync(() => tries.push("again")),
            Effect.andThen(Effect.sleep("20 millis"), Effect.fail("no"))
          )
      )
      const next = Asset.make("next_one", pool, () => Effect.void)
      const fiber = yield* Effect.forkChild(TestGraph.materialize(AssetGraph.make(stubborn), { assets: ["stubborn"] }))
      yield* Effect.suspend(() => Effect.succeed(tries.length)).pipe(
        Effect.repeat({ until: (count) => count > 2, schedule: Schedule.spaced("10 millis") })
      )
      const [run] = yield* runs.list({ limit: 1 })
      yield* runs.requestCancel(run!.runId)
      expect((yield* Fiber.join(fiber)).summary.status).toBe("canceled")
      const after = yield* TestGraph.materialize(AssetGraph.make(next), { assets: ["next_one"] })
      expect(after.summary.status).toBe("succeeded")
      const held = yield* (yield* SqlClient.SqlClient)<{ count: number }>`
        select count(*)::int as count from pg_locks where locktype = 'advisory'`
      expect(held[0]!.count).toBe(0)
    }))

  it.effect("runs wait for their turn across processes; one whose process is gone holds nobody back", () =>
    Effect.gen(function*() {
      const runs = yield* RunStore
      const claims = yield* Claims
      const come = (runId: string, priority: number) =>
        runs.enqueue({ runId, request: {}, tags: { turn: "" }, priority })
      const limits = { tags: { turn: 1 } }
      yield* Effect.scoped(Effect.gen(function*() {
        for (const name of ["one", "two", "three"]) yield* claims.hold(name)
        yield* come("one", 0)
        yield* come("two", 0)
        yield* come("three", 7)
        expect(yield* runs.begin("one", limits)).toBeUndefined()
        const third = yield* runs.begin("three", limits)
        expect(third).toBeGreaterThan(0)
        expect(yield* runs.begin("one", limits)).toBeUndefined()
        yield* runs.end("three", "succeeded", {})
        expect((yield* runs.ends([third!])).get(third!)).toBeGreaterThan(third!)
        expect(yield* runs.begin("two", limits)).toBeUndefined()
        expect(yield* runs.begin("one", limits)).toBeGreaterThan(third!)
      }))
      expect([...(yield* runs.recover)].sort()).toEqual(["one", "two"])
    }))

  it.effect("a run is asked to stop from elsewhere", () =>
    Effect.gen(function*() {
      const runs = yield* RunStore
      const slow = Asset.make("never_ends", {}, () => Effect.never)
      const fiber = yield* Effect.forkChild(TestGraph.materialize(AssetGraph.make(slow), { assets: ["never_ends"] }))
      const running = runs.list({ limit: 1 }).pipe(
        Effect.repeat({ until: ([run]) => run?.status === "running", schedule: Schedule.spaced("20 millis") })
      )
      const [run] = yield* running
      expect(yield* runs.requestCancel(run!.runId)).toBe(true)
      const { summary } = yield* Fiber.join(fiber)
      expect(summary.status).toBe("canceled")
      expect((yield* runs.find(run!.runId))!.status).toBe("canceled")
    }))

  it.effect("runs are listed page by page, by the index and not by a scan", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`insert into barograph.runs (run_id, status, request, started_at, tags)
        select 'r' || n, 'succeeded', '{}', now() - n * interval '1 minute', jsonb_build_object('parity', n % 2)
        from generate_series(1, 20000) n`
      yield* sql`analyze barograph.runs`
      const runs = yield* RunStore
      const first = yield* runs.list({ limit: 20 })
      const second = yield* runs.list({ limit: 20, before: first.at(-1)!.runId })
      const both = yield* runs.list({ limit: 40 })
      expect([...first, ...second].map(({ runId }) => runId)).toEqual(both.map(({ runId }) => runId))
      const plan = yield* sql<{ "QUERY PLAN": string }>`explain select run_id from barograph.runs
        where true and (started_at, run_id) < (select started_at, run_id from barograph.runs where run_id = 'r500')
        order by started_at desc, run_id desc limit 20`
      const text = plan.map((row) => row["QUERY PLAN"]).join("\n")
      expect(text).toContain("Index")
      expect(text).not.toContain("Seq Scan")
    }))
})
