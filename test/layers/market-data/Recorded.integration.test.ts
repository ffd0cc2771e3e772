import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Actions from "../../../src/layers/market-data/alpha-vantage/Actions.ts"
import * as AlphaVantage from "../../../src/layers/market-data/AlphaVantage.ts"
import { CorporateActions } from "../../../src/layers/market-data/CorporateActions.ts"
import { MarketData } from "../../../src/layers/market-data/MarketData.ts"
import * as QuotaMemory from "../../../src/layers/market-data/quota/Memory.ts"
import { Reference } from "../../../src/layers/market-data/Reference.ts"
import * as ReplayServer from "../../support/ReplayServer.ts"

const apiKey = Redacted.make("SECRETKEY1234567")

type Options = Omit<AlphaVantage.Options, "apiKey" | "baseUrl">

const asked = (symbol: string, month: string, options: Options) =>
  Effect.gen(function*() {
    const { baseUrl, calls } = yield* ReplayServer.serve
    const got = yield* Effect.gen(function*() {
      const source = yield* MarketData
      const payload = yield* source.fetchMonth({ symbol, month })
      return { payload, decoded: source.decode(payload.format, payload.bytes), source }
    }).pipe(Effect.provide(
      AlphaVantage.layer({ apiKey, baseUrl, limits: {}, ...options }).pipe(Layer.provide(QuotaMemory.layerMemory))
    ))
    return { ...got, calls }
  })

const refused = (symbol: string, month: string, options: Options) =>
  Effect.map(Effect.flip(asked(symbol, month, options)), ({ reason }) => reason)

describe("recorded answers, byte for byte, through the real client", () => {
  it.live("an intraday month of 2018, whose labels name the end of a bar", () =>
    Effect.gen(function*() {
      const { decoded, payload } = yield* asked("MSFT", "2018-04", { interval: "15min" })
      assert.deepStrictEqual(Buffer.from(payload.bytes), ReplayServer.recorded("15min-full-2018.json"))
      assert.strictEqual(payload.format, "alpha-vantage/intraday-json")
      assert.deepStrictEqual([decoded.complete, decoded.labels, decoded.rejects], [true, "end", []])
      // The vendor's label is 15:30; New York was at UTC-4.
      assert.strictEqual(decoded.sessions.at(-1)!.bars.ts.at(-1), Date.parse("2018-04-11T19:15:00Z"))
    }))

  it.live("a hundred rows for a whole month are a downgrade, in JSON and in CSV", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* refused("MSFT", "2017-12", { interval: "1min" }))._tag, "Downgraded")
      assert.strictEqual((yield* refused("IBM", "2026-10", { interval: "5min" }))._tag, "Downgraded")
      assert.strictEqual((yield* refused("IBM", "2026-05", { interval: "5min", dataType: "csv" }))._tag, "Downgraded")
    }))

  it.live("an answer for another month or symbol is none", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* refused("MSFT", "2018-03", { interval: "15min" }))._tag, "Mismatched")
      assert.strictEqual((yield* refused("IBM", "2026-04", { interval: "5min", dataType: "csv" }))._tag, "Mismatched")
      assert.strictEqual((yield* refused("NONE", "2018-04", { interval: "15min" }))._tag, "InvalidRequest")
    }))

  it.live("the months of a daily series share one call, and those before it are not to be had", () =>
    Effect.gen(function*() {
      const { baseUrl, calls } = yield* ReplayServer.serve
      yield* Effect.gen(function*() {
        const source = yield* MarketData
        const months = ["2018-08", "2018-07", "2018-04"]
        const payloads = yield* Effect.forEach(
          months,
          (month) => source.fetchMonth({ symbol: "MSFT", month }),
          { concurrency: 3 }
        )
        assert.strictEqual(calls.length, 1)
        assert.strictEqual(calls[0]!.searchParams.get("outputsize"), "compact")
        const decoded = source.decode(payloads[0]!.format, payloads[0]!.bytes)
        assert.strictEqual(decoded.sessions.length, 100)
        assert.isFalse(decoded.complete)
        assert.deepStrictEqual(decoded.sessions.at(-1)!.session, "2018-08-16")
        assert.strictEqual(decoded.sessions.at(-1)!.bars.ts[0], Date.parse("2018-08-16T04:00:00Z"))
        assert.strictEqual(decoded.sessions.at(-1)!.bars.close[0], 107.64)
        const { reason } = yield* Effect.flip(source.fetchMonth({ symbol: "MSFT", month: "2018-02" }))
        assert.strictEqual(reason._tag, "NotEntitled")
        assert.include(reason.text, `set BAROGRAPH_START to ${decoded.sessions[0]!.session}`)
      }).pipe(Effect.provide(
        AlphaVantage.layer({ apiKey, baseUrl, interval: "1day" }).pipe(Layer.provide(QuotaMemory.layerMemory))
      ))
    }))

  it.live("splits and dividends", () =>
    Effect.gen(function*() {
      const { baseUrl } = yield* ReplayServer.serve
      yield* Effect.gen(function*() {
        const { dividends, splits } = yield* (yield* CorporateActions).fetch("IBM")
        assert.deepStrictEqual(splits, [{ date: "1999-05-27", factor: 2 }, { date: "2021-11-04", factor: 1.046 }])
        assert.deepStrictEqual(dividends.at(-1), { date: "2026-05-08", amount: 1.69 })
        const failed = yield* Effect.flip((yield* CorporateActions).fetch("NONE"))
        assert.match(failed.message, /^alpha_vantage NONE splits: InvalidRequest: Invalid API call/)
      }).pipe(
        Effect.provide(Actions.layer({ apiKey, baseUrl, limits: {} }).pipe(Layer.provide(QuotaMemory.layerMemory)))
      )
    }))

  it.live("listings and market hours", () =>
    Effect.gen(function*() {
      const { baseUrl } = yield* ReplayServer.serve
      yield* Effect.gen(function*() {
        const reference = yield* Reference
        const listings = yield* reference.listings("active")
        assert.deepStrictEqual([listings.rows.length, listings.rejects], [39, []])
        assert.deepStrictEqual(listings.rows[0], {
          symbol: "-P-HIZ",
          name: "Presurance Holdings Inc",
          exchange: "NASDAQ",
          assetType: "Stock",
          ipoDate: "2023-08-30",
          delistingDate: null,
          status: "Active"
        })
        const markets = yield* reference.markets
        assert.isAbove(markets.rows.length, 5)
        assert.deepInclude(markets.rows[0], { region: "United States", open: "09:30" })
        const failed = yield* Effect.flip(reference.listings("delisted", "2014-07-10"))
        assert.match(failed.message, /^alpha_vantage: InvalidRequest: Invalid API call/)
      }).pipe(Effect.provide(
        AlphaVantage.layerReference({ apiKey, baseUrl, limits: {} }).pipe(Layer.provide(QuotaMemory.layerMemory))
      ))
    }))
})
