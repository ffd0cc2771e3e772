/**
 * The staging area in PostgreSQL. A request is a handful of statements in one transaction, whatever its number of rows;
 * requests for the same symbol queue on one advisory lock, so they cannot deadlock and each sees the one before it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { MigrationError } from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Migrate from "../../runtime/store/Migrate.ts"
import * as Transaction from "../../runtime/store/Transaction.ts"
import { allocate, type Bars, empty } from "../bars/Bars.ts"
import * as SessionWindow from "../bars/SessionWindow.ts"
import * as PostgresArrays from "../database/PostgresArrays.ts"
import * as PostgresFailure from "../database/PostgresFailure.ts"
import * as PostgresRanges from "../database/PostgresRanges.ts"
import { BarStore, BarStoreError, type StageRequest } from "./BarStore.ts"
import initial from "./migrations/0001_staging.ts"
import asOf from "./migrations/0002_as_of.ts"
import oneIndex from "./migrations/0003_one_index.ts"
import * as PostgresReplace from "./PostgresReplace.ts"
import * as Staging from "./Staging.ts"

export const layer: Layer.Layer<BarStore, BarStoreError, SqlClient.SqlClient> = Layer.effect(
  BarStore,
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const migrations = { "0001_staging": initial, "0002_as_of": asOf, "0003_one_index": oneIndex }
    yield* Migrate.migrate("staging", migrations).pipe(Effect.mapError(toError("migrate", "schema staging")))
    return make(sql)
  })
)

const toError =
  (operation: string, subject: string) => (error: SqlError | MigrationError | BarStoreError): BarStoreError =>
    error._tag === "BarStoreError" ? error : told(operation, subject, error)

const told = (operation: string, subject: string, cause: SqlError | MigrationError): BarStoreError => {
  const { retryable, text } = PostgresFailure.make(cause)
  return new BarStoreError({ operation, message: `${operation} ${subject}: ${text}`, retryable, cause })
}

const refuse = (message: string): BarStoreError =>
  new BarStoreError({ operation: "stage", message, retryable: false, cause: undefined })

const make = (sql: SqlClient.SqlClient): BarStore["Service"] => ({
  stage: Effect.fn("BarStore.stage")(function*(request) {
    const name = `${request.symbol} ${request.month}`
    const violation = Staging.violation(request)
    if (violation !== undefined) return yield* refuse(`stage ${name}: ${violation}`)
    return yield* stage(sql, request).pipe(Transaction.within(sql), Effect.mapError(toError("stage", name)))
  }),
  read: Effect.fn("BarStore.read")(function*(partitions) {
    return yield* Effect.mapError(read(sql, partitions), toError("read", `${partitions.length} sessions`))
  })
})

const stage = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, request: StageRequest) {
  yield* lock(sql, request.symbol)
  // Under the lock: a request that waited is later than the one it waited for, or the history would overlap.
  const now = new Date(yield* Clock.currentTimeMillis)
  const write = (yield* PostgresReplace.isHeld(sql, request)) ? PostgresReplace.bars : PostgresReplace.fresh
  const counts = yield* write(sql, request, now)
  const at = counts.findIndex(({ mixed }, at) => mixed > 0 && request.sessions[at]!.bars.length > 0)
  if (at >= 0) return yield* refuse(Staging.mixed(request, request.sessions[at]!.session))
  yield* PostgresReplace.quarantined(sql, request, now)
  const held = yield* heldWith(sql, request, counts)
  return request.sessions.map((session, at) => Staging.staged(session, counts[at]!, held.get(session.session)))
})

// Tables that were never analyzed make nested loops look cheap; over twenty thousand rows they take minutes.
const lock = (sql: SqlClient.SqlClient, symbol: string) =>
  sql`select pg_advisory_xact_lock(hashtextextended(${`barograph/staging/${symbol}`}, 0)),
    set_config('enable_nestloop', 'off', true)`

/** What the table holds for the sessions that kept rows which the payload lacks. The others hold the payload's rows. */
const heldWith = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  { sessions, symbol }: StageRequest,
  counts: ReadonlyArray<Staging.Counts>
) {
  const asked = sessions.flatMap(({ session }, at) => counts[at]!.kept > 0 ? [{ symbol, session }] : [])
  if (asked.length === 0) return new Map<string, Bars>()
  const held = yield* read(sql, asked)
  return new Map(asked.map(({ session }, at) => [session, held[at]!]))
})

const DAY = 86_400_000
const EPOCH = Date.parse("2000-01-01")
const dayOf = (session: string): number => (Date.parse(session) - EPOCH) / DAY

const prices = ["open", "high", "low", "close", "volume"] as const

/** One session: its columns as PostgreSQL's own bytes. */
interface Row extends Readonly<Record<"ts" | typeof prices[number], Uint8Array>> {
  readonly day: number
}

/**
 * One statement a symbol, whose sessions are found by their windows of time. A
 * session is one row: a column of numbers as bytes costs both sides less than half of what rows do, and a tenth of
 * their memory here.
 */
const read = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  partitions: ReadonlyArray<{ readonly symbol: string; readonly session: string }>
) {
  const found = new Map<string, ReadonlyMap<number, Bars>>()
  for (const [symbol, group] of Map.groupBy(partitions, ({ symbol }) => symbol)) {
    const sessions = group.map(({ session }) => session)
    const windows = SessionWindow.joined(sessions)
    const rows = yield* sql<Row>`select session - date '2000-01-01' as day,
      string_agg(timestamptz_send(ts), '' order by ts) as ts, string_agg(float8send(open), '' order by ts) as open,
      string_agg(float8send(high), '' order by ts) as high, string_agg(float8send(low), '' order by ts) as low,
      string_agg(float8send(close), '' order by ts) as close, string_agg(float8send(volume), '' order by ts) as volume
      from ${PostgresRanges.table(sql, windows)} cross join lateral (
        select * from staging.bars
        where symbol = ${symbol} and ts >= ranges."from" and ts < ranges."to"
          and session = any(${PostgresArrays.dates(sessions)}::date[]) offset 0
      ) as bars
      group by session`.unprepared
    found.set(symbol, new Map(rows.map((row) => [row.day, toBars(row)])))
  }
  return partitions.map(({ session, symbol }) => found.get(symbol)!.get(dayOf(session)) ?? empty)
})

const viewOf = ({ buffer, byteLength, byteOffset }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)

const toBars = (row: Row): Bars => {
  const bars = allocate(row.ts.byteLength / 8)
  const ts = viewOf(row.ts)
  // Microseconds since 2000, 64 bits: below 2^53 until the year 2285.
  for (let at = 0; at < bars.length; at++) {
    bars.ts[at] = (ts.getInt32(at * 8) * 2 ** 32 + ts.getUint32(at * 8 + 4)) / 1000 + EPOCH
  }
  for (const name of prices) {
    const values = viewOf(row[name])
    for (let at = 0; at < bars.length; at++) bars[name][at] = values.getFloat64(at * 8)
  }
  return bars
}
