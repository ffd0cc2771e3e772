/** `bars_parquet` [symbol x session]: one Parquet file per session in Hive layout; a session without bars has none. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Bars from "../layers/bars/Bars.ts"
import { ObjectStore } from "../layers/lake/ObjectStore.ts"
import * as Parquet from "../layers/lake/Parquet.ts"
import { BarStore } from "../layers/staging/BarStore.ts"
import * as Asset from "../runtime/asset/Asset.ts"
import { session, symbol } from "./dimensions.ts"
import { stagedBars } from "./stagedBars.ts"

export const ParquetFile = Schema.Struct({
  key: Schema.String,
  rows: Schema.Finite,
  /** 0 when there is no file. */
  bytes: Schema.Finite,
  contentHash: Schema.String
})

export const barsParquet = Asset.make(
  "bars_parquet",
  {
    description: "A session's bars as Parquet in the lake",
    group: "bars",
    kinds: ["parquet"],
    partitions: { symbol, session },
    deps: { staged: stagedBars },
    output: ParquetFile,
    dataVersion: "contentHash",
    // Another lake holds nothing yet.
    codeVersion: Effect.map(ObjectStore, ({ location }) => `1 in ${location}`),
    timeout: "5 minutes",
    batch: { max: 32, by: ({ symbol }: { readonly symbol: string }) => symbol }
  },
  Effect.fn("bars_parquet")(function*({ items }) {
    const lake = yield* ObjectStore
    const staged = yield* (yield* BarStore).read(items.map(({ partition }) => partition))
    const publish = Effect.fnUntraced(function*(item: (typeof items)[number], bars: Bars.Bars) {
      const { partition, staged: { interval, source } } = item
      const key = Parquet.key(partition.symbol, partition.session)
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
