/**
 * How a partition gets into the lake: one Parquet file at a fixed key, replaced as a whole.
 *
 * 1. Look: the file's footer says the content hash of its rows, how it was written, and its generation.
 * 2. Only then read what the file shall hold.
 * 3. Equal: nothing is written. Else write generation + 1, over the object that was seen and no other.
 * 4. Somebody else was quicker: from 1 again.
 *
 * Whoever writes generation n + 1 has read its rows after n was there, so rows never go back in time, whatever the
 * number of writers; a delayed request meets another etag. A write whose answer got lost is found in step 4 to be there.
 * What a file is said to be stands in the file alone: it can be copied between lakes, and a damaged one is replaced.
 *
 * Limit: nothing is left of a file that was removed, so of a removal and the first write of a partition, at the same
 * time, either may win. The engine runs no two steps of one partition at a time.
 */
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type ObjectStore, type ObjectStoreError, tail } from "./ObjectStore.ts"
import * as Parquet from "./Parquet.ts"
import { fingerprint, ParquetFormat } from "./ParquetFormat.ts"

type Store = ObjectStore["Service"]

/** What a partition shall hold; no rows, no file. */
export interface File {
  readonly key: string
  readonly parts: ReadonlyArray<Parquet.BarsPart>
  /** Names the rows: equal rows, equal hash. */
  readonly contentHash: string
  readonly meta: Parquet.Meta
}

/** As a materialization records it. */
export const Published = Schema.Struct({
  key: Schema.String,
  rows: Schema.Finite,
  /** 0 when there is no file. */
  bytes: Schema.Finite,
  contentHash: Schema.String
})

type Outcome = Result.Result<typeof Published.Type, ObjectStoreError | Parquet.ParquetError>

/** What was seen at a key. */
interface Held {
  readonly etag: string
  readonly size: number
  /** Empty where the file is none of ours, or damaged. */
  readonly meta: Parquet.Meta
}

/** Most footers are within; a request brings this much as quickly as one byte. */
const TAIL = 4096
/** Requests at a time for one batch. */
const AT_ONCE = 8
/** Each round at least one writer of a key is done. */
const ROUNDS = 32

/** `read` answers the files of the given keys, by their numbers in `keys`, as they shall be now. */
export const publish = <E, R>(
  store: Store,
  keys: ReadonlyArray<string>,
  read: (asked: ReadonlyArray<number>) => Effect.Effect<ReadonlyArray<File>, E, R>
): Effect.Effect<ReadonlyArray<Outcome>, E, R> =>
  Effect.gen(function*() {
    const outcomes = new Map<number, Outcome>()
    const round = Effect.fnUntraced(function*(asked: ReadonlyArray<number>) {
      const seen = yield* Effect.forEach(asked, (at) => Effect.result(look(store, keys[at]!)), { concurrency: AT_ONCE })
      const files = yield* read(asked)
      const tried = yield* Effect.forEach(
        files,
        (file, at) => Effect.result(Effect.flatMap(Effect.fromResult(seen[at]!), (held) => replace(store, file, held))),
        { concurrency: AT_ONCE }
      )
      tried.forEach((outcome, at) => outcomes.set(asked[at]!, outcome))
      return asked.filter((_, at) => isConflict(tried[at]!))
    })
    let asked = yield* round(keys.map((_, at) => at))
    for (let rounds = 1; asked.length > 0 && rounds < ROUNDS; rounds++) asked = yield* round(asked)
    return keys.map((_, at) => outcomes.get(at)!)
  })

/** Which run writes, as it is known to the log. No part of what a file is compared by. */
const writer = Effect.map(
  References.CurrentLogAnnotations,
  ({ run }): Parquet.Meta => typeof run === "string" ? { run } : {}
)

const isConflict = (outcome: Outcome): boolean =>
  Result.isFailure(outcome) && outcome.failure._tag === "ObjectStoreError" && outcome.failure.reason._tag === "Conflict"

const look = Effect.fnUntraced(function*(store: Store, key: string) {
  const end = yield* tail(store, key, TAIL)
  if (end === undefined) return undefined
  const needed = Parquet.footerLength(end.bytes)
  const whole = needed <= TAIL || needed > end.size ? end : yield* store.read(key, { last: needed }, end.etag)
  return { etag: end.etag, size: end.size, meta: metaOf(whole.bytes, needed, end.size) } satisfies Held
})

const metaOf = (bytes: Uint8Array, needed: number, size: number): Parquet.Meta => {
  if (needed > bytes.length) return {}
  try {
    const footer = Parquet.footer(bytes)
    return Parquet.isOurs(footer, needed, size) ? Parquet.metaOf(footer) : {}
  } catch {
    return {}
  }
}

const replace = Effect.fnUntraced(function*(store: Store, file: File, held: Held | undefined) {
  const { contentHash, key, parts } = file
  const rows = parts.reduce((sum, { bars }) => sum + bars.length, 0)
  if (rows === 0) {
    if (held !== undefined) yield* store.remove(key, held.etag)
    return { key, rows, bytes: 0, contentHash }
  }
  const meta = { ...file.meta, contentHash, format: fingerprint(yield* ParquetFormat) }
  if (held !== undefined && Object.entries(meta).every(([name, value]) => held.meta[name] === value)) {
    return { key, rows, bytes: held.size, contentHash }
  }
  const generation = String(Number(held?.meta["generation"] ?? 0) + 1)
  const bytes = yield* Parquet.encode(parts, { ...meta, generation, ...yield* writer })
  yield* store.put(key, bytes, held?.etag ?? null)
  return { key, rows, bytes: bytes.byteLength, contentHash }
})
