import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Daemon from "../../../src/runtime/automation/Daemon.ts"
import type { Automation, Project } from "../../../src/runtime/automation/Project.ts"
import * as Schedule from "../../../src/runtime/automation/Schedule.ts"
import * as Watch from "../../../src/runtime/automation/Watch.ts"
import { Leadership } from "../../../src/runtime/store/Leadership.ts"
import { type Run, RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as Testing from "../../../src/runtime/testing/Testing.ts"

/** The test's clock does not jump, and nobody else wants the lead: a month needs few looks. */
const engine = Layer.mergeAll(Testing.layer, Logger.layer([]), Layer.succeed(Watch.Patience, 86_400_000))

/** An asset whose calls are counted, each as long as it is told. */
const counted = (calls: Array<string>, duration: string = "0 seconds") =>
  Asset.make("counted", {}, () =>
    Effect.gen(function*() {
      calls.push(new Date(yield* Effect.clockWith((clock) => clock.currentTimeMillis)).toISOString())
      yield* Effect.sleep(duration as "1 second")
    }))

const project = (
  asset: ReturnType<typeof counted>,
  automations: ReadonlyArray<Automation<never>>
): Project<never> => ({
  graph: AssetGraph.make(asset),
  automations,
  members: Effect.succeed({}),
  concurrency: 4,
  pools: {},
  limits: {}
})

const options = (holder: string): Daemon.Options => ({
  ...Daemon.defaults,
  lease: Duration.days(1),
  holder,
  leads: () => Effect.void
})

const start = (one: Project<never>, holder = "a") =>
  Effect.forkChild(Daemon.run(Stream.concat(Stream.make(one), Stream.never), options(holder)))

const all = Effect.flatMap(RunStore, (runs) => runs.list({ limit: 10_000 }))

const statuses = (runs: ReadonlyArray<Run>) => runs.map(({ status }) => status)

const weekly = (more: Partial<Schedule.Options> = {}) =>
  Schedule.make("weekly", {
    cron: "0 6 * * 6",
    zone: "America/New_York",
    request: { assets: ["counted"], force: true },
    ...more
  })

describe("a daemon in virtual time", () => {
  it.effect("a weekly schedule runs once a week, at the same local time on both sides of the change of clocks", () =>
    Effect.gen(function*() {
      const calls: Array<string> = []
      yield* TestClock.setTime(Date.parse("2024-02-25T00:00:00Z"))
      const daemon = yield* start(project(counted(calls), [weekly()]))
      yield* TestClock.adjust("28 days")
      expect(calls).toEqual([
        "2024-03-02T11:00:00.000Z",
        "2024-03-09T11:00:00.000Z",
        "2024-03-16T10:00:00.000Z",
        "2024-03-23T10:00:00.000Z"
      ])
      expect(statuses(yield* all)).toEqual(["succeeded", "succeeded", "succeeded", "succeeded"])
      yield* Fiber.interrupt(daemon)
      expect(yield* (yield* Leadership).leader).toMatchObject({ term: 1, isExpired: true })
    }).pipe(Effect.provide(engine)))
})
