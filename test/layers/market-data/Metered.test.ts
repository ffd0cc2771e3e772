import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as TestClock from "effect/testing/TestClock"
import * as MarketData from "../../../src/layers/market-data/MarketData.ts"
import * as Metered from "../../../src/layers/market-data/Metered.ts"
import { Quota } from "../../../src/layers/market-data/Quota.ts"
import * as Memory from "../../../src/layers/market-data/quota/Memory.ts"

const limits = { perDay: 25, resetZone: "America/New_York" }
const NOON = Date.parse("2026-03-10T16:00:00Z")
const HOUR = 3_600_000

const metered = Metered.call("key", limits, 1)

const isRefused = Effect.fail(new MarketData.QuotaExhausted({ text: "25 requests per day" }))

it.effect("a vendor that accepted calls today and says the day is used up is believed until its midnight", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(NOON)
    let calls = 0
    const call = metered(Effect.suspend(() => calls++ === 0 ? Effect.void : isRefused))
    yield* call
    assert.strictEqual((yield* Effect.flip(call)).text, "25 requests per day")
    const again = yield* Effect.flip(call)
    assert.strictEqual(again.text, "quota used up: the vendor says so, resets at 2026-03-11T04:00:00.000Z")
    yield* TestClock.setTime(Date.parse("2026-03-11T04:00:01Z"))
    assert.strictEqual((yield* Effect.flip(call)).text, "25 requests per day")
    assert.strictEqual(calls, 3)
  }).pipe(Effect.provide(Memory.layerMemory)))

it.effect("calls are counted by what became of them, and what is left of the day, under the vendor's name alone", () =>
  Effect.gen(function*() {
    const call = Metered.call("vendor/digest-of-a-key", limits, 2)
    yield* call(Effect.void)
    yield* call(Effect.void)
    assert.include(yield* PrometheusMetrics.format(), "barograph_source_quota_left{source=\"vendor\"} 21\n")
    yield* Effect.flip(call(isRefused))
    const text = yield* PrometheusMetrics.format()
    assert.include(text, "barograph_source_calls_total{source=\"vendor\",outcome=\"answered\"} 4\n")
    assert.include(text, "barograph_source_calls_total{source=\"vendor\",outcome=\"refused\"} 2\n")
    assert.include(text, "barograph_source_quota_left{source=\"vendor\"} 0\n")
    assert.notInclude(text, "digest")
  }).pipe(
    Effect.provide(Memory.layerMemory),
    Effect.provideService(Metric.MetricRegistry, new Map())
  ))

/** A vendor whose day begins at an hour of UTC: what it accepted and refused, by its own dates. */
const vendorOf = (hour: number) => {
  const accepted = new Map<string, number>()
  const refused: Array<number> = []
  const call = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const day = new Date(now - hour * HOUR).toISOString().slice(0, 10)
    const count = accepted.get(day) ?? 0
    if (count === 25) {
      refused.push(now)
      return isRefused
    }
    accepted.set(day, count + 1)
    return Effect.void
  })
  return { accepted, refused, call }
}

/** Three processes that want as much as they get, every ten minutes for three days. */
const wanting = (call: Effect.Effect<void, MarketData.Reason, Quota>) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(NOON)
    for (let at = NOON; at < NOON + 72 * HOUR; at += 10 * 60_000) {
      yield* TestClock.setTime(at)
      const all = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 30 }), () => Effect.result(call), { concurrency: 3 })
      )
      yield* TestClock.adjust("5 minutes")
      yield* Fiber.join(all)
    }
  })

it.effect("a day that begins hours after the assumed reset is not lost: one refused call an hour, then all of it", () =>
  Effect.gen(function*() {
    const { accepted, call, refused } = vendorOf(9)
    yield* wanting(metered(call))
    assert.deepStrictEqual([...accepted.values()], [25, 25, 25, 25])
    for (const date of ["2026-03-11", "2026-03-12", "2026-03-13"]) {
      // From New York's midnight, 04:00, to the vendor's, 09:00.
      const within = refused.filter((at) => new Date(at).toISOString().startsWith(date))
      assert.isAtLeast(within.length, 4)
      assert.isAtMost(within.length, 7)
      const trials = within.slice(2)
      for (let at = 1; at < trials.length; at++) assert.isAtLeast(trials[at]! - trials[at - 1]!, HOUR)
    }
  }).pipe(Effect.provide(Memory.layerMemory)))

it.effect("a day that begins before the assumed reset loses no more than the time between", () =>
  Effect.gen(function*() {
    const { accepted, call } = vendorOf(0)
    yield* wanting(metered(call))
    assert.isAtLeast([...accepted.values()].reduce((sum, count) => sum + count, 0), 3 * 25)
  }).pipe(Effect.provide(Memory.layerMemory)))

it.effect("a call on trial goes alone, and opens the day to all when it is accepted", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(NOON)
    const quota = yield* Quota
    yield* Effect.flip(metered(isRefused))
    assert.strictEqual(yield* quota.used("key", limits), 0)
    const waiting = yield* Effect.flip(metered(Effect.void))
    assert.strictEqual(
      waiting.text,
      "quota used up: the vendor says so, though it accepted no call today, resets at 2026-03-10T17:00:00.000Z"
    )
    yield* TestClock.setTime(NOON + HOUR)
    const answer = yield* Deferred.make<void>()
    const trial = yield* Effect.forkChild(metered(Deferred.await(answer)))
    yield* TestClock.adjust("1 second")
    assert.include((yield* Effect.flip(metered(Effect.void))).text, "resets at 2026-03-10T18:00:00.000Z")
    yield* Deferred.succeed(answer, undefined)
    yield* Fiber.join(trial)
    yield* metered(Effect.void)
    assert.strictEqual(yield* quota.used("key", limits), 2)
  }).pipe(Effect.provide(Memory.layerMemory)))

it.effect("a ban of an hour ends after an hour, however often it is run into", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(NOON)
    yield* (yield* Quota).close("key", NOON + 3_600_000, "banned")
    for (let times = 0; times < 3; times++) {
      const { text } = yield* Effect.flip(metered(Effect.void))
      assert.strictEqual(text, "quota used up: banned, resets at 2026-03-10T17:00:00.000Z")
    }
    yield* TestClock.setTime(NOON + 3_600_000)
    yield* metered(Effect.void)
  }).pipe(Effect.provide(Memory.layerMemory)))

it.effect("a call that was told to wait makes everybody wait", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(NOON)
    const throttled = new MarketData.Throttled({ text: "slow down", retryAfterMillis: 30_000 })
    yield* Effect.flip(metered(Effect.fail(throttled)))
    assert.strictEqual(yield* (yield* Quota).reserve("key", limits, 1), NOON + 30_000)
  }).pipe(Effect.provide(Memory.layerMemory)))
