/** `redshift_bars` [symbol x session]: the warehouse's rows of a session. Reads staging only, never the lake. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Bars from "../layers/bars/Bars.ts"
import { BarStore } from "../layers/staging/BarStore.ts"
import { Warehouse } from "../layers/warehouse/Warehouse.ts"
import * as Asset from "../runtime/asset/Asset.ts"
import { session, symbol } from "./dimensions.ts"
import { whileRetryable } from "./retry.ts"
import { stagedBars } from "./stagedBars.ts"

export const LoadedSession = Schema.Struct({
  rows: Schema.Finite,
  inserted: Schema.Finite,
  deleted: Schema.Finite,
  contentHash: Schema.String
})

export const redshiftBars = Asset.make(
  "redshift_bars",
  {
    description: "A session's bars in the warehouse",
    group: "bars",
    kinds: ["redshift"],
    partitions: { symbol, session },
    deps: { staged: stagedBars },
    output: LoadedSession,
    dataVersion: "contentHash",
    // Another warehouse holds nothing yet.
    codeVersion: Effect.map(Warehouse, ({ location }) => `1 in ${location}`),
    retry: whileRetryable,
    timeout: "10 minutes",
    batch: { max: 64 }
  },
  Effect.fn("redshift_bars")(function*({ items }) {
    const warehouse = yield* Warehouse
    const staged = yield* (yield* BarStore).read(items.map(({ partition }) => partition))
    const hashes = staged.map(Bars.contentHash)
    const loaded = yield* warehouse.replace(items.map(({ partition, staged: { interval, source } }, at) => ({
      source,
      interval,
      ...partition,
      bars: staged[at]!,
      contentHash: hashes[at]!
    })))
    return loaded.map((counts, at) => Result.succeed({ ...counts, contentHash: hashes[at]! }))
  })
)
