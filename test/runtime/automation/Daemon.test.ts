import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Schedule from "../../../src/runtime/automation/Schedule.ts"
import { Leadership } from "../../../src/runtime/store/Leadership.ts"
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
