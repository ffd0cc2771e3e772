/**
 * `adjusted_bars` [symbol x session]: a session's bars as they compare with today's, in Parquet beside the raw ones. A new
 * split or dividend rewrites every session before it; that is why the raw bars are what is staged.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Adjustment from "../layers/bars/Adjustment.ts"
import * as Bars from "../layers/bars/Bars.ts"
import { ObjectStore, segment } from "../layers/lake/ObjectStore.ts"
import * as Parquet from "../layers/lake/Parquet.ts"
import { BarStore } from "../layers/staging/BarStore.ts"
import * as Asset from "../runtime/asset/Asset.ts"
import * as PartitionMapping from "../runtime/partition/PartitionMapping.ts"
import { session, symbol } from "./dimensions.ts"
import { priceFactors } from "./priceFactors.ts"
import { stagedBars } from "./stagedBars.ts"

export const AdjustedFile = Schema.Struct({
  key: Schema.String,
  rows: Schema.Finite,
  /** 0 when there is no file. */
  bytes: Schema.Finite,
  contentHash: Schema.String
})

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
    output: AdjustedFile,
    dataVersion: "contentHash",
    codeVersion: Effect.map(ObjectStore, ({ location }) => `1 in ${location}`),
    timeout: "5 minutes",
    batch: { max: 32, by: ({ symbol }: { readonly symbol: string }) => symbol }
  },
  Effect.fn("adjusted_bars")(function*({ items }) {
    const lake = yield* ObjectStore
    const staged = yield* (yield* BarStore).read(items.map(({ partition }) => partition))
    const publish = Effect.fnUntraced(function*(item: (typeof items)[number], raw: Bars.Bars) {
      const { factors, partition, staged: { interval, source } } = item
      const key = keyOf(partition)
      const bars = Adjustment.apply(raw, Adjustment.factorOf(factors.rows, partition.session))
      const contentHash = Bars.contentHash(bars)
      if (bars.length === 0) {
        yield* lake.remove(key)
        return { key, rows: 0, bytes: 0, contentHash }
      }
      const bytes = Parquet.encode(bars, { source, interval, ...partition, contentHash })
      yield* lake.put(key, bytes)
      return { key, rows: bars.length, bytes: bytes.byteLength, contentHash }
    })
    return yield* Effect.forEach(items, (item, at) => Effect.result(publish(item, staged[at]!)))
  })
)
