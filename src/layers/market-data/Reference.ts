/** What is or was listed, and whether markets are open. Small answers, always whole. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { MarketDataError } from "./MarketData.ts"

/** Dates are `YYYY-MM-DD` of the exchange. */
const IsoDate = Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\d$/))

export const Listing = Schema.Struct({
  symbol: Schema.NonEmptyString,
  name: Schema.String,
  exchange: Schema.String,
  assetType: Schema.String,
  ipoDate: Schema.NullOr(IsoDate),
  delistingDate: Schema.NullOr(IsoDate),
  status: Schema.String
})
export type Listing = typeof Listing.Type

export const MarketStatus = Schema.Struct({
  type: Schema.String,
  region: Schema.String,
  exchanges: Schema.String,
  /** Local `HH:MM`. */
  open: Schema.String,
  close: Schema.String,
  status: Schema.String
})
export type MarketStatus = typeof MarketStatus.Type

/** Rows that could be read, in the order of the answer, and the text of those that could not. */
export interface Table<A> {
  readonly rows: ReadonlyArray<A>
  readonly rejects: ReadonlyArray<{ readonly reason: string; readonly raw: string }>
}

export class Reference extends Context.Service<Reference, {
  /** As of a date (after 2010-01-01), or of today. */
  readonly listings: (
    state: "active" | "delisted",
    date?: string
  ) => Effect.Effect<Table<Listing>, MarketDataError>
  readonly markets: Effect.Effect<Table<MarketStatus>, MarketDataError>
}>()("barograph/layers/market-data/Reference") {}
