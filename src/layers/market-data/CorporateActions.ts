/** Splits and dividends of a symbol, all that the source knows. Without them raw prices of different years do not compare. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Actions } from "../bars/Adjustment.ts"
import type { MarketDataError } from "./MarketData.ts"

export class CorporateActions extends Context.Service<CorporateActions, {
  /** What changes the answer, as one line. No secret in it. */
  readonly fingerprint: string
  /** Ascending by date. */
  readonly fetch: (symbol: string) => Effect.Effect<Actions, MarketDataError>
}>()("barograph/layers/market-data/CorporateActions") {}

const none: Actions = { splits: [], dividends: [] }

/** Fixed ones by symbol: of the sample, of tests; empty for what pays no dividends. */
export const layerOf = (fingerprint: string, known: ReadonlyMap<string, Actions>): Layer.Layer<CorporateActions> =>
  Layer.succeed(CorporateActions, {
    fingerprint,
    fetch: (symbol) => Effect.sync(() => known.get(symbol) ?? none)
  })

/** The only event on a session of the sample; see `sample/README.md`. */
export const layerSample = layerOf(
  "sample",
  new Map([["AAPL", { splits: [{ date: "2014-06-09", factor: 7 }], dividends: [] }]])
)

export const layerNone = layerOf("none", new Map())
