/**
 * `price_factors` [symbol]: by what the bars of each time are adjusted. A step of its own, so that a session that changes
 * leaves the others' adjusted bars alone as long as it does not change a factor.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Crypto from "node:crypto"
import * as Adjustment from "../layers/bars/Adjustment.ts"
import * as BarInterval from "../layers/bars/BarInterval.ts"
import { MarketData } from "../layers/market-data/MarketData.ts"
import * as Asset from "../runtime/asset/Asset.ts"
import * as PartitionMapping from "../runtime/partition/PartitionMapping.ts"
import { corporateActions } from "./corporateActions.ts"
import { symbol } from "./dimensions.ts"
import { sessionBars } from "./sessionBars.ts"

/** A dividend is taken off the close of the session before it, and a week may hold both sides of a split. */
class PeriodsNotAdjusted extends Schema.TaggedError<PeriodsNotAdjusted>()("PeriodsNotAdjusted", {
  interval: Schema.String
}) {
  override get message(): string {
    return `${this.interval} bars cannot be adjusted here: a split or dividend falls inside of them. ` +
      "Set BAROGRAPH_ADJUSTED=true for the vendor's adjustment, or BAROGRAPH_INTERVAL=1day"
  }
}

export const PriceFactors = Schema.Struct({
  rows: Schema.Array(Schema.Struct({ before: Schema.String, price: Schema.Finite, shares: Schema.Finite })),
  /** Ex-dates of dividends that could not be adjusted: no close before them is staged. */
  unadjusted: Schema.Array(Schema.String),
  contentHash: Schema.String
})

export const priceFactors = Asset.make(
  "price_factors",
  {
    description: "By what a symbol's bars are adjusted for splits and dividends",
    group: "derived",
    kinds: ["json"],
    partitions: { symbol },
    deps: {
      actions: corporateActions,
      days: Asset.mapped(sessionBars, { symbol: PartitionMapping.from("symbol"), session: PartitionMapping.all })
    },
    output: PriceFactors,
    dataVersion: "contentHash"
  },
  Effect.fn("price_factors")(function*({ actions, days }) {
    const { interval } = yield* MarketData
    if (BarInterval.periodOf(interval) !== undefined) return yield* new PeriodsNotAdjusted({ interval })
    const closes = days.flatMap(({ output: { close }, partition: { session } }) =>
      close === null ? [] : [{ session, close }]
    ).sort((a, b) => a.session < b.session ? -1 : 1)
    const factors = Adjustment.factors(actions, closes)
    const contentHash = Crypto.createHash("sha256").update(JSON.stringify(factors)).digest("hex").slice(0, 32)
    return { ...factors, contentHash }
  })
)
