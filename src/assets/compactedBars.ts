/**
 * Larger files for readers of many sessions, made of the lake's own files: `bars_by_month` [symbol x month] and
 * `bars_by_date` [session], one of them where the layout asks for it. Only what contains a changed session is made anew.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
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

/** A file to be, and the sessions that it is made of. */
interface Compacted {
  readonly key: string
  readonly files: ReadonlyArray<SessionFile>
}

/** A session's file is not there, or not as it was published; `message` says what brings it back. */
class SessionFileError extends Schema.TaggedError<SessionFileError>()("SessionFileError", { message: Schema.String }) {}

const sessionBars = Effect.fnUntraced(function*({ output: { key }, partition: { session, symbol } }: SessionFile) {
  const again = `materialize --asset bars_parquet --partition symbol=${symbol},session=${session} --force`
  const lost = (what: string) => new SessionFileError({ message: `${key} is ${what}${again}` })
  const bytes = yield* (yield* ObjectStore).get(key).pipe(
    Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.fail(lost("not there; fix: ")))
  )
  const bars = yield* Effect.catch(
    ParquetReader.decodePublished(bytes, { session, symbol }),
    () => Effect.fail(lost("not what was published; fix: remove it, then "))
  )
  return { symbol, date: session, bars, contentHash: Bars.contentHash(bars) }
})

/** What distinguishes the sessions of one file is a column of it. */
const fileOf = Effect.fnUntraced(function*({ files, key }: Compacted, column: "symbol" | "date") {
  const filled = files.filter(({ output }) => output.rows > 0)
  const sessions = yield* Effect.forEach(filled, sessionBars, { concurrency: 8 })
  const sorted = sessions.toSorted((a, b) => a[column] < b[column] ? -1 : 1)
  const hash = Crypto.createHash("sha256")
  for (const { contentHash, date, symbol } of sorted) hash.update(`${symbol}\0${date}\0${contentHash}\n`)
  return {
    key,
    parts: sorted.map(({ bars, [column]: value }) => ({ [column]: value, bars })),
    contentHash: hash.digest("hex").slice(0, 32),
    meta: { files: String(sorted.length) }
  }
})

/** Each by itself, so that the rows of a few files are in memory, whatever the size of the batch. */
const compact = Effect.fnUntraced(function*(wanted: ReadonlyArray<Compacted>, column: "symbol" | "date") {
  const store = yield* ObjectStore
  const publish = Effect.fnUntraced(function*(one: Compacted) {
    const made = Effect.map(fileOf(one, column), (file) => [file])
    const [outcome] = yield* Publication.publish(store, [one.key], () => made)
    return yield* Effect.fromResult(outcome!)
  })
  return yield* Effect.forEach(wanted, (one) => Effect.result(publish(one)), { concurrency: 4 })
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
        session: PartitionMapping.overlapping("month", { missing: "skip" })
      })
    },
    batch: { max: 12, by: ({ symbol }: { readonly symbol: string }) => symbol }
  },
  ({ items }) =>
    compact(
      items.map(({ files, partition: { month, symbol } }) => ({ key: Layout.monthKey(symbol, month), files })),
      "date"
    )
)

export const barsByDate = Asset.make(
  "bars_by_date",
  {
    ...options,
    description: "A session of all symbols in one file",
    partitions: { session },
    deps: {
      files: Asset.mapped(barsParquet, { symbol: PartitionMapping.all, session: PartitionMapping.from("session") })
    },
    // The calendar is longer than any symbol's life: sessions without a file are many, and quick.
    batch: { max: 64 }
  },
  ({ items }) =>
    compact(items.map(({ files, partition: { session } }) => ({ key: Layout.dateKey(session), files })), "symbol")
)
