import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Schedule from "../../../src/runtime/automation/Schedule.ts"
import { Leadership } from "../../../src/runtime/store/Leadership.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
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

it.effect("a run behind thousands that their tag holds back begins at once", () =>
  Effect.gen(function*() {
    const wanted = (runId: string, tags: { readonly [tag: string]: string }) => ({
      runId,
      runKey: runId,
      request: Schedule.requestOf({ assets: ["counted"], force: true }),
      tags,
      priority: 0,
      attempts: 1
    })
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
    const wanted = (runId: string, tags: { readonly [tag: string]: string }) => ({
      runId,
      runKey: runId,
      request: Schedule.requestOf({ assets: ["counted"], force: true }),
      tags,
      priority: 0,
      attempts: 1
    })
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
