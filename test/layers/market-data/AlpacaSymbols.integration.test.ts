import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { MarketData } from "../../../src/layers/market-data/MarketData.ts"
import { Quota } from "../../../src/layers/market-data/Quota.ts"
import * as QuotaMemory from "../../../src/layers/market-data/quota/Memory.ts"
import * as HttpServer from "../../support/HttpServer.ts"
import { alpaca } from "../../support/vendors/Alpaca.ts"
import * as Vendor from "../../support/vendors/AlpacaSymbols.ts"

const START = Date.parse("2024-01-03T14:30:00Z")
const minutes = (count: number, close: number) =>
  Array.from({ length: count }, (_, at) => ({ ts: START + at * 60_000, close }))

const held = new Map([["AAPL", minutes(7, 185)], ["IBM", minutes(4, 160)], ["MSFT", minutes(6, 370)], ["ZZZ", []]])

const against = <A, E>(
  handler: HttpServer.Handler,
  effect: (served: HttpServer.Served) => Effect.Effect<A, E, MarketData | Quota>
) =>
  Effect.gen(function*() {
    const served = yield* HttpServer.serve(handler)
    const layer = alpaca.layer(served.baseUrl).pipe(Layer.provideMerge(QuotaMemory.layerMemory))
    return yield* effect(served).pipe(Effect.provide(layer))
  })

const ask = (...symbols: ReadonlyArray<string>) =>
  Effect.flatMap(MarketData, ({ fetchMonths }) => fetchMonths!(symbols, "2024-01"))

/** The closes of each symbol's payload, and whether it is complete; or the reason of its failure. */
const told = (...symbols: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { decode } = yield* MarketData
    const found = yield* ask(...symbols)
    return Object.fromEntries(Array.from(found, ([symbol, payload]) => {
      if (Result.isFailure(payload)) return [symbol, payload.failure.reason._tag]
      const { complete, rejects, sessions } = decode(payload.success.format, payload.success.bytes)
      assert.deepStrictEqual(rejects, [])
      return [symbol, [sessions.flatMap(({ bars }) => [...bars.close]), complete]]
    }))
  })

const whole = (symbol: string) => [held.get(symbol)!.map(({ close }) => close), true]

describe("Alpaca asked for several symbols", () => {
  it.live("gives each its own payload, whatever the borders of the pages, and counts the real calls", () =>
    Effect.forEach(
      [1, 3, 5, 7, 100],
      (size) =>
        against((url) => Vendor.answer(url, held, size), ({ calls }) =>
          Effect.gen(function*() {
            assert.deepStrictEqual(yield* told("MSFT", "ZZZ", "IBM", "AAPL"), {
              MSFT: whole("MSFT"),
              ZZZ: [[], false],
              IBM: whole("IBM"),
              AAPL: whole("AAPL")
            })
            assert.strictEqual(calls.length, Math.ceil(17 / size))
            assert.strictEqual(yield* (yield* Quota).used(alpaca.account, alpaca.limits), calls.length)
          })),
      { discard: true }
    ))

  it.live("lets an unknown symbol fail alone", () =>
    against((url) => Vendor.answer(url, held, 5), ({ calls }) =>
      Effect.gen(function*() {
        const found = yield* told("IBM", "1BM", "AAPL", "2BM")
        assert.deepStrictEqual(found, {
          "1BM": "InvalidRequest",
          "2BM": "InvalidRequest",
          IBM: whole("IBM"),
          AAPL: whole("AAPL")
        })
        assert.strictEqual(calls.length, 2 + 3)
      })))

  it.live("fails as a whole where no symbol is to blame, or another one answers", () =>
    Effect.gen(function*() {
      const reason = (handler: HttpServer.Handler) =>
        Effect.map(against(handler, () => Effect.flip(ask("IBM", "AAPL"))), ({ reason }) => reason._tag)
      const mixed = JSON.stringify({ bars: { IBM: [], TSLA: [] }, next_page_token: null })
      assert.strictEqual(yield* reason(() => ({ status: 403, body: "{}" })), "Unauthorized")
      assert.strictEqual(yield* reason(() => ({ status: 400, body: `{"message":"invalid start"}` })), "InvalidRequest")
      assert.strictEqual(yield* reason(() => ({ body: mixed })), "Mismatched")
    }))
})
