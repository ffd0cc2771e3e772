import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Schedule from "../../../src/runtime/automation/Schedule.ts"
import { AlertStore } from "../../../src/runtime/store/AlertStore.ts"
import { DynamicPartitions } from "../../../src/runtime/store/DynamicPartitions.ts"
import { Leadership } from "../../../src/runtime/store/Leadership.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import { StoreError } from "../../../src/runtime/store/StoreError.ts"
import * as TestDaemon from "../../support/TestDaemon.ts"

const weekly = Schedule.make("weekly", {
  cron: "0 6 * * 6",
  zone: "America/New_York",
  request: { assets: ["counted"], force: true }
})

it.effect("a weekly schedule runs once a week, at the same local time on both sides of the change of clocks", () =>
  Effect.gen(function*() {
    const calls: Array<string> = []
    yield* TestClock.setTime(Date.parse("2024-02-25T00:00:00Z"))
    const daemon = yield* TestDaemon.start(TestDaemon.project(TestDaemon.counted(calls), [weekly]))
    yield* TestClock.adjust("28 days")
    expect(calls).toEqual([
      "2024-03-02T11:00:00.000Z",
      "2024-03-09T11:00:00.000Z",
      "2024-03-16T10:00:00.000Z",
      "2024-03-23T10:00:00.000Z"
    ])
    expect((yield* TestDaemon.runs).map(({ status }) => status)).toEqual(calls.map(() => "succeeded"))
    yield* Fiber.interrupt(daemon)
    expect(yield* (yield* Leadership).leader).toMatchObject({ term: 1, isExpired: true })
  }).pipe(Effect.provide(TestDaemon.engine)))

/** Of the asset `counted`. */
const wanted = (runId: string, tags: { readonly [tag: string]: string }) => ({
  runId,
  runKey: runId,
  request: Schedule.requestOf({ assets: ["counted"], force: true }),
  tags,
  priority: 0,
  attempts: 1
})

it.effect("a run behind thousands that their tag holds back begins at once", () =>
  Effect.gen(function*() {
    const runs = yield* RunStore
    const clock = TestDaemon.makeClock("2024-03-01T00:00:00Z")
    yield* runs.request(Array.from({ length: 2500 }, (_, at) => wanted(`held ${at}`, { team: "etl" })))
    yield* runs.request([{ ...wanted("free", {}), priority: -1 }])
    const project = TestDaemon.project(TestDaemon.counted([], "1 hour"), [])
    yield* TestDaemon.start({ ...project, limits: { tags: { "team=etl": 1 } } }).pipe(clock.on)
    yield* clock.advance("1 minute")
    expect(yield* runs.find("free")).toMatchObject({ status: "running" })
    expect(yield* runs.waiting).toMatchObject({ running: 2, queued: 0, requested: 2499 })
  }).pipe(Effect.provide(TestDaemon.engine)))

it.effect("a run that waits for another process's run of its tag takes no slot", () =>
  Effect.gen(function*() {
    const runs = yield* RunStore
    const clock = TestDaemon.makeClock("2024-03-01T00:00:00Z")
    yield* runs.enqueue({ ...wanted("command", { team: "etl" }), term: undefined })
    yield* runs.request([wanted("held", { team: "etl" }), wanted("free", {})])
    const project = TestDaemon.project(TestDaemon.counted([], "1 hour"), [])
    yield* TestDaemon.start({ ...project, limits: { tags: { "team=etl": 1 } } }, { slots: 1 }).pipe(clock.on)
    yield* clock.advance("1 minute")
    expect(yield* runs.find("free")).toMatchObject({ status: "running" })
    expect(yield* runs.find("held")).toMatchObject({ status: "requested" })
  }).pipe(Effect.provide(TestDaemon.engine)))

it.effect("a schedule whose run the store refuses keeps no other from its ticks, and is made up when it no longer does", () =>
  Effect.gen(function*() {
    let isRefused = true
    const minutely = (name: string) =>
      Schedule.make(name, { cron: "* * * * *", zone: "UTC", request: { assets: ["counted"], force: true } })
    const clock = TestDaemon.makeClock("2024-03-01T00:00:30Z")
    yield* TestDaemon.start(TestDaemon.project(TestDaemon.counted([]), [minutely("bad"), minutely("good")])).pipe(
      clock.on,
      Effect.updateService(RunStore, (store) => ({
        ...store,
        request: (runs) =>
          isRefused && runs.some(({ tags }) => tags["automation"] === "schedule/bad")
            ? Effect.fail(new StoreError({ operation: "request runs", message: "1.5 is no integer" }))
            : store.request(runs)
      }))
    )
    yield* clock.advance("3 minutes")
    expect(yield* TestDaemon.ticks("schedule/good")).toEqual([
      "00:01 requested 1",
      "00:02 requested 1",
      "00:03 requested 1"
    ])
    expect(yield* TestDaemon.ticks("schedule/bad")).toEqual([])
    isRefused = false
    yield* clock.advance("10 seconds")
    // As its policies say of a downtime: the last one stands for those before, and the one after that finds it going.
    expect(yield* TestDaemon.ticks("schedule/bad")).toEqual(["00:01 missed 1", "00:02 requested 1", "00:03 skipped 1"])
  }).pipe(Effect.provide(TestDaemon.patient)))

it.effect("runs whose members are never listed fail, and those after them have their slots", () =>
  Effect.gen(function*() {
    const calls: Array<string> = []
    let hangs = true
    const project = {
      ...TestDaemon.project(TestDaemon.counted(calls), []),
      members: Effect.suspend(() => hangs ? Effect.never : Effect.succeed({}))
    }
    const clock = TestDaemon.makeClock("2024-01-01T00:00:00Z")
    const store = yield* RunStore
    yield* clock.on(store.request([wanted("r1", {}), wanted("r2", {})]))
    yield* clock.on(TestDaemon.start(project, { slots: 2 }))
    yield* clock.advance("10 seconds")
    hangs = false
    yield* clock.on(store.request([wanted("r3", {})]))
    yield* clock.advance("1 minute")
    const runs = yield* TestDaemon.runs
    const late = "the members were not listed within 1m"
    expect(runs.map(({ runId, status, why }) => [runId, status, why])).toEqual([
      ["r1", "failed", late],
      ["r2", "failed", late],
      ["r3", "succeeded", undefined]
    ])
  }).pipe(Effect.provide(TestDaemon.patient)))

it.effect("a run for whose members the store is slow waits, and is not to blame", () =>
  Effect.gen(function*() {
    const calls: Array<string> = []
    const clock = TestDaemon.makeClock("2024-01-01T00:00:00Z")
    yield* clock.on(Effect.flatMap(RunStore, (store) => store.request([wanted("r1", {})])))
    const members = Effect.succeed({ lines: [{ value: "a" }] })
    yield* clock.on(TestDaemon.start({ ...TestDaemon.project(TestDaemon.counted(calls), []), members })).pipe(
      Effect.updateService(DynamicPartitions, (store) => ({
        ...store,
        replace: (...one) => Effect.andThen(Effect.sleep("2 minutes"), store.replace(...one))
      }))
    )
    yield* clock.advance("3 minutes")
    expect((yield* TestDaemon.runs).map(({ status, why }) => [status, why])).toEqual([["succeeded", undefined]])
  }).pipe(Effect.provide(TestDaemon.patient)))

it.effect("a run that the store keeps from beginning is taken again now and then, until it is let", () =>
  Effect.gen(function*() {
    const calls: Array<string> = []
    let tries = 0
    const members = Effect.suspend(() => {
      tries++
      return calls.length === 0 && tries < 5
        ? Effect.fail(new StoreError({ operation: "replace members", message: "No space left on device" }))
        : Effect.succeed({})
    })
    const clock = TestDaemon.makeClock("2024-01-01T00:00:00Z")
    yield* clock.on(Effect.flatMap(RunStore, (store) => store.request([wanted("r1", {})])))
    yield* clock.on(TestDaemon.start({ ...TestDaemon.project(TestDaemon.counted(calls), []), members }))
    yield* clock.advance("12 seconds")
    expect(tries).toBe(3)
    yield* clock.advance("10 seconds")
    expect(calls).toEqual(["2024-01-01T00:00:20.000Z"])
  }).pipe(Effect.provide(TestDaemon.patient)))

it.effect("a run that fails after its schedule was taken out of the definitions is told, and no trouble for good", () =>
  Effect.gen(function*() {
    const clock = TestDaemon.makeClock("2024-01-01T00:00:00Z")
    const slow = Asset.make("slow", {}, () => Effect.andThen(Effect.sleep("1 hour"), Effect.fail("broken")))
    const nightly = Schedule.make("nightly", { cron: "0 1 * * *", zone: "UTC", request: { assets: ["slow"] } })
    const project = { ...TestDaemon.project(TestDaemon.counted([]), []), graph: AssetGraph.make(slow) }
    const reloads = Stream.fromEffect(Effect.delay(Effect.succeed(project), "90 minutes"))
    yield* clock.on(TestDaemon.start({ ...project, automations: [nightly] }, {}, reloads))
    const { find } = yield* AlertStore
    yield* clock.advance("121 minutes")
    expect((yield* find("run/schedule/nightly"))!.status).toBe("open")
    yield* clock.advance("1 hour")
    expect((yield* find("run/schedule/nightly"))!.status).toBe("resolved")
  }).pipe(Effect.provide(TestDaemon.engine)))
