import { expect, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import { Executor } from "../../../src/runtime/run/Executor.ts"
import { AutomationStore } from "../../../src/runtime/store/AutomationStore.ts"
import { CheckStore } from "../../../src/runtime/store/CheckStore.ts"
import { Claims } from "../../../src/runtime/store/Claims.ts"
import { DynamicPartitions } from "../../../src/runtime/store/DynamicPartitions.ts"
import * as EngineSchema from "../../../src/runtime/store/EngineSchema.ts"
import { Leadership } from "../../../src/runtime/store/Leadership.ts"
import { MaterializationStore } from "../../../src/runtime/store/MaterializationStore.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import { Signals } from "../../../src/runtime/store/Signals.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import * as TestGraph from "../../support/TestGraph.ts"
import * as AutomationStoreSuite from "./AutomationStoreSuite.ts"
import * as LeadershipSuite from "./LeadershipSuite.ts"
import * as RunQueueSuite from "./RunQueueSuite.ts"
import * as SignalsSuite from "./SignalsSuite.ts"

const stores = Executor.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(
    AutomationStore.layer,
    CheckStore.layer,
    Claims.layer,
    DynamicPartitions.layer,
    Leadership.layer,
    MaterializationStore.layer,
    RunStore.layer,
    Signals.layer
  )),
  Layer.provideMerge(EngineSchema.layer),
  Layer.provideMerge(EmbeddedDatabase.layer)
)

const LONG = 60_000

layer(stores, { timeout: "60 seconds", excludeTestServices: true })("in PostgreSQL", (it) => {
  AutomationStoreSuite.suite(it)
  LeadershipSuite.suite(it)
  RunQueueSuite.suite(it)
  SignalsSuite.suite(it)

  it.effect("a leader that stands still while it writes is thrown out by the server, and wrote nothing", () =>
    Effect.gen(function*() {
      const leadership = yield* LeadershipSuite.vacant
      const first = (yield* leadership.acquire("stands still", 1))!
      const [wrote, woken] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const standing = Effect.gen(function*() {
        yield* LeadershipSuite.remember("still", "late")
        yield* Deferred.succeed(wrote, undefined)
        yield* Deferred.await(woken)
      })
      const stood = yield* Effect.forkChild(Effect.exit(leadership.fenced(first)(standing)))
      yield* Deferred.await(wrote)
      expect(yield* leadership.acquire("next", LONG).pipe(Effect.timeout("15 seconds"))).toBe(first + 1)
      yield* Deferred.succeed(woken, undefined)
      expect(Exit.isFailure(yield* Fiber.join(stood))).toBe(true)
      expect(yield* LeadershipSuite.remembered("still")).toBeUndefined()
    }))

  it.effect("the lease is kept while a long write of the same leader goes on, and nobody else gets it", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const leadership = yield* LeadershipSuite.vacant
      const term = (yield* leadership.acquire("busy", 1000))!
      const busy = yield* Effect.forkChild(leadership.fenced(term)(sql`select pg_sleep(3)`))
      yield* Effect.sleep("300 millis")
      const next = yield* Effect.forkChild(leadership.acquire("waits", LONG))
      yield* Effect.sleep("100 millis")
      yield* leadership.renew(term, LONG).pipe(Effect.timeout("1 second"))
      yield* Fiber.join(busy)
      expect(yield* Fiber.join(next)).toBeUndefined()
    }))

  it.effect("runs of an earlier term are taken from a connection that is alive, which is closed", () =>
    Effect.gen(function*() {
      const claims = yield* Claims
      yield* Effect.scoped(Effect.gen(function*() {
        const held = yield* claims.hold("alive")
        const runs = yield* RunQueueSuite.begun(RunQueueSuite.wanted("alive", { attempts: 2 }), 1)
        yield* Effect.scoped(held.claim("bars", ["n=1"]))
        expect(yield* runs.recover).toEqual([])
        expect(yield* runs.seize(2)).toEqual(["alive"])
        expect(yield* runs.resume).toEqual(["alive.2"])
        const claim = yield* Effect.exit(Effect.scoped(held.claim("bars", ["n=2"])))
        expect(Exit.isFailure(claim)).toBe(true)
        expect(yield* Effect.flip(runs.append("alive", []))).toMatchObject({ _tag: "StoreError" })
      }))
    }))

  it.effect("a run is held once: who comes second does not begin it, and the first keeps it", () =>
    Effect.scoped(Effect.gen(function*() {
      const claims = yield* Claims
      yield* claims.hold("twice")
      const second = yield* Effect.flip(Effect.scoped(claims.hold("twice")))
      expect(second).toMatchObject({ _tag: "StoreError", message: expect.stringContaining("held by another process") })
      const runs = yield* RunQueueSuite.begun(RunQueueSuite.wanted("twice"))
      expect(yield* runs.recover).toEqual([])
    })))

  it.effect("a run that was cut off is either taken up or canceled, when both are asked for at once", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      /** `first` goes on until its answer has been looked at. */
      const during = Effect.fnUntraced(function*<A, E, B, F>(first: Effect.Effect<A, E>, second: Effect.Effect<B, F>) {
        const [did, looked] = [yield* Deferred.make<A>(), yield* Deferred.make<void>()]
        const answer = Effect.tap(first, (one) => Deferred.succeed(did, one))
        const one = yield* Effect.forkChild(runs.atomically(Effect.andThen(answer, Deferred.await(looked))))
        yield* Deferred.await(did)
        const other = yield* Effect.forkChild(second)
        const waits = Effect.repeat(sql`select 1 from pg_locks where not granted`, { until: (rows) => rows.length > 0 })
        yield* Effect.raceFirst(Fiber.await(other), waits)
        yield* Deferred.succeed(looked, undefined)
        yield* Fiber.join(one)
        return [yield* Deferred.await(did), yield* Fiber.join(other)]
      })
      const runs = yield* RunQueueSuite.begun(RunQueueSuite.wanted("at once", { attempts: 3 }))
      yield* runs.end("at once", "interrupted", undefined, "the server is gone")
      expect(yield* during(runs.resume, runs.requestCancel("at once"))).toEqual([["at once.2"], false])
      yield* runs.end("at once.2", "interrupted", undefined, "the server is gone")
      expect(yield* during(runs.requestCancel("at once.2"), runs.resume)).toEqual([true, []])
      expect(yield* runs.resume).toEqual([])
    }))

  it.effect("a run whose connection is lost is cut off, not failed: its partitions are not to blame", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const close = sql`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'`
      const cut = Asset.make(
        "cut",
        { partitions: { n: Partitions.statics(["1", "2"]) } },
        ({ partition }) => partition.n === "1" ? Effect.orDie(close) : Effect.void
      )
      const options = { runId: "cut off" }
      const lost = TestGraph.materialize(AssetGraph.make(cut), { assets: ["cut"], concurrency: 1, options })
      expect(yield* Effect.flip(lost)).toMatchObject({ _tag: "StoreError" })
      expect(yield* (yield* RunStore).find("cut off")).toMatchObject({ status: "interrupted" })
      expect(yield* sql`select 1 from barograph.events where run_id = 'cut off' and type = 'Failed'`).toEqual([])
    }))

  it.effect("signals are told by a commit and not by a rollback", () =>
    Effect.scoped(Effect.gen(function*() {
      const { send } = yield* Signals
      const sql = yield* SqlClient.SqlClient
      const queue = yield* SignalsSuite.heard
      yield* SignalsSuite.until(queue, "Connected")
      const undone = Effect.andThen(send({ _tag: "BackfillChanged" }), Effect.fail("no"))
      yield* Effect.ignore(sql.withTransaction(undone))
      yield* sql.withTransaction(send({ _tag: "RunRequested" }))
      expect(yield* SignalsSuite.until(queue, "RunRequested")).toEqual([{ _tag: "RunRequested" }])
    })))

  it.effect("a connection that is lost is made anew, says so, and hears again", () =>
    Effect.scoped(Effect.gen(function*() {
      const { send } = yield* Signals
      const sql = yield* SqlClient.SqlClient
      const queue = yield* SignalsSuite.heard
      yield* SignalsSuite.until(queue, "Connected")
      for (const _ of [1, 2]) {
        const closed = yield* sql`select pg_terminate_backend(pid) from pg_stat_activity
          where query ilike 'listen%' and pid <> pg_backend_pid()`
        expect(closed).toHaveLength(1)
        yield* SignalsSuite.until(queue, "Connected")
        yield* send({ _tag: "AutomationChanged" })
        expect(yield* SignalsSuite.until(queue, "AutomationChanged")).toEqual([{ _tag: "AutomationChanged" }])
      }
    })))
})
