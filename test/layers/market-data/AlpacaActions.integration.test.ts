import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Actions from "../../../src/layers/market-data/alpaca/Actions.ts"
import { CorporateActions } from "../../../src/layers/market-data/CorporateActions.ts"
import { Quota } from "../../../src/layers/market-data/Quota.ts"
import * as QuotaMemory from "../../../src/layers/market-data/quota/Memory.ts"
import * as HttpServer from "../../support/HttpServer.ts"
import { alpaca } from "../../support/vendors/Alpaca.ts"
import * as Vendor from "../../support/vendors/AlpacaActions.ts"

const [keyId, secretKey] = alpaca.secrets as [string, string]

const layer = (baseUrl: string) =>
  Actions.layer({
    keyId: Redacted.make(keyId),
    secretKey: Redacted.make(secretKey),
    baseUrl,
    timeout: "1 second",
    limits: alpaca.limits
  }).pipe(Layer.provideMerge(QuotaMemory.layerMemory))

/** What is found against a server that answers so. */
const against = <A, E>(
  handler: HttpServer.Handler,
  effect: (served: HttpServer.Served) => Effect.Effect<A, E, CorporateActions | Quota>
) =>
  Effect.gen(function*() {
    const served = yield* HttpServer.serve(handler)
    return yield* effect(served).pipe(Effect.provide(layer(served.baseUrl)))
  })

const ask = (symbol: string) => Effect.flatMap(CorporateActions, (actions) => actions.fetch(symbol))

const held: Vendor.Held = {
  forward_splits: [Vendor.split("AAPL", "2020-08-31", 4, 1), Vendor.split("NVDA", "2024-06-10", 10, 1)],
  reverse_splits: [Vendor.split("AAPL", "2019-01-02", 1, 8)],
  cash_dividends: [
    Vendor.dividend("AAPL", "2023-05-12", 0.24),
    Vendor.dividend("AAPL", "2020-02-07", 0.77),
    Vendor.dividend("AAPL", "2099-01-02", 1)
  ]
}

describe("Alpaca's corporate actions", () => {
  it.live("are a symbol's splits and dividends by date, from all pages, the coming ones left out", () =>
    against((url) => Vendor.answer(url, held), ({ calls }) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* ask("AAPL"), {
          splits: [{ date: "2019-01-02", factor: 1 / 8 }, { date: "2020-08-31", factor: 4 }],
          dividends: [{ date: "2020-02-07", amount: 0.77 }, { date: "2023-05-12", amount: 0.24 }]
        })
        assert.deepStrictEqual(calls.map(({ pathname }) => pathname), [
          "/v1/corporate-actions",
          "/v1/corporate-actions"
        ])
        assert.strictEqual(yield* (yield* Quota).used(alpaca.account, alpaca.limits), 2)
        assert.deepStrictEqual(yield* ask("MSFT"), { splits: [], dividends: [] })
      })))

  it.live("are not believed where a record cannot be read: every price before a lost split would be wrong", () => {
    const page = (actions: unknown) => JSON.stringify({ corporate_actions: actions, next_page_token: null })
    const split = Vendor.split("AAPL", "2020-08-31", 4, 1)
    const answers = [
      [page({ forward_splits: [{ ...split, new_rate: "4" }] }), "Unrecognised"],
      [page({ forward_splits: [{ ...split, old_rate: 0 }] }), "Unrecognised"],
      [page({ cash_dividends: [{ ...split, rate: 1, ex_date: "soon" }] }), "Unrecognised"],
      [page({ forward_splits: [{ ...split, symbol: "AAP" }] }), "Mismatched"],
      [page({ forward_splits: [split] }).slice(0, 60), "Unavailable"],
      [`{"corporate_actions":{},"next_page_token":"again"}`, "Unrecognised"],
      ["<html>busy</html>", "Unavailable"]
    ] as const
    return Effect.forEach(
      answers,
      ([body, means]) =>
        Effect.map(against(() => ({ body }), () => Effect.flip(ask("AAPL"))), ({ message, reason, symbol }) => {
          assert.deepStrictEqual([reason._tag, symbol], [means, "AAPL"], body)
          assert.notInclude(message, secretKey)
        }),
      { concurrency: "unbounded", discard: true }
    )
  }, 20_000)

  it.live("need the keys, and let them out nowhere", () =>
    Effect.gen(function*() {
      const said = `{"message":"key ${keyId} is not ${secretKey}"}`
      const { message, reason } = yield* against((_, headers) =>
        headers["apca-api-key-id"] === keyId && headers["apca-api-secret-key"] === secretKey
          ? { status: 403, body: said }
          : { status: 500, body: "no keys came" }, () =>
        Effect.flip(ask("AAPL")))
      assert.strictEqual(reason._tag, "Unauthorized")
      for (const secret of alpaca.secrets) {
        assert.notInclude(message, secret)
      }
    }))
})
