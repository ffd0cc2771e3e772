/** `bars_parquet` [symbol x session]: one Parquet file per session in Hive layout; a session without bars has none. */
import * as Effect from "effect/Effect"
import * as Bars from "../layers/bars/Bars.ts"
import * as Layout from "../layers/lake/Layout.ts"
import { ObjectStore } from "../layers/lake/ObjectStore.ts"
import { fingerprint, ParquetFormat } from "../layers/lake/ParquetFormat.ts"
import * as Publication from "../layers/lake/Publication.ts"
import { BarStore } from "../layers/staging/BarStore.ts"
import * as Asset from "../runtime/asset/Asset.ts"
import { session, symbol } from "./dimensions.ts"
import { whileRetryable } from "./retry.ts"
import { stagedBars } from "./stagedBars.ts"

export const barsParquet = Asset.make(
  "bars_parquet",
  {
    description: "A session's bars as Parquet in the lake",
    group: "bars",
    kinds: ["parquet"],
    partitions: { symbol, session },
    deps: { staged: stagedBars },
    output: Publication.Published,
    dataVersion: "contentHash",
    // Another lake holds nothing yet, and files in another format are written anew.
    codeVersion: Effect.gen(function*() {
      return `${fingerprint(yield* ParquetFormat)} in ${(yield* ObjectStore).location}`
    }),
    retry: whileRetryable,
    timeout: "5 minutes",
    batch: { max: 32, by: ({ symbol }: { readonly symbol: string }) => symbol }
  },
  Effect.fn("bars_parquet")(function*({ items }) {
    const store = yield* BarStore
    const keys = items.map(({ partition }) => Layout.sessionKey(partition.symbol, partition.session))
    return yield* Publication.publish(
      yield* ObjectStore,
      keys,
      (asked) =>
        Effect.map(store.read(asked.map((at) => items[at]!.partition)), (staged) =>
          staged.map((bars, place) => {
            const at = asked[place]!
            const { partition, staged: { interval, source } } = items[at]!
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
