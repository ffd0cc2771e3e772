import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Condition from "../../../src/runtime/asset/Condition.ts"
import * as Schedule from "../../../src/runtime/automation/Schedule.ts"
import * as TestDaemon from "../../support/TestDaemon.ts"

const request = { assets: ["counted"], force: true }

const hourly = (more: Partial<Schedule.Options> = {}) =>
  Schedule.make("hourly", { cron: "0 * * * *", zone: "UTC", request, ...more })

const ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]

const nightly = (zone: string) =>
  Schedule.make(zone.toLowerCase().replace("/", "_"), { cron: "30 2 * * *", zone, request, overlap: "queue" })

const localOf = (zone: string) => {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" })
  return (key: string) => format.format(Date.parse(key.split("@")[1]!))
}

describe("a year of nights", () => {
  it.effect(
    "has a tick for each, in zones that change their clocks by an hour or by half of one",
    () =>
      Effect.gen(function*() {
        const clock = TestDaemon.makeClock("2023-12-31T20:00:00Z")
        const project = TestDaemon.project(TestDaemon.counted([]), ZONES.map(nightly))
        yield* clock.on(TestDaemon.start(project, { lease: Duration.days(30) }))
        yield* clock.advance("366 days")
        const runs = yield* TestDaemon.runs
        expect(new Set(runs.map(({ status }) => status))).toEqual(new Set(["succeeded"]))
        for (const zone of ZONES) {
          const own = runs.filter(({ tags }) => tags["automation"] === Schedule.keyOf(nightly(zone)))
          const local = own.map(({ runKey }) => localOf(zone)(runKey!))
          expect(local.length).toBe(366)
          expect(new Set(local.map((text) => text.slice(0, 10))).size).toBe(366)
          // 02:30 does not exist on the night when an hour or half of one is left out.
          expect(local.filter((text) => !text.endsWith(" 02:30")).length).toBeLessThanOrEqual(1)
        }
      }).pipe(Effect.provide(TestDaemon.engine)),
    60_000
  )
})

const START = "2024-01-01T00:30:00Z"

/** A daemon since 00:30, by a clock that can be set. */
const standing = Effect.fnUntraced(function*(schedule: Schedule.Schedule) {
  const clock = TestDaemon.makeClock(START)
  const calls: Array<string> = []
  yield* clock.on(TestDaemon.start(TestDaemon.project(TestDaemon.counted(calls), [schedule])))
  yield* clock.advance("1 hour")
  expect(calls).toEqual(["2024-01-01T01:00:00.000Z"])
  return { ...clock, calls }
})

describe("a clock that jumps", () => {
  it.effect("ahead is a downtime, noticed within half a minute", () =>
    Effect.gen(function*() {
      const { advance, calls, jump } = yield* standing(hourly())
      yield* jump("5 hours")
      yield* advance("30 seconds")
      expect(calls.map((at) => at.slice(11, 16))).toEqual(["01:00", "06:30"])
      expect(yield* TestDaemon.ticks()).toEqual([
        "01:00 requested 1",
        "05:00 missed 4",
        "06:00 requested 1"
      ])
    }).pipe(Effect.provide(TestDaemon.patient)))

  it.effect("back brings no tick again, and the next comes at its time", () =>
    Effect.gen(function*() {
      const { advance, calls, jump } = yield* standing(hourly())
      yield* jump("-90 minutes")
      yield* advance("1 hour")
      expect(calls).toHaveLength(1)
      yield* advance("2 hours")
      expect(calls.map((at) => at.slice(11, 16))).toEqual(["01:00", "02:00", "03:00"])
    }).pipe(Effect.provide(TestDaemon.patient)))

  it.effect("a year ahead for an hour does not silence a schedule for a year", () =>
    Effect.gen(function*() {
      const { advance, calls, jump } = yield* standing(hourly())
      yield* jump("365 days")
      yield* advance("1 hour")
      yield* jump("-365 days")
      yield* advance("3 hours")
      const keys = (yield* TestDaemon.runs).map(({ runKey }) => runKey!.slice(-24, -8))
      expect(keys.slice(-3)).toEqual(["2024-01-01T03:00", "2024-01-01T04:00", "2024-01-01T05:00"])
      expect(new Set(keys).size).toBe(keys.length)
      // They were forced: what that clock says was made later is none of them.
      expect(calls.slice(-3).map((at) => at.slice(0, 16))).toEqual(keys.slice(-3))
    }).pipe(Effect.provide(TestDaemon.patient)))

  it.effect("a year ahead for an hour does not silence a condition for a year", () =>
    Effect.gen(function*() {
      const clock = TestDaemon.makeClock(START)
      const calls: Array<string> = []
      const automation = Condition.onCron("0 * * * *", { zone: "UTC" })
      const call = Effect.map(Clock.currentTimeMillis, (now) => void calls.push(TestDaemon.iso(now).slice(0, 16)))
      const graph = AssetGraph.make(Asset.make("hourly", { automation }, () => call))
      yield* clock.on(TestDaemon.start({ ...TestDaemon.project(TestDaemon.counted([]), []), graph }))
      yield* clock.advance("1 hour")
      yield* clock.jump("365 days")
      yield* clock.advance("1 hour")
      yield* clock.jump("-365 days")
      yield* clock.advance("2 hours")
      expect(calls.slice(-2)).toEqual(["2024-01-01T03:00", "2024-01-01T04:00"])
      yield* clock.jump("-90 minutes")
      yield* clock.advance("1 hour")
      expect(calls.at(-1)).toBe("2024-01-01T04:00")
    }).pipe(Effect.provide(TestDaemon.patient)))
})

describe("ticks while nobody was there", () => {
  const downtime = (catchUp: Schedule.CatchUp) =>
    Effect.gen(function*() {
      const calls: Array<string> = []
      const clock = TestDaemon.makeClock(START)
      const one = TestDaemon.project(TestDaemon.counted(calls), [hourly({ catchUp, overlap: "queue" })])
      const first = yield* clock.on(TestDaemon.start(one))
      yield* clock.advance("1 hour")
      yield* Fiber.interrupt(first)
      yield* clock.advance("4 hours")
      yield* clock.on(TestDaemon.start(one))
      yield* clock.advance("1 hour")
      expect(calls[0]).toBe("2024-01-01T01:00:00.000Z")
      expect(calls.at(-1)).toBe("2024-01-01T06:00:00.000Z")
      return [calls.length, yield* TestDaemon.ticks()]
    }).pipe(Effect.provide(TestDaemon.engine))

  it.effect("are made up one by one, by the last, or not at all, as the schedule says", () =>
    Effect.gen(function*() {
      const [first, last] = ["01:00 requested 1", "06:00 requested 1"]
      const made = ["02:00", "03:00", "04:00", "05:00"].map((at) => `${at} requested 1`)
      expect(yield* downtime("all")).toEqual([6, [first, ...made, last]])
      expect(yield* downtime("last")).toEqual([3, [first, "04:00 missed 3", "05:00 requested 1", last]])
      expect(yield* downtime("none")).toEqual([2, [first, "05:00 missed 4", last]])
    }))

  it.effect("have runs whose ids are in the order of the ticks", () =>
    Effect.gen(function*() {
      const clock = TestDaemon.makeClock("2024-01-01T00:00:30Z")
      const minutely = hourly({ cron: "* * * * *", catchUp: "all", overlap: "queue" })
      const one = TestDaemon.project(TestDaemon.counted([]), [minutely])
      const first = yield* clock.on(TestDaemon.start(one, { slots: 0 }))
      yield* clock.advance("1 second")
      yield* Fiber.interrupt(first)
      yield* clock.advance("15 hours")
      yield* clock.on(TestDaemon.start(one, { slots: 0 }))
      yield* clock.advance("1 second")
      const runs = yield* TestDaemon.runs
      expect(runs).toHaveLength(900)
      const byId = [...runs].sort((a, b) => a.runId < b.runId ? -1 : 1)
      expect(byId.map(({ runKey }) => runKey)).toEqual(runs.map(({ runKey }) => runKey))
    }).pipe(Effect.provide(TestDaemon.engine)))
})

describe("a tick while the run of the one before goes on", () => {
  const overlapping = (overlap: Schedule.Overlap) =>
    Effect.gen(function*() {
      const calls: Array<string> = []
      const clock = TestDaemon.makeClock("2024-01-01T00:00:30Z")
      yield* clock.on(
        TestDaemon.start(
          TestDaemon.project(TestDaemon.counted(calls, "90 seconds"), [hourly({ cron: "* * * * *", overlap })])
        )
      )
      yield* clock.advance("230 seconds")
      return {
        calls: calls.map((at) => at.slice(11, 16)),
        statuses: (yield* TestDaemon.runs).map(({ status }) => status),
        ticks: yield* TestDaemon.ticks()
      }
    }).pipe(Effect.provide(TestDaemon.engine))

  it.effect("is left out", () =>
    Effect.gen(function*() {
      expect(yield* overlapping("skip")).toEqual({
        calls: ["00:01", "00:03"],
        statuses: ["succeeded", "running"],
        ticks: ["00:01 requested 1", "00:02 skipped 1", "00:03 requested 1", "00:04 skipped 1"]
      })
    }))

  it.effect("asks for a run beside it", () =>
    Effect.gen(function*() {
      expect(yield* overlapping("queue")).toMatchObject({
        calls: ["00:01", "00:02", "00:03", "00:04"],
        statuses: ["succeeded", "succeeded", "running", "running"]
      })
    }))

  it.effect("cancels it", () =>
    Effect.gen(function*() {
      expect(yield* overlapping("cancel")).toMatchObject({
        calls: ["00:01", "00:02", "00:03", "00:04"],
        statuses: ["canceled", "canceled", "canceled", "running"]
      })
    }))

  it.effect("is one that another schedule may ask for though this one cannot say what it wants", () =>
    Effect.gen(function*() {
      const calls: Array<string> = []
      const broken = Schedule.make("broken", {
        cron: "0 * * * *",
        zone: "UTC",
        request: (tick) => {
          if (new Date(tick).getUTCHours() === 2) throw new Error("no such hour")
          return request
        }
      })
      const clock = TestDaemon.makeClock(START)
      yield* clock.on(TestDaemon.start(TestDaemon.project(TestDaemon.counted(calls), [broken, hourly()])))
      yield* clock.advance("3 hours")
      expect(yield* TestDaemon.ticks("schedule/hourly")).toEqual([
        "01:00 requested 1",
        "02:00 requested 1",
        "03:00 requested 1"
      ])
      expect(yield* TestDaemon.ticks("schedule/broken")).toEqual([
        "01:00 requested 1",
        "02:00 failed 1",
        "03:00 requested 1"
      ])
    }).pipe(Effect.provide(TestDaemon.engine)))
})
