import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { Quota } from "../src/layers/market-data/Quota.ts"
import * as Account from "../src/layers/market-data/quota/Account.ts"
import * as Forecast from "../src/layers/market-data/quota/Forecast.ts"
import * as Memory from "../src/layers/market-data/quota/Memory.ts"
import type { Source } from "../src/layers/settings/SourceSettings.ts"
import * as Sources from "../src/source.ts"

const limits = { perSecond: 1, perDay: 25, resetZone: "America/New_York" }

const free: Source = {
  _tag: "AlphaVantage",
  apiKey: Redacted.make("KEY"),
  url: undefined,
  interval: "1day",
  adjusted: false,
  hours: "extended",
  dataType: "json",
  entitlement: undefined,
  isFree: true,
  limits
}

it.effect("a plan is told what fits into what is left of the day's quota", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-03-10T16:00:00Z"))
    yield* (yield* Quota).reserve(Account.name("alpha_vantage", "KEY"), limits, 5)
    const forecast = yield* Sources.forecast(free, 40)
    assert.strictEqual(
      Forecast.text(forecast!),
      "20 of 40 calls fit into today's quota; at this pace the rest is done on 2026-03-11"
    )
    assert.isUndefined(yield* Sources.forecast({ _tag: "Sample" }, 40))
  }).pipe(Effect.provide(Memory.layerMemory)))
