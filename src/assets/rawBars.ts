/**
 * `raw_bars` [symbol x month]: the vendor's answer as it came, gzip in the object store under its content hash, so that
 * older answers stay and every one can be decoded again.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Crypto from "node:crypto"
import * as NodeUtil from "node:util"
import * as Zlib from "node:zlib"
import { ensure, ObjectStore, segment } from "../layers/lake/ObjectStore.ts"
import { MarketData, type MarketDataError, type Payload } from "../layers/market-data/MarketData.ts"
import * as Asset from "../runtime/asset/Asset.ts"
import { month, symbol } from "./dimensions.ts"
import { whileRetryable } from "./retry.ts"

export const RawPayload = Schema.Struct({
  /** Object key of the payload. */
  key: Schema.String,
  /** Names its decoder. */
  format: Schema.String,
  source: Schema.String,
  interval: Schema.String,
  fetchedAt: Schema.String,
  /** Before compression. */
  bytes: Schema.Finite,
  contentHash: Schema.String
})

interface Partition {
  readonly symbol: string
  readonly month: string
}

const keyOf = (source: string, partition: Partition, hash: string): string =>
  `raw/${source}/symbol=${segment(partition.symbol)}/month=${partition.month}/${hash}.gz`

/** The payload cannot be read any more; `message` says what brings it back. */
export class PayloadError extends Schema.TaggedError<PayloadError>()("PayloadError", { message: Schema.String }) {}

/** The payload as it was fetched. */
export const read = Effect.fnUntraced(function*({ key }: typeof RawPayload.Type, { month, symbol }: Partition) {
  const store = yield* ObjectStore
  const again = `fetch it again: materialize --asset raw_bars --partition symbol=${symbol},month=${month} --force`
  const gone = `${key} is not in ${store.location}; fix: copy it from the lake that it was put into, or ${again}`
  const packed = yield* store.get(key).pipe(
    Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.fail(new PayloadError({ message: gone })))
  )
  return yield* Effect.try({
    try: () => Zlib.gunzipSync(packed),
    catch: () => new PayloadError({ message: `${key} in ${store.location} is damaged; fix: ${again}` })
  })
})

/** Off the main thread and at the least level: a fifth larger than at the usual one, in half the time. */
const compressed = (bytes: Uint8Array) => Effect.promise(() => NodeUtil.promisify(Zlib.gzip)(bytes, { level: 1 }))

export const rawBars = Asset.make(
  "raw_bars",
  {
    description: "The vendor's answer for a month, as it came",
    group: "bars",
    kinds: ["json", "object-store"],
    partitions: { symbol, month },
    output: RawPayload,
    dataVersion: "contentHash",
    codeVersion: Effect.map(MarketData, (source) => source.fingerprint),
    pool: "market_data",
    retry: whileRetryable,
    timeout: "3 minutes",
    // A call serves one payload, or several where the source's calls do: see `sharedCalls.ts`.
    batch: { max: 1 }
  },
  Effect.fn("raw_bars")(function*({ items }) {
    const source = yield* MarketData
    const fetched = yield* fetchAll(source, items.map(({ partition }) => partition))
    const answers: Array<Result.Result<typeof RawPayload.Type, MarketDataError>> = []
    for (const [at, payload] of fetched.entries()) {
      answers.push(
        Result.isFailure(payload)
          ? Result.fail(payload.failure)
          : Result.succeed(yield* keep(source, items[at]!.partition, payload.success))
      )
    }
    return answers
  })
)

type Fetched = Result.Result<Payload, MarketDataError>

/** What would fail again fails one payload; what may pass is tried again with all of them. */
const fetchOne = Effect.fnUntraced(function*({ fetchMonth }: MarketData["Service"], partition: Partition) {
  const payload = yield* Effect.result(fetchMonth(partition))
  return Result.isFailure(payload) && payload.failure.retryable ? yield* payload.failure : payload
})

/** In the order of the partitions, which are of one month or of one symbol. */
const fetchAll = Effect.fnUntraced(function*(source: MarketData["Service"], partitions: ReadonlyArray<Partition>) {
  const [first, second] = partitions
  if (source.fetchMonths === undefined || first!.month !== second?.month) {
    return yield* Effect.forEach(
      partitions,
      (partition): Effect.Effect<Fetched, MarketDataError> => fetchOne(source, partition)
    )
  }
  const found = yield* source.fetchMonths(partitions.map(({ symbol }) => symbol), first!.month)
  return partitions.map(({ symbol }) => found.get(symbol)!)
})

const keep = Effect.fnUntraced(function*(source: MarketData["Service"], partition: Partition, payload: Payload) {
  const store = yield* ObjectStore
  const contentHash = Crypto.createHash("sha256").update(payload.bytes).digest("hex").slice(0, 32)
  const key = keyOf(source.source, partition, contentHash)
  yield* ensure(store, key, yield* compressed(payload.bytes))
  return {
    key,
    format: payload.format,
    source: source.source,
    interval: source.interval,
    fetchedAt: new Date(payload.fetchedAt).toISOString(),
    bytes: payload.bytes.byteLength,
    contentHash
  }
})
