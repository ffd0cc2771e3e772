import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as MarketData from "../../../src/layers/market-data/MarketData.ts"
import * as Metered from "../../../src/layers/market-data/Metered.ts"
import { Quota } from "../../../src/layers/market-data/Quota.ts"
import * as Memory from "../../../src/layers/market-data/quota/Memory.ts"

const limits = { perDay: 25, resetZone: "America/New_York" }
const NOON = Date.parse("2026-03-10T16:00:00Z")

const metered = Metered.call("key", limits, 1)

it.effect("a vendor that says the day is used up is believed until its midnight, and asked nothing before", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(NOON)
    let calls = 0
    const call = metered(Effect.suspend(() => {
      calls++
      return Effect.fail(new MarketData.QuotaExhausted({ text: "25 requests per day" }))
    }))
    assert.strictEqual((yield* Effect.flip(call)).text, "25 requests per day")
    const again = yield* Effect.flip(call)
    assert.strictEqual(again.text, "quota used up: the vendor says so, resets at 2026-03-11T04:00:00.000Z")
    yield* TestClock.setTime(Date.parse("2026-03-11T04:00:01Z"))
    yield* Effect.flip(call)
    assert.strictEqual(calls, 2)
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
