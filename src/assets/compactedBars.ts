/**
 * Larger files for readers of many sessions, made of the lake's own files: `bars_by_month` [symbol x month] and
 * `bars_by_date` [session], one of them where the layout asks for it. Only what contains a changed session is made anew.
 */
import * as Effect from "effect/Effect"
import * as Crypto from "node:crypto"
import * as Bars from "../layers/bars/Bars.ts"
import * as Layout from "../layers/lake/Layout.ts"
import { ObjectStore } from "../layers/lake/ObjectStore.ts"
import { fingerprint, ParquetFormat } from "../layers/lake/ParquetFormat.ts"
import * as ParquetReader from "../layers/lake/ParquetReader.ts"
import * as Publication from "../layers/lake/Publication.ts"
import * as Asset from "../runtime/asset/Asset.ts"
import * as PartitionMapping from "../runtime/partition/PartitionMapping.ts"
import { barsParquet } from "./barsParquet.ts"
import { month, session, symbol } from "./dimensions.ts"
import { whileRetryable } from "./retry.ts"

interface SessionFile {
  readonly partition: { readonly symbol: string; readonly session: string }
  readonly output: typeof Publication.Published.Type
}

const sessionBars = Effect.fnUntraced(function*({ output, partition: { session, symbol } }: SessionFile) {
  const bars = yield* ParquetReader.decode(yield* (yield* ObjectStore).get(output.key))
  return { symbol, date: session, bars, contentHash: Bars.contentHash(bars) }
})

/** What distinguishes the sessions of one file is a column of it. */
const compact = Effect.fnUntraced(function*(
  key: string,
  files: ReadonlyArray<SessionFile>,
  column: "symbol" | "date"
) {
  const store = yield* ObjectStore
  const filled = files.filter(({ output }) => output.rows > 0)
  const read = Effect.map(Effect.forEach(filled, sessionBars, { concurrency: 8 }), (sessions) => {
    const sorted = sessions.toSorted((a, b) => a[column] < b[column] ? -1 : 1)
    const hash = Crypto.createHash("sha256")
    for (const { contentHash, date, symbol } of sorted) hash.update(`${symbol}\0${date}\0${contentHash}\n`)
    return [{
      key,
      parts: sorted.map(({ bars, [column]: value }) => ({ [column]: value, bars })),
      contentHash: hash.digest("hex").slice(0, 32),
      meta: { files: String(sorted.length) }
    }]
  })
  const [outcome] = yield* Publication.publish(store, [key], () => read)
  return yield* Effect.fromResult(outcome!)
})

const options = {
  group: "bars",
  kinds: ["parquet"],
  output: Publication.Published,
  dataVersion: "contentHash",
  codeVersion: Effect.gen(function*() {
    return `${fingerprint(yield* ParquetFormat)} in ${(yield* ObjectStore).location}`
  }),
  retry: whileRetryable,
  timeout: "10 minutes"
} as const

export const barsByMonth = Asset.make(
  "bars_by_month",
  {
    ...options,
    description: "A month's sessions of a symbol in one file",
    partitions: { symbol, month },
    deps: {
      files: Asset.mapped(barsParquet, {
        symbol: PartitionMapping.from("symbol"),
        session: PartitionMapping.within("month")
      })
    }
  },
  ({ files, partition: { month, symbol } }) => compact(Layout.monthKey(symbol, month), files, "date")
)

export const barsByDate = Asset.make(
  "bars_by_date",
  {
    ...options,
    description: "A session of all symbols in one file",
    partitions: { session },
    deps: {
      files: Asset.mapped(barsParquet, { symbol: PartitionMapping.all, session: PartitionMapping.from("session") })
    }
  },
  ({ files, partition: { session } }) => compact(Layout.dateKey(session), files, "symbol")
)
