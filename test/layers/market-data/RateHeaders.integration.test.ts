import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { allocate } from "../../../src/layers/bars/Bars.ts"
import { MarketData } from "../../../src/layers/market-data/MarketData.ts"
import { Quota } from "../../../src/layers/market-data/Quota.ts"
import * as QuotaMemory from "../../../src/layers/market-data/quota/Memory.ts"
import * as HttpServer from "../../support/HttpServer.ts"
import { request, type Vendor } from "../../support/SourceSuite.ts"
import { alpaca } from "../../support/vendors/Alpaca.ts"
import { binance } from "../../support/vendors/Binance.ts"

/** When the next call may start after an answer with these headers. */
const nextStart = (vendor: Vendor, headers: { readonly [name: string]: string }) =>
  Effect.gen(function*() {
    const { baseUrl } = yield* HttpServer.serve((url, given) => ({
      ...vendor.answer(url, allocate(0), given),
      headers
    }))
    return yield* Effect.gen(function*() {
      yield* (yield* MarketData).fetchMonth(request)
      return yield* (yield* Quota).reserve(vendor.account, vendor.limits, 1)
    }).pipe(Effect.provide(vendor.layer(baseUrl).pipe(Layer.provideMerge(QuotaMemory.layerMemory))))
  })

describe("rate headers", () => {
  it.live("of Alpaca: nobody calls before the reset once nothing is left", () =>
    Effect.gen(function*() {
      const reset = Math.ceil(Date.now() / 1000) + 60
      const used = { "x-ratelimit-limit": "200", "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(reset) }
      assert.strictEqual(yield* nextStart(alpaca, used), reset * 1000)
      assert.isBelow(yield* nextStart(alpaca, { ...used, "x-ratelimit-remaining": "1" }), reset * 1000)
    }))

  it.live("of Binance: nobody calls before the next minute once the weight is nearly used up", () =>
    Effect.gen(function*() {
      const start = yield* nextStart(binance, { "x-mbx-used-weight-1m": "5800" })
      assert.strictEqual(start % 60_000, 0)
      assert.isAbove(start, Date.now() - 60_000)
      const calm = yield* nextStart(binance, { "x-mbx-used-weight-1m": "100" })
      assert.isAtMost(calm, Date.now())
    }))
})
