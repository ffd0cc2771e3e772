/**
 * `adjusted_bars` [symbol x session]: a session's bars as they compare with today's, in Parquet beside the raw ones. A new
 * split or dividend rewrites every session before it; that is why the raw bars are what is staged.
 */
import * as Effect from "effect/Effect"
import * as Adjustment from "../layers/bars/Adjustment.ts"
import * as Bars from "../layers/bars/Bars.ts"
import { ObjectStore, segment } from "../layers/lake/ObjectStore.ts"
import { fingerprint, ParquetFormat } from "../layers/lake/ParquetFormat.ts"
import * as Publication from "../layers/lake/Publication.ts"
import { BarStore } from "../layers/staging/BarStore.ts"
import * as Asset from "../runtime/asset/Asset.ts"
import * as PartitionMapping from "../runtime/partition/PartitionMapping.ts"
import { session, symbol } from "./dimensions.ts"
import { priceFactors } from "./priceFactors.ts"
import { whileRetryable } from "./retry.ts"
import { stagedBars } from "./stagedBars.ts"

const keyOf = ({ session, symbol }: { readonly symbol: string; readonly session: string }): string =>
  `adjusted_bars/symbol=${segment(symbol)}/date=${segment(session)}/bars.parquet`

export const adjustedBars = Asset.make(
  "adjusted_bars",
  {
    description: "A session's bars adjusted for splits and dividends, as Parquet in the lake",
    group: "derived",
    kinds: ["parquet"],
    partitions: { symbol, session },
    deps: {
      staged: stagedBars,
      factors: Asset.mapped(priceFactors, { symbol: PartitionMapping.from("symbol") })
    },
    output: Publication.Published,
    dataVersion: "contentHash",
    codeVersion: Effect.gen(function*() {
      return `${fingerprint(yield* ParquetFormat)} in ${(yield* ObjectStore).location}`
    }),
    retry: whileRetryable,
    timeout: "5 minutes",
    batch: { max: 32, by: ({ symbol }: { readonly symbol: string }) => symbol }
  },
  Effect.fn("adjusted_bars")(function*({ items }) {
    const store = yield* BarStore
    const keys = items.map(({ partition }) => keyOf(partition))
    return yield* Publication.publish(
      yield* ObjectStore,
      keys,
      (asked) =>
        Effect.map(store.read(asked.map((at) => items[at]!.partition)), (staged) =>
          staged.map((raw, place) => {
            const at = asked[place]!
            const { factors, partition, staged: { interval, source } } = items[at]!
            const bars = Adjustment.apply(raw, Adjustment.factorOf(factors.rows, partition.session))
            return {
              key: keys[at]!,
              parts: [{ bars }],
              contentHash: Bars.contentHash(bars),
              meta: { source, interval, ...partition }
            }
          }))
    )
  })
)
