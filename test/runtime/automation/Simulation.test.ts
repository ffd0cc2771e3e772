import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import type { Project } from "../../../src/runtime/automation/Project.ts"
import * as Schedule from "../../../src/runtime/automation/Schedule.ts"
import * as Sensor from "../../../src/runtime/automation/Sensor.ts"
import * as Simulation from "../../../src/runtime/automation/Simulation.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"

const day = Partitions.daily({ start: "2024-01-01", zone: "UTC" })

const never = () => Effect.die("a simulation calls nothing of the project's")

const prices = Asset.make(
  "prices",
  { partitions: { day }, pool: "vendor", output: Schema.Struct({ rows: Schema.Finite }), batch: { max: 2 } },
  never
)
const table = Asset.make("table", { partitions: { day }, deps: { prices } }, never)

const schedule = (name: string, cron: string, more: Partial<Schedule.Options> = {}) =>
  Schedule.make(name, { cron, zone: "America/New_York", request: { assets: ["table"] }, ...more })

const project: Project = {
  graph: AssetGraph.make(table),
  automations: [
    schedule("weekly", "0 6 * * 6"),
    schedule("by_hand_only", "0 * * * *", { paused: true }),
    Sensor.make("outside", { every: "1 minute" }, never)
  ],
  members: Effect.succeed({}),
  concurrency: 4,
  pools: { vendor: { slots: 2, perDay: 3 } },
  limits: {}
}

const simulate = (days: number) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2024-03-01T12:00:00Z"))
    return yield* Simulation.run(project, Duration.days(days))
  })

describe("a simulation", () => {
  it.effect("does what the daemon would do, when it would, and counts the calls of each day", () =>
    Effect.gen(function*() {
      const { assumed, calls, idle, runs } = yield* simulate(15)
      expect(assumed).toBe(2 * 60)
      expect(runs.map(({ materialized, run }) => [new Date(run.startedAt).toISOString(), materialized])).toEqual([
        // Friday's day is there by Saturday; then a week each, and the clocks change on the 10th.
        ["2024-03-02T11:00:00.000Z", { prices: 1, table: 1 }],
        ["2024-03-09T11:00:00.000Z", { prices: 7, table: 7 }],
        ["2024-03-16T10:00:00.000Z", { prices: 7, table: 7 }]
      ])
      expect(calls).toEqual({ vendor: { "2024-03-02": 1, "2024-03-09": 4, "2024-03-16": 4 } })
      expect(new Set(idle.map(({ name, why }) => `${name} ${why}`))).toEqual(new Set(["schedule/by_hand_only paused"]))
    }))

  it.effect("asks for the members once: no run waits for the real world while its clock is turned", () =>
    Effect.gen(function*() {
      let asked = 0
      const members = TestClock.withLive(Effect.delay(Effect.sync(() => ({ markets: [{ value: `${++asked}` }] })), 1))
      yield* TestClock.setTime(Date.parse("2024-03-01T12:00:00Z"))
      const { runs } = yield* Simulation.run({ ...project, members }, Duration.days(15))
      expect(asked).toBe(1)
      expect(runs.map(({ run }) => run.status)).toEqual(["succeeded", "succeeded", "succeeded"])
    }))

  it.effect("a year of it takes seconds", () =>
    Effect.gen(function*() {
      const { runs } = yield* simulate(366)
      expect(runs.length).toBe(53)
      expect(runs.every(({ run }) => run.status === "succeeded")).toBe(true)
      expect(runs.reduce((all, { materialized }) => all + materialized["table"]!, 0)).toBe(52 * 7 + 1)
    }))

  it.effect("says how far it has come, and ends at once when it is interrupted during a run", () =>
    Effect.gen(function*() {
      const heard: Array<number> = []
      const reached = yield* Deferred.make<void>()
      const observe = (elapsed: number) => {
        heard.push(Math.floor(elapsed / 3_600_000))
        // At the full hour a run has just begun.
        return elapsed < 2 * 3_600_000
          ? Effect.void
          : Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
      }
      const hourly = {
        ...project,
        automations: [schedule("hourly", "0 * * * *", { request: { assets: ["table"], force: true } })]
      }
      yield* TestClock.setTime(Date.parse("2024-03-01T12:00:00Z"))
      const fiber = yield* Effect.forkChild(Simulation.run(hourly, Duration.days(1), observe))
      yield* Deferred.await(reached)
      yield* TestClock.withLive(Effect.timeout(Fiber.interrupt(fiber), "3 seconds"))
      expect(heard).toEqual([0, 1, 2])
    }))
})
