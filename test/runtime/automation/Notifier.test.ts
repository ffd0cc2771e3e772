import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Memory from "../../../src/layers/alerts/Memory.ts"
import type { Finding } from "../../../src/runtime/automation/Alert.ts"
import {
  AlertChannels,
  type Channel,
  ChannelError,
  Misconfigured,
  Refused,
  Unavailable
} from "../../../src/runtime/automation/AlertChannels.ts"
import * as AlertPolicy from "../../../src/runtime/automation/AlertPolicy.ts"
import * as Notifier from "../../../src/runtime/automation/Notifier.ts"
import * as Watch from "../../../src/runtime/automation/Watch.ts"
import { AlertStore } from "../../../src/runtime/store/AlertStore.ts"
import { NotLeader } from "../../../src/runtime/store/Leadership.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import { finding, HOUR, MINUTE, said, SECOND } from "../../support/TestAlerts.ts"

const stores = Layer.merge(AlertStore.layerMemory, RunStore.layerMemory)

const options: Notifier.Options = { fenced: (effect) => effect, policy: AlertPolicy.standard }

/** The notifier of these channels, telling in the background. */
const started = (channels: ReadonlyArray<Channel>, of: Notifier.Options) =>
  Effect.gen(function*() {
    const notifier = yield* Effect.provideService(Notifier.make(of), AlertChannels, channels)
    const fiber = yield* Effect.forkScoped(notifier.run)
    yield* TestClock.adjust(0)
    return { ...notifier, fiber }
  })

const down = (reason: ChannelError["reason"]) => Effect.fail(new ChannelError({ channel: "memory", reason }))

const unavailable = new Unavailable({ text: "status 503" })

/** Hears nothing from one instant to the other. */
const outage = (from: number, to: number) =>
  Memory.make({
    answer: (at) => at >= from && at < to ? down(unavailable) : Effect.succeed(undefined)
  })

const heardOf = (channel: Memory.MemoryChannel) =>
  channel.heard.map(({ at, message }) => `${at / MINUTE}: ${said(message)}`)

const now = (of: Partial<Finding>) => Effect.map(Clock.currentTimeMillis, (at) => finding({ at, ...of }))

it.effect("a failure is told as soon as it is observed, and its end too", () =>
  Effect.gen(function*() {
    const channel = Memory.make()
    const { observe } = yield* started([channel], options)
    yield* TestClock.adjust("10 minutes")
    yield* observe([yield* now({})])
    yield* TestClock.adjust(1)
    expect(heardOf(channel)).toEqual(["10: opened run/schedule/weekly"])
    yield* TestClock.adjust("5 minutes")
    yield* observe([yield* now({ state: "well" })])
    yield* TestClock.adjust(1)
    expect(channel.heard.map(({ message }) => said(message))).toEqual([
      "opened run/schedule/weekly",
      "resolved run/schedule/weekly"
    ])
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("a run that failed is told with what its events say", () =>
  Effect.gen(function*() {
    const channel = Memory.make()
    const { runsEnded } = yield* started([channel], options)
    const runs = yield* RunStore
    const ended = Effect.fnUntraced(function*(runId: string, status: "failed" | "succeeded") {
      yield* runs.enqueue({ runId, request: {}, tags: { automation: "schedule/weekly" }, priority: 0 })
      yield* runsEnded([runId])
      yield* runs.begin(runId, {})
      const error = { step: 1, asset: "raw_bars", partitions: ["symbol=IBM"], error: "no answer", blocked: false }
      if (status === "failed") yield* runs.append(runId, [{ type: "Failed", ...error }])
      yield* runs.end(runId, status, {})
      yield* runsEnded([runId])
      yield* runsEnded([runId])
      yield* TestClock.adjust("1 minute")
    })
    yield* ended("r1", "failed")
    yield* ended("r2", "succeeded")
    yield* runsEnded(["nobody"])
    expect(channel.heard.map(({ message }) => message)).toMatchObject([
      {
        notice: {
          change: "opened",
          count: 1,
          lines: ["raw_bars (symbol=IBM): no answer"],
          command: "barograph run show r1"
        }
      },
      { notice: { change: "resolved", count: 1, title: "schedule weekly succeeded" } }
    ])
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("Slack is down for an hour: nothing waits, nothing is lost, and then the state is told once", () =>
  Effect.gen(function*() {
    const slack = outage(MINUTE, 61 * MINUTE)
    const other = Memory.make({ name: "other" })
    const { observe } = yield* started([slack, other], options)
    yield* observe([yield* now({ incident: "run/a" })])
    yield* TestClock.adjust("1 minute")
    for (let minute = 1; minute <= 60; minute++) {
      const before = yield* Clock.currentTimeMillis
      // a fails on, b fails once and goes on, c fails and recovers again and again, d is over.
      yield* observe([
        yield* now({ incident: "run/a" }),
        yield* now({ incident: "run/c", state: minute % 2 === 1 ? "trouble" : "well" }),
        ...(minute === 20 ? [yield* now({ incident: "run/b" }), yield* now({ incident: "run/d" })] : []),
        ...(minute === 40 ? [yield* now({ incident: "run/d", state: "well" })] : [])
      ])
      expect(yield* Clock.currentTimeMillis).toBe(before)
      yield* TestClock.adjust("1 minute")
    }
    expect(heardOf(slack)).toEqual(["0: opened run/a"])
    expect(heardOf(other)).toContain("20: opened run/b")
    const attempts = slack.attempts()
    expect(attempts).toBeLessThan(20)
    expect(yield* (yield* AlertStore).channel("memory")).toMatchObject({ error: "status 503", failures: attempts - 1 })
    yield* TestClock.adjust("10 minutes")
    expect(heardOf(slack).slice(1).map((one) => one.split(": ")[1])).toEqual([
      "continues run/a x61",
      "opened run/b",
      "resolved run/d",
      "resolved run/c"
    ])
    expect(yield* (yield* AlertStore).channel("memory")).toMatchObject({ error: undefined, failures: 0 })
    yield* TestClock.adjust("5 hours")
    expect(slack.heard).toHaveLength(5)
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("many alerts at once are one message, the worst of them by name", () =>
  Effect.gen(function*() {
    const channel = outage(0, MINUTE)
    const { observe } = yield* started([channel], options)
    yield* observe(Array.from({ length: 50 }, (_, n) =>
      finding({ incident: `run/${n}`, at: n, title: `${n} failed`, severity: n === 49 ? "error" : "warn" })))
    yield* TestClock.adjust("10 minutes")
    expect(channel.heard.map(({ message }) =>
      message
    )).toMatchObject([{ flood: { more: 40, open: 50, resolved: 0 } }])
    const [{ message }] = channel.heard as [Memory.Heard]
    expect(message._tag === "Flood" && message.flood.notices.map(({ title }) => title).slice(0, 2)).toEqual([
      "49 failed",
      "0 failed"
    ])
    yield* observe([yield* now({ incident: "run/7", state: "well" })])
    yield* TestClock.adjust("1 second")
    expect(said(channel.heard[1]!.message)).toBe("resolved run/7")
    expect(channel.heard).toHaveLength(2)
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("the pace of a channel is kept, and a channel that says when to come again is not asked before", () =>
  Effect.gen(function*() {
    const asked = new Unavailable({ text: "status 429", retryAfterMillis: 90 * SECOND })
    const times: Array<number> = []
    const channel = Memory.make({
      spacing: SECOND,
      answer: (at) => {
        times.push(at / SECOND)
        return times.length === 3 ? down(asked) : Effect.succeed(undefined)
      }
    })
    const { observe } = yield* started([channel], options)
    yield* observe(Array.from({ length: 4 }, (_, n) => finding({ incident: `run/${n}`, at: n })))
    yield* TestClock.adjust("10 minutes")
    expect(times).toEqual([0, 1, 2, 92, 93])
    expect(channel.heard.map(({ message }) => said(message))).toEqual([0, 1, 2, 3].map((n) => `opened run/${n}`))
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("a notifier that begins anew keeps the waits and the pace of its channels", () =>
  Effect.gen(function*() {
    const asked = new Unavailable({ text: "status 429", retryAfterMillis: 90 * SECOND })
    const times: Array<number> = []
    const channel = Memory.make({
      spacing: 10 * SECOND,
      answer: (at) => {
        times.push(at / SECOND)
        return times.length < 3 ? down(asked) : Effect.succeed(undefined)
      }
    })
    let { fiber, observe } = yield* started([channel], options)
    const anew = Effect.gen(function*() {
      yield* Fiber.interrupt(fiber)
      ;({ fiber, observe } = yield* started([channel], options))
    })
    yield* observe([finding({ incident: "run/a" })])
    yield* TestClock.adjust("1 minute")
    yield* anew
    yield* TestClock.adjust("2 minutes")
    expect(times).toEqual([0, 90, 180])
    yield* observe([yield* now({ incident: "run/b" })])
    yield* TestClock.adjust("5 seconds")
    yield* anew
    yield* TestClock.adjust("1 minute")
    expect(times).toEqual([0, 90, 180, 190])
    expect(yield* (yield* AlertStore).channel("memory")).toMatchObject({ failures: 0 })
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("a channel that hangs or dies is waited for longer each time, up to five minutes, and holds back nobody", () =>
  Effect.gen(function*() {
    const times: Array<number> = []
    const hanging = Memory.make({
      name: "hanging",
      answer: (at) => {
        times.push(at / SECOND)
        return times.length === 2 ? Effect.die(new Error("broken")) : Effect.never
      }
    })
    const other = Memory.make({ name: "other" })
    const { observe } = yield* started([hanging, other], options)
    yield* observe([yield* now({})])
    yield* TestClock.adjust("20 minutes")
    expect(times.slice(0, 9)).toEqual([0, 15, 25, 55, 105, 195, 365, 675, 985])
    expect(heardOf(other)).toEqual(["0: opened run/schedule/weekly"])
    expect(yield* (yield* AlertStore).channel("hanging")).toMatchObject({ error: "no answer within 10 s" })
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("after an outage the next one begins with short waits again", () =>
  Effect.gen(function*() {
    const times: Array<number> = []
    const channel = Memory.make({
      answer: (at) => {
        times.push(at / MINUTE)
        return at < 20 * MINUTE || (at >= HOUR && at < HOUR + SECOND) ? down(unavailable) : Effect.succeed(undefined)
      }
    })
    const { observe } = yield* started([channel], options)
    yield* observe([finding({ incident: "run/a" })])
    yield* TestClock.adjust("1 hour")
    const before = times.length
    yield* observe([yield* now({ incident: "run/b" })])
    yield* TestClock.adjust("5 seconds")
    expect(times.slice(before)).toEqual([60, 60 + 1 / 12])
    expect(channel.heard.map(({ message }) => said(message))).toEqual(["opened run/a", "opened run/b"])
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("a channel with nothing to tell looks no more often than patience asks for, and at once for a finding", () =>
  Effect.gen(function*() {
    const store = yield* AlertStore
    let looks = 0
    const counting: AlertStore["Service"] = {
      ...store,
      pending: (channel) => Effect.andThen(Effect.sync(() => void looks++), store.pending(channel))
    }
    const { observe } = yield* Effect.provideService(started([Memory.make()], options), AlertStore, counting)
    yield* TestClock.adjust("1 day")
    expect(looks).toBe(5)
    yield* observe([yield* now({})])
    yield* TestClock.adjust(1)
    expect(looks).toBe(7)
  }).pipe(Effect.scoped, Effect.provideService(Watch.Patience, 6 * HOUR), Effect.provide(stores)))

it.effect("what was observed in a transaction of somebody else's is told with the next look", () =>
  Effect.gen(function*() {
    const channel = Memory.make()
    yield* started([channel], options)
    yield* (yield* AlertStore).observe([finding()])
    yield* TestClock.adjust("30 seconds")
    expect(channel.heard.map(({ message }) => said(message))).toEqual(["opened run/schedule/weekly"])
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("a message that a channel will never take does not hold back the others", () =>
  Effect.gen(function*() {
    const picky = Memory.make({
      answer: (_, message) =>
        said(message) === "opened run/bad" ? down(new Refused({ text: "invalid_blocks" })) : Effect.succeed(undefined)
    })
    const { observe } = yield* started([picky], options)
    yield* observe([finding({ incident: "run/bad" }), finding({ incident: "run/good", at: 1 })])
    yield* TestClock.adjust("10 minutes")
    expect(picky.heard.map(({ message }) => said(message))).toEqual(["opened run/good"])
    expect(picky.attempts()).toBe(2)
    expect(yield* (yield* AlertStore).refusals("memory")).toEqual([{ incident: "run/bad", why: "invalid_blocks" }])
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("a channel with wrong settings is told all the same once it was mended over there", () =>
  Effect.gen(function*() {
    const gone = new Misconfigured({ text: "channel_is_archived", fix: "unarchive it" })
    const channel = Memory.make({ answer: (at) => at < HOUR ? down(gone) : Effect.succeed(undefined) })
    const { observe } = yield* started([channel], options)
    yield* observe([finding()])
    yield* TestClock.adjust("70 minutes")
    expect(channel.heard.map(({ message }) => said(message))).toEqual(["opened run/schedule/weekly"])
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("what belongs to an incident goes into its thread, the next incident of that name into another", () =>
  Effect.gen(function*() {
    let threads = 0
    const channel = Memory.make({ answer: () => Effect.sync(() => `thread ${++threads}`) })
    const { observe } = yield* started([channel], options)
    for (const state of ["trouble", "well", "trouble", "well"] as const) {
      yield* observe([yield* now({ state })])
      yield* TestClock.adjust("20 minutes")
    }
    expect(channel.heard.map(({ message }) => message._tag === "Notice" && message.notice.thread)).toEqual([
      undefined,
      "thread 1",
      undefined,
      "thread 3"
    ])
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("where a thread was lost, the incident goes on in the one that the channel began instead", () =>
  Effect.gen(function*() {
    const threads = ["first", "second", "second"]
    const channel = Memory.make({ answer: () => Effect.sync(() => threads.shift()) })
    const { observe } = yield* started([channel], options)
    for (const minutes of [0, 61, 61]) {
      yield* TestClock.adjust(minutes * MINUTE)
      yield* observe([yield* now({})])
      yield* TestClock.adjust(1)
    }
    expect(channel.heard.map(({ message }) => message._tag === "Notice" && message.notice.thread)).toEqual([
      undefined,
      "first",
      "second"
    ])
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("what was told before a restart is not told again, and what was not is", () =>
  Effect.gen(function*() {
    const channel = outage(MINUTE, 2 * MINUTE)
    const first = yield* started([channel], options)
    yield* first.observe([finding({ incident: "run/a" })])
    yield* TestClock.adjust("1 minute")
    yield* first.observe([finding({ incident: "run/b", at: MINUTE })])
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.interrupt(first.fiber)
    yield* TestClock.adjust("1 hour")
    yield* started([channel], options)
    yield* TestClock.adjust("1 second")
    expect(channel.heard.map(({ message }) => said(message))).toEqual(["opened run/a", "opened run/b"])
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("a daemon that leads no more stops telling; what it had told unrecorded is told once more by the next", () =>
  Effect.gen(function*() {
    let leads = true
    const channel = Memory.make({ answer: () => Effect.sync(() => void (leads = false)).pipe(Effect.as(undefined)) })
    const fenced: Watch.Fenced = (effect) =>
      Effect.andThen(Effect.suspend(() => leads ? Effect.void : Effect.fail(new NotLeader({ term: 1 }))), effect)
    const deposed = yield* started([channel], { ...options, fenced })
    yield* deposed.observe([finding()])
    yield* TestClock.adjust("1 second")
    expect(yield* Effect.flip(Fiber.join(deposed.fiber))).toEqual(new NotLeader({ term: 1 }))
    expect(yield* Effect.flip(deposed.observe([finding({ incident: "run/b" })]))).toEqual(new NotLeader({ term: 1 }))
    const next = Memory.make()
    yield* started([next], options)
    yield* TestClock.adjust("3 hours")
    expect(channel.attempts()).toBe(1)
    expect(next.heard.map(({ message }) => said(message))).toEqual(["opened run/schedule/weekly"])
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("a month of failures and recoveries leaves one incident behind, and a season later none", () =>
  Effect.gen(function*() {
    const channel = Memory.make()
    const { observe } = yield* started([channel], options)
    for (let hour = 0; hour < 720; hour++) {
      yield* observe([yield* now({ state: hour % 24 === 3 ? "trouble" : "well" })])
      yield* TestClock.adjust("1 hour")
    }
    const store = yield* AlertStore
    expect(yield* store.open).toEqual([])
    expect(channel.heard).toHaveLength(60)
    expect(yield* store.find("run/schedule/weekly")).toMatchObject({ status: "resolved", episode: 30 })
    yield* TestClock.adjust("101 days")
    expect(yield* store.find("run/schedule/weekly")).toBeUndefined()
  }).pipe(Effect.scoped, Effect.provideService(Watch.Patience, 24 * HOUR), Effect.provide(stores)))
