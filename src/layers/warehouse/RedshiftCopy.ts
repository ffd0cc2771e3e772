/**
 * Rows on their way through S3: objects under a prefix of their own, and a manifest that names them, for one COPY.
 *
 * They are CSV in zstd. COPY reads Parquet through Spectrum: from buckets of its own region only, columns by position and
 * of exactly the table's types (a volume that is whole in one file and not in the next would not do), without saying which
 * row it cannot read. Rows go straight into `bars`, so they have its columns.
 *
 * The prefix is removed when the load is over, however it ends. What killed processes leave is removed by a load of another
 * day: the prefix begins with its time. A statement that still needed it fails, as the manifest says that it must.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Zlib from "node:zlib"
import * as RealTime from "../database/RealTime.ts"
import type { ObjectStore, ObjectStoreError } from "../lake/ObjectStore.ts"
import * as Literal from "./Literal.ts"
import * as RedshiftSql from "./RedshiftSql.ts"
import { type CopySource, fixOfCopy } from "./RedshiftTarget.ts"
import type { LoadPartition } from "./Warehouse.ts"
import { NotCopied } from "./WarehouseReason.ts"

/** A bucket to load through, and what writes to it. */
export interface Bucket extends CopySource {
  readonly store: ObjectStore["Service"]
}

const DAY = 86_400_000
const IN_FLIGHT = 4

/** The rows of whole partitions, at most `rows` of them where a partition has no more: which go into which object. */
export const objects = (
  partitions: ReadonlyArray<LoadPartition>,
  rows: number
): ReadonlyArray<{ readonly first: number; readonly end: number }> => {
  const cut: Array<{ readonly first: number; readonly end: number }> = []
  let [first, held] = [0, 0]
  for (const [part, { bars }] of partitions.entries()) {
    if (held > 0 && held + bars.length > rows) {
      cut.push({ first, end: part })
      ;[first, held] = [part, 0]
    }
    held += bars.length
  }
  return [...cut, { first, end: partitions.length }]
}

const TWO_DIGITS = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, "0"))

/** `2024-03-05 14:30:00`, which COPY reads unasked; with milliseconds where there are any. `date` is that of `midnight`. */
const timestamp = (epochMillis: number, midnight: number, date: string): string => {
  const seconds = (epochMillis - midnight) / 1000
  if (!Number.isInteger(seconds)) return Literal.timestamp(epochMillis)
  const minutes = Math.floor(seconds / 60)
  return `${date} ${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[seconds % 60]}`
}

/** The columns of `bars`. */
const csv = (partitions: ReadonlyArray<LoadPartition>, first: number, end: number, now: number): string => {
  const loadedAt = Literal.timestamp(now)
  let text = ""
  let [midnight, date] = [NaN, ""]
  for (let part = first; part < end; part++) {
    const { bars, interval, session, source, symbol } = partitions[part]!
    const { close, high, length, low, open, ts, volume } = bars
    const head = `${Literal.quoted(source)},${Literal.quoted(symbol)},${Literal.quoted(interval)}`
    const tail = `${session},${loadedAt}\n`
    for (let at = 0; at < length; at++) {
      if (!(ts[at]! >= midnight && ts[at]! < midnight + DAY)) {
        midnight = Math.floor(ts[at]! / DAY) * DAY
        date = new Date(midnight).toISOString().slice(0, 10)
      }
      text += `${head},${timestamp(ts[at]!, midnight, date)},${Literal.digits(open[at]!)},${
        Literal.digits(high[at]!)
      },${Literal.digits(low[at]!)},${Literal.digits(close[at]!)},${Literal.digits(volume[at]!)},${tail}`
    }
  }
  return text
}

const compressed = (text: string): Effect.Effect<Uint8Array> =>
  Effect.callback((resume) =>
    Zlib.zstdCompress(text, (error, bytes) => resume(error === null ? Effect.succeed(bytes) : Effect.die(error)))
  )

const urlOf = ({ bucket }: CopySource, key: string): string =>
  `s3://${bucket.bucket}/${bucket.prefix === "" ? "" : `${bucket.prefix}/`}${key}`

/** Writes the rows and answers the manifest's URL. All of it is removed with the scope. */
export const upload = Effect.fnUntraced(
  function*(
    bucket: Bucket,
    load: Pick<RedshiftSql.Load, "now" | "partitions" | "schema">,
    objectRows: number
  ) {
    const { now, partitions } = load
    const { store } = bucket
    const prefix = `${stamp(now)}-${RedshiftSql.loadId(load, yield* Random.nextInt)}`
    const parts = objects(partitions, objectRows).map((cut, at) => ({ ...cut, key: `${prefix}/${at}.csv.zst` }))
    const manifest = `${prefix}/manifest`
    yield* Effect.addFinalizer(() => removed(store, [manifest, ...parts.map(({ key }) => key)], now))
    yield* Effect.forEach(
      parts,
      ({ end, first, key }) =>
        Effect.flatMap(
          Effect.suspend(() => compressed(csv(partitions, first, end, now))),
          (bytes) => store.put(key, bytes)
        ),
      { concurrency: IN_FLIGHT, discard: true }
    )
    const entries = parts.map(({ key }) => ({ url: urlOf(bucket, key), mandatory: true }))
    yield* store.put(manifest, new TextEncoder().encode(JSON.stringify({ entries })))
    return urlOf(bucket, manifest)
  },
  Effect.mapError(told),
  RealTime.keep
)

/** The load is over whether this succeeds or not, and a bucket that does not answer must not hold it up. */
const removed = (store: ObjectStore["Service"], own: ReadonlyArray<string>, now: number): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* Effect.forEach(own, (key) => store.remove(key), { concurrency: IN_FLIGHT, discard: true })
    const old = (yield* store.list("")).filter((key) => isLeftover(key, now))
    yield* Effect.forEach(old, (key) => store.remove(key), { concurrency: IN_FLIGHT, discard: true })
  }).pipe(Effect.interruptible, Effect.timeout("30 seconds"), Effect.catch(warned), RealTime.keep)

/** In a line: the load itself says what is wrong with the bucket. */
const warned = (error: ObjectStoreError | Cause.TimeoutError) => {
  const why = error._tag === "TimeoutError" ? "no answer in time" : `${error.what}; fix: ${told(error).fix}`
  return Effect.logWarning(`objects stay below the copy= of BAROGRAPH_WAREHOUSE until a load of another day: ${why}`)
}

/** Of a day ago or more. Clocks may differ: what is removed too early makes its load fail, and changes nothing. */
const isLeftover = (key: string, now: number): boolean => {
  const [, time] = /^(\d{8}T\d{6}Z)-[0-9a-f]{32}\//.exec(key) ?? []
  return time !== undefined && time <= stamp(now - DAY)
}

/** `20240305T143000Z`: in order of time as text. */
const stamp = (epochMillis: number): string =>
  `${new Date(epochMillis).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`

function told(error: ObjectStoreError): NotCopied {
  return new NotCopied({ text: error.what, fix: fixOfCopy(error.fix), retryable: error.retryable })
}
