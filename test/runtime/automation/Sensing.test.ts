import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Definitions from "../../../src/runtime/asset/Definitions.ts"
import * as Sensor from "../../../src/runtime/automation/Sensor.ts"
import { AlertStore } from "../../../src/runtime/store/AlertStore.ts"
import { AutomationStore } from "../../../src/runtime/store/AutomationStore.ts"
import { DynamicPartitions } from "../../../src/runtime/store/DynamicPartitions.ts"
import { StoreError } from "../../../src/runtime/store/StoreError.ts"
import * as TestDaemon from "../../support/TestDaemon.ts"

const START = "2024-01-01T00:00:00Z"
const counted = { assets: ["counted"], force: true }

class Away extends Schema.TaggedError<Away>()("Away", { message: Schema.String }) {}

/** Each look of it is noted. */
const looking = (looks: Array<number>, look: (at: number) => Effect.Effect<Sensor.Found, Away>) =>
  Sensor.make(
    "source",
    { every: "1 minute", timeout: "10 seconds" },
    () =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        looks.push((now - Date.parse(START)) / 1000)
        return look(now)
      })
  )

const steady = (seen: Array<string>) =>
  Sensor.make("steady", { every: "1 minute" }, ({ cursor = "0" }) =>
    Effect.sync(() => {
      seen.push(cursor)
      return { cursor: String(Number(cursor) + 1), runs: [{ ...counted, runKey: "the only one" }] }
    }))

const memory = Effect.flatMap(AutomationStore, (store) => Effect.map(store.all, (all) => all.get("sensor/source")))

const why = Effect.flatMap(
  AutomationStore,
  (store) =>
    Effect.map(store.ticks("sensor/source", 100), (all) => [...all].reverse().map(({ outcome, why }) => [outcome, why]))
)

/** Beside another one that nobody may hold up. */
const beside = (sensor: Sensor.Sensor<never>, seconds: number) =>
  Effect.gen(function*() {
    const seen: Array<string> = []
    const clock = TestDaemon.makeClock(START)
    yield* clock.on(TestDaemon.start(TestDaemon.project(TestDaemon.counted([]), [sensor, steady(seen)])))
    yield* clock.advance(seconds * 1000)
    expect(seen.length).toBe(Math.floor(seconds / 60) + 1)
    return { clock, seen }
  })

/** The store takes no tick of the sensor. */
const refusing = (isRefused: () => boolean) =>
  Effect.updateService(AutomationStore, (store) => ({
    ...store,
    record: (name, ...rest) =>
      isRefused() && name === "sensor/source"
        ? Effect.fail(new StoreError({ operation: "record", message: "the disk is full" }))
        : store.record(name, ...rest)
  }))

/** In a daemon whose definitions can be read again. */
const reloading = (sensor: Sensor.Sensor<never>, isRefused = () => false) =>
  Effect.gen(function*() {
    const clock = TestDaemon.makeClock(START)
    const project = TestDaemon.project(TestDaemon.counted([]), [sensor])
    const reloads = yield* Queue.unbounded<typeof project>()
    yield* TestDaemon.start(project, {}, Stream.fromQueue(reloads)).pipe(clock.on, refusing(isRefused))
    return { clock, reload: Queue.offer(reloads, project) }
  })

/** As it is in definitions that list the members of `symbols`. */
const listed = (sensor: Sensor.Sensor<never>) =>
  Definitions.make({
    graph: AssetGraph.make(TestDaemon.counted([])),
    members: { symbols: ["AAPL"] },
    automations: [sensor]
  }).automations[0] as Sensor.Sensor<never>

describe("a sensor", () => {
  it.effect("gets the cursor that it gave, and has a run for each key once", () =>
    Effect.gen(function*() {
      const { seen } = yield* beside(looking([], () => Effect.succeed({ why: "nothing new" })), 250)
      expect(seen).toEqual(["0", "1", "2", "3", "4"])
      expect((yield* TestDaemon.runs).map(({ runKey }) => runKey)).toEqual(["sensor/steady@the only one"])
      expect(yield* TestDaemon.ticks("sensor/steady")).toEqual(["00:00 requested 1", "00:04 skipped 4"])
      expect(yield* why).toEqual([["skipped", "nothing new"]])
    }).pipe(Effect.provide(TestDaemon.engine)))

  it.effect("whose ticks the store refuses is asked no sooner because the definitions have changed", () =>
    Effect.gen(function*() {
      const looks: Array<number> = []
      const { clock, reload } = yield* reloading(looking(looks, () => Effect.succeed({})), () => true)
      yield* clock.advance("90 seconds")
      yield* reload
      yield* clock.advance("110 seconds")
      expect(looks).toEqual([0, 60, 120, 180])
    }).pipe(Effect.provide(TestDaemon.engine)))

  it.effect("whose look is cut off because the definitions have changed looks again at once", () =>
    Effect.gen(function*() {
      const looks: Array<number> = []
      const { clock, reload } = yield* reloading(looking(looks, () => Effect.as(Effect.sleep("5 seconds"), {})))
      yield* clock.advance("67 seconds")
      yield* reload
      yield* clock.advance("70 seconds")
      expect(looks).toEqual([0, 65, 67, 132])
    }).pipe(Effect.provide(TestDaemon.engine)))

  it("refuses what could not work, and says what is wrong", () => {
    const refused: ReadonlyArray<readonly [options: object, says: string]> = [
      [{ every: 0 }, "every is 0: expected a time of a millisecond or more, such as \"5 minutes\"."],
      [{ every: "-1 minute" }, "every is \"-1 minute\": expected a time"],
      [{ every: "soon" }, "every is \"soon\": expected a time"],
      [{ every: "Infinity" }, "every is \"Infinity\": expected a time"],
      [{ every: undefined }, "every is undefined: expected a time"],
      [{ timeout: -5 }, "timeout is -5: expected a time"],
      [{ attempts: 0 }, "attempts is 0: expected a value between 1 and"],
      [
        { timeOut: "1 second" },
        "there is no option \"timeOut\". Did you mean \"timeout\"? Options: every, timeout, description, attempts, paused."
      ]
    ]
    const declared = (name: string, options: object = {}) => () =>
      Sensor.make(name, { every: "1 minute", ...options }, () => Effect.succeed({}))
    for (const [options, says] of refused) {
      expect(declared("source", options)).toThrow(`Sensor "source" cannot be declared so: ${says}`)
    }
    expect(() => Sensor.make("source", "hourly" as never, () => Effect.succeed({}))).toThrow(
      "Sensor \"source\" cannot be declared so: what follows the name is \"hourly\": expected object."
    )
    expect(declared("New Files")).toThrow("Sensor \"New Files\" cannot be declared so: the name is")
  })

  it.effect("says what is wrong with what it answered", () =>
    Effect.gen(function*() {
      const answers: ReadonlyArray<readonly [answer: unknown, says: string]> = [
        [undefined, "its answer is undefined: expected object."],
        [{ cursor: 7 }, "cursor is 7: expected string."],
        [{ runs: [{ assets: ["counted"] }] }, "runs[0].runKey is undefined: expected a value."],
        [
          { runs: [{ ...counted, runKey: "a" }, { runKey: "b", priority: 1.5 }] },
          "runs[1].priority is 1.5: expected an integer."
        ],
        [{ runs: [{ runKey: "a", tags: { team: 7 } }] }, "runs[0].tags.team is 7: expected string."],
        [{ members: { symbols: [7] } }, "members.symbols[0] is 7: expected string | object."]
      ]
      for (const [answer, says] of answers) {
        const { message } = yield* Effect.flip(
          looking([], () => Effect.succeed(answer as Sensor.Found)).look({ cursor: undefined })
        ) as Effect.Effect<Sensor.SensorError>
        expect(message).toBe(`what it answers cannot be used: ${says}`)
      }
      const fine = { runs: [{ ...counted, runKey: "a", priority: 2 }], cursor: undefined }
      expect(yield* looking([], () => Effect.succeed(fine as never)).look({ cursor: undefined })).toBe(fine)
    }))

  it.effect("brings members in before the runs that need them", () =>
    Effect.gen(function*() {
      const look = () =>
        Effect.succeed({ members: { symbols: ["IBM", { value: "AAPL", from: "2024-01-01" }] }, runs: [] })
      yield* beside(looking([], look), 130)
      expect((yield* (yield* DynamicPartitions).all)["symbols"]).toEqual([
        { value: "IBM" },
        { value: "AAPL", from: "2024-01-01" }
      ])
    }).pipe(Effect.provide(TestDaemon.engine)))

  it.effect("fails where it adds to a set whose members the definitions list", () =>
    Effect.gen(function*() {
      const look = () => Effect.succeed({ cursor: "lost", members: { symbols: ["IBM"] } })
      yield* beside(listed(looking([], look)), 30)
      expect(yield* why).toEqual([
        ["failed", "set \"symbols\" is listed in the members of the definitions: a sensor cannot add to it"]
      ])
      expect(yield* memory).toMatchObject({ cursor: undefined, failures: 1 })
      expect(yield* (yield* DynamicPartitions).all).toEqual({})
    }).pipe(Effect.provide(TestDaemon.engine)))

  it.effect("adds to a set that the definitions do not list, beside one that they do", () =>
    Effect.gen(function*() {
      const look = () => Effect.succeed({ members: { others: ["IBM"], symbols: [] } })
      yield* beside(listed(looking([], look)), 30)
      expect((yield* (yield* DynamicPartitions).all)["others"]).toEqual([{ value: "IBM" }])
    }).pipe(Effect.provide(TestDaemon.engine)))

  it.effect("may ask for thousands of runs at once, which wait in its order", () =>
    Effect.gen(function*() {
      const keys = Array.from({ length: 3000 }, (_, at) => `file ${at}`)
      const many = Sensor.make("many", { every: "1 hour" }, () =>
        Effect.succeed({ runs: keys.map((runKey) => ({ ...counted, runKey })) }))
      const clock = TestDaemon.makeClock(START)
      const project = TestDaemon.project(TestDaemon.counted([]), [many])
      yield* clock.on(TestDaemon.start(project, { slots: 0 }))
      yield* clock.advance("1 second")
      const runs = yield* TestDaemon.runs
      expect(runs.map(({ runKey }) =>
        runKey
      )).toEqual(keys.map((key) => `sensor/many@${key}`))
      expect(runs.map(({ runId }) => runId).sort()).toEqual(runs.map(({ runId }) => runId))
    }).pipe(Effect.provide(TestDaemon.engine)))

  it.effect("may say whatever characters it likes: what is kept of them is what PostgreSQL keeps", () =>
    Effect.gen(function*() {
      const odd = "nul \u0000, half \ud83d"
      const clean = "nul \ufffd, half \ufffd"
      const look = (at: number) =>
        at < Date.parse(START) + 60_000
          ? Effect.succeed({
            cursor: odd,
            why: odd,
            members: { symbols: [odd] },
            runs: [{ ...counted, partition: odd, runKey: odd, tags: { [odd]: odd } }]
          })
          : Effect.fail(new Away({ message: odd }))
      yield* beside(looking([], look), 100)
      expect(yield* why).toEqual([["requested", clean], ["failed", clean]])
      expect(yield* memory).toMatchObject({ cursor: clean })
      expect((yield* (yield* DynamicPartitions).all)["symbols"]).toEqual([{ value: clean }])
      expect((yield* TestDaemon.runs).find(({ tags }) => tags["automation"] === "sensor/source")).toMatchObject({
        runKey: `sensor/source@${clean}`,
        request: { partition: clean },
        tags: { [clean]: clean }
      })
    }).pipe(Effect.provide(TestDaemon.engine)))

  it.effect("may give keys of any length, which are kept as long as PostgreSQL can index them", () =>
    Effect.gen(function*() {
      const long = "\u{1f98a}".repeat(5000)
      const look = () => Effect.succeed({ runs: ["a", "b", "a"].map((end) => ({ ...counted, runKey: long + end })) })
      yield* beside(looking([], look), 100)
      const keys = (yield* TestDaemon.runs).flatMap(({ runKey }) =>
        runKey?.startsWith("sensor/source@") ? [runKey] : []
      )
      expect(keys).toHaveLength(2)
      expect(new Set(keys).size).toBe(2)
      for (const key of keys) expect(Buffer.byteLength(key)).toBeLessThan(2700)
    }).pipe(Effect.provide(TestDaemon.engine)))

  it.effect("is silent while it is paused, and looks at once when it is resumed", () =>
    Effect.gen(function*() {
      const looks: Array<number> = []
      const { clock } = yield* beside(looking(looks, () => Effect.succeed({})), 90)
      const store = yield* AutomationStore
      yield* store.setPaused("sensor/source", true)
      yield* clock.advance("10 minutes")
      expect(looks).toEqual([0, 60])
      yield* store.setPaused("sensor/source", false)
      yield* clock.advance("1 second")
      expect(looks).toEqual([0, 60, 690])
    }).pipe(Effect.provide(TestDaemon.engine)))

  it.effect("that fails and is taken out of the definitions is no trouble any more, and goes on where it was", () =>
    Effect.gen(function*() {
      const looks: Array<number> = []
      const look = (at: number) =>
        at < Date.parse(START) + 60_000 ? Effect.succeed({ cursor: "1" }) : Effect.fail(new Away({ message: "gone" }))
      const clock = TestDaemon.makeClock(START)
      const open = Effect.flatMap(AlertStore, (store) => Effect.map(store.open, (all) => all.length))
      const counted = TestDaemon.counted([])
      const first = yield* clock.on(TestDaemon.start(TestDaemon.project(counted, [looking(looks, look)])))
      yield* clock.advance("30 minutes")
      expect([yield* open, (yield* memory)!.failures > 2]).toEqual([1, true])
      yield* Fiber.interrupt(first)
      yield* clock.on(TestDaemon.start(TestDaemon.project(counted, [])))
      yield* clock.advance("1 minute")
      expect([yield* open, yield* memory]).toMatchObject([0, { failures: 0, cursor: "1" }])
    }).pipe(Effect.provide(TestDaemon.engine)))
})
