import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Condition from "../../../src/runtime/asset/Condition.ts"
import * as FreshnessWatch from "../../../src/runtime/automation/FreshnessWatch.ts"
import * as Schedule from "../../../src/runtime/automation/Schedule.ts"
import { AlertStore } from "../../../src/runtime/store/AlertStore.ts"
import { AutomationStore } from "../../../src/runtime/store/AutomationStore.ts"
import { Leadership } from "../../../src/runtime/store/Leadership.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as Testing from "../../../src/runtime/testing/Testing.ts"
import * as TestDaemon from "../../support/TestDaemon.ts"

const START = "2024-01-01T00:00:30Z"

const minutely = Schedule.make("minutely", {
  cron: "* * * * *",
  zone: "UTC",
  request: { assets: ["counted"], force: true },
  overlap: "queue"
})

const leader = Effect.flatMap(Leadership, (leadership) => leadership.leader)

const seconds = (calls: ReadonlyArray<string>) => calls.map((at) => at.slice(14, 19))

/** Two of them over one store; each tells when it has the lead. */
const pair = (takes: Duration.Input, options: { readonly lease: Duration.Duration }) =>
  Effect.gen(function*() {
    const clock = TestDaemon.makeClock(START)
    const calls: Array<string> = []
    const led: Array<string> = []
    const start = (holder: string) =>
      TestDaemon.start(TestDaemon.project(TestDaemon.counted(calls, takes), [minutely]), {
        ...options,
        holder,
        leads: (term) => Effect.sync(() => void led.push(term === undefined ? `${holder} ends` : `${holder} ${term}`))
      })
    const process = clock.process()
    const first = yield* process.on(start("a"))
    yield* clock.advance("1 second")
    const second = yield* clock.on(start("b"))
    yield* clock.advance("1 second")
    expect(led).toEqual(["a 1"])
    return { calls, clock, first, led, process, second }
  })

describe("two daemons", () => {
  it.effect("the one that stands by leads within a sixth of a lease when the other one ends", () =>
    Effect.gen(function*() {
      const { calls, clock, first, led } = yield* pair(0, { lease: Duration.seconds(6) })
      yield* clock.advance("2 minutes")
      yield* Fiber.interrupt(first)
      yield* clock.advance("1 second")
      expect(led).toEqual(["a 1", "a ends", "b 2"])
      yield* clock.advance("2 minutes")
      expect(seconds(calls)).toEqual(["01:00", "02:00", "03:00", "04:00"])
      expect(yield* TestDaemon.ticks()).toHaveLength(4)
    }).pipe(Effect.provide(TestDaemon.engine)))

  it.effect("one that stands still loses the lead with its lease, and when it goes on it stands by", () =>
    Effect.gen(function*() {
      const { calls, clock, led, process, second } = yield* pair("20 seconds", { lease: Duration.seconds(6) })
      yield* clock.advance("32 seconds")
      yield* process.stop
      yield* clock.advance("7 seconds")
      expect(led).toEqual(["a 1", "b 2"])
      // The run of the first was in the middle: it is done again from the start.
      expect((yield* TestDaemon.runs).map(({ status }) => status)).toEqual(["interrupted", "running"])
      yield* clock.advance("2 minutes")
      yield* process.goOn
      yield* clock.advance("2 minutes")
      expect(led).toEqual(["a 1", "b 2", "a ends"])
      expect(yield* leader).toMatchObject({ term: 2, holder: "b", isExpired: false })
      const runs = yield* TestDaemon.runs
      const succeeded = runs.filter(({ status }) => status === "succeeded").map(({ runKey }) => runKey)
      expect(new Set(succeeded).size).toBe(succeeded.length)
      expect((yield* TestDaemon.ticks()).map((tick) => tick.slice(0, 5))).toEqual([
        "00:01",
        "00:02",
        "00:03",
        "00:04",
        "00:05"
      ])
      expect(calls.length).toBe(6)
      yield* Fiber.interrupt(second)
      yield* clock.advance("1 second")
      expect(led.slice(3)).toEqual(["b ends", "a 3"])
    }).pipe(Effect.provide(TestDaemon.engine)))
})

/** Statements that are neither answered nor refused, nor given up when somebody asks for it. */
const silent = (isSilent: () => boolean) => <A, E, R>(statement: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => isSilent() ? Effect.uninterruptible(Effect.never) : statement)

it.effect("a leader whose database hangs loses the lead, and leads again when there is an answer", () =>
  Effect.gen(function*() {
    let hangs = false
    const asked = silent(() => hangs)
    const clock = TestDaemon.makeClock(START)
    const [calls, led]: [Array<string>, Array<number | undefined>] = [[], []]
    const [leadership, runs] = [yield* Leadership, yield* RunStore]
    yield* clock.on(TestDaemon.start(TestDaemon.project(TestDaemon.counted(calls), [minutely]), {
      lease: Duration.seconds(6),
      leads: (term) => Effect.sync(() => void led.push(term))
    })).pipe(
      Effect.provideService(Leadership, {
        acquire: (holder, millis) => asked(leadership.acquire(holder, millis)),
        renew: (term, millis) => asked(leadership.renew(term, millis)),
        resign: (term) => asked(leadership.resign(term)),
        fenced: (term) => (effect) => asked(leadership.fenced(term)(effect)),
        leader: asked(leadership.leader)
      }),
      Effect.provideService(RunStore, { ...runs, recover: asked(runs.recover) })
    )
    yield* clock.advance("20 seconds")
    hangs = true
    yield* clock.advance("3 minutes")
    expect(led).toEqual([1, undefined])
    expect(calls).toEqual([])
    hangs = false
    yield* clock.advance("20 seconds")
    expect(led).toEqual([1, undefined, 2])
    // The two ticks before were less than two minutes late.
    expect(seconds(calls)).toEqual(["03:53", "03:53", "04:00"])
  }).pipe(Effect.provide(TestDaemon.patient)))

/** A daemon that is asked to stop ten seconds into a run. */
const stopped = (takes: Duration.Input, drain: Duration.Duration) =>
  Effect.gen(function*() {
    const clock = TestDaemon.makeClock(START)
    const project = TestDaemon.project(TestDaemon.counted([], takes), [minutely])
    const daemon = yield* clock.on(TestDaemon.start(project, { drain }))
    yield* clock.advance("40 seconds")
    daemon.interruptUnsafe()
    yield* clock.advance("19 seconds")
    const during = yield* leader
    yield* clock.advance("20 seconds")
    const runs = yield* TestDaemon.runs
    return { clock, project, during, leader: yield* leader, statuses: runs.map(({ status }) => status) }
  })

describe("a daemon that is asked to stop", () => {
  it.effect("lets its run end, begins no other, and hands the lead over", () =>
    Effect.gen(function*() {
      const { during, leader, statuses } = yield* stopped("25 seconds", Duration.minutes(5))
      expect(during).toMatchObject({ isExpired: true })
      expect(leader).toMatchObject({ term: 1, isExpired: true })
      expect(statuses).toEqual(["succeeded"])
    }).pipe(Effect.provide(TestDaemon.engine)))

  it.effect("interrupts what takes longer than it may, which the next one takes up", () =>
    Effect.gen(function*() {
      const { clock, during, leader, project, statuses } = yield* stopped("45 seconds", Duration.seconds(30))
      expect(during).toMatchObject({ isExpired: false })
      expect(leader).toMatchObject({ isExpired: true })
      expect(statuses).toEqual(["interrupted"])
      yield* clock.on(TestDaemon.start(project))
      yield* clock.advance("50 seconds")
      const first = (yield* TestDaemon.runs).filter(({ runKey }) => runKey!.includes("00:01:00"))
      expect(first.map(({ attempt, status }) => [attempt, status])).toEqual([[1, "interrupted"], [2, "succeeded"]])
    }).pipe(Effect.provide(TestDaemon.engine)))
})

describe("a tick before a run that was cut off is taken up", () => {
  const handover = (overlap: Schedule.Overlap) =>
    Effect.gen(function*() {
      const clock = TestDaemon.makeClock(START)
      const schedule = Schedule.make("minutely", {
        cron: "* * * * *",
        zone: "UTC",
        request: { assets: ["counted"], force: true },
        overlap
      })
      const project = TestDaemon.project(TestDaemon.counted([], "5 minutes"), [schedule])
      yield* Fiber.interrupt(yield* clock.on(TestDaemon.start(project)).pipe(Effect.tap(clock.advance("70 seconds"))))
      yield* clock.advance("50 seconds")
      yield* clock.on(TestDaemon.start(project))
      yield* clock.advance("10 seconds")
      return (yield* TestDaemon.runs).map((run) => `${run.runKey!.slice(-13, -8)} ${run.attempt} ${run.status}`)
    }).pipe(Effect.provide(TestDaemon.patient))

  it.effect("is left out", () =>
    Effect.gen(function*() {
      expect(yield* handover("skip")).toEqual(["00:01 1 interrupted", "00:01 2 running"])
    }))

  it.effect("cancels it", () =>
    Effect.gen(function*() {
      const runs = yield* handover("cancel")
      expect(runs.filter((run) => run.endsWith("running"))).toEqual(["00:02 1 running"])
    }))
})

it.effect("what a run that was cut off is to make is in progress: no condition asks for it beside its next attempt", () =>
  Effect.gen(function*() {
    const clock = TestDaemon.makeClock(START)
    const calls: Array<string> = []
    const automation = Condition.and(Condition.missing, Condition.not(Condition.inProgress))
    const call = Effect.map(Clock.currentTimeMillis, (now) => void calls.push(TestDaemon.iso(now)))
    const slow = Asset.make("slow", { automation }, () => Effect.andThen(call, Effect.sleep("1 minute")))
    const project = { ...TestDaemon.project(TestDaemon.counted([]), []), graph: AssetGraph.make(slow) }
    const first = yield* clock.on(TestDaemon.start(project))
    yield* clock.advance("10 seconds")
    yield* Fiber.interrupt(first)
    yield* clock.on(TestDaemon.start(project))
    yield* clock.advance("3 minutes")
    const runs = yield* TestDaemon.runs
    expect(runs.map(({ attempt, status }) => [attempt, status])).toEqual([[1, "interrupted"], [2, "succeeded"]])
    expect(calls).toHaveLength(2)
  }).pipe(Effect.provide(TestDaemon.patient)))

describe("freshness", () => {
  it.effect("is noticed when it changes, at the instant at which it does, once each", () =>
    Effect.gen(function*() {
      const clock = TestDaemon.makeClock("2024-01-01T00:00:00Z")
      const changes: Array<string> = []
      const { graph } = TestDaemon.project(TestDaemon.counted([]), [])
      const store = yield* AutomationStore
      // Each change is a write of its own.
      const note = Effect.gen(function*() {
        const now = TestDaemon.iso(yield* Clock.currentTimeMillis)
        changes.push(`${now.slice(11, 16)} ${(yield* store.all).get("freshness/counted")?.cursor}`)
      })
      const watch = FreshnessWatch.run(graph, (effect) => Effect.tap(effect, Effect.orDie(note)))
      const materialize = clock.on(Effect.forkChild(Testing.materialize(graph, { force: true })))
      yield* clock.on(Effect.forkChild(watch))
      yield* clock.advance("1 hour")
      yield* materialize
      yield* clock.advance("30 minutes")
      yield* materialize
      yield* clock.advance("4 hours")
      yield* materialize
      yield* clock.advance("1 minute")
      expect(changes).toEqual(["01:00 fresh", "02:30 warn", "03:30 overdue", "05:30 fresh"])
    }).pipe(Effect.provide(TestDaemon.engine)))

  it.effect("of an asset whose policy is taken away is no trouble any more", () =>
    Effect.gen(function*() {
      const clock = TestDaemon.makeClock("2024-01-01T00:00:00Z")
      const project = TestDaemon.project(TestDaemon.counted([]), [])
      const cursor = Effect.map(
        Effect.flatMap(AutomationStore, ({ all }) => all),
        (all) => all.get("freshness/counted")?.cursor
      )
      yield* clock.on(Testing.materialize(project.graph, { force: true }))
      const first = yield* clock.on(TestDaemon.start(project))
      yield* clock.advance("3 hours")
      const { find } = yield* AlertStore
      expect([yield* cursor, (yield* find("freshness/counted"))!.status]).toEqual(["overdue", "open"])
      yield* Fiber.interrupt(first)
      const graph = AssetGraph.make(Asset.make("counted", {}, () => Effect.void))
      yield* clock.on(TestDaemon.start({ ...project, graph }))
      yield* clock.advance("1 minute")
      expect([yield* cursor, (yield* find("freshness/counted"))!.status]).toEqual(["unknown", "resolved"])
    }).pipe(Effect.provide(TestDaemon.engine)))

  it.effect("a run that is canceled while it waits never begins", () =>
    Effect.gen(function*() {
      const clock = TestDaemon.makeClock(START)
      const calls: Array<string> = []
      const runs = yield* RunStore
      const run = { runId: "r1", runKey: "k1", request: {}, tags: {}, priority: 0, attempts: 1 }
      yield* clock.on(runs.request([{ ...run, notBefore: Date.parse(START) + 60_000 }]))
      yield* clock.on(TestDaemon.start(TestDaemon.project(TestDaemon.counted(calls), [])))
      yield* clock.advance("30 seconds")
      expect(yield* runs.requestCancel("r1")).toBe(true)
      yield* clock.advance("2 minutes")
      expect(calls).toEqual([])
      expect((yield* TestDaemon.runs).map(({ status }) => status)).toEqual(["canceled"])
    }).pipe(Effect.provide(TestDaemon.engine)))
})
