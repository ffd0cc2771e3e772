/**
 * A warehouse in PostgreSQL: the stand-in for Redshift, with the same table, ledger and guarantees. A load is a
 * handful of statements in one transaction, two of them per symbol, whatever its number of rows. Loads of the same partition queue on advisory locks,
 * taken in one order everywhere, so loads cannot deadlock on them.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { MigrationError } from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Migrate from "../../runtime/store/Migrate.ts"
import * as Transaction from "../../runtime/store/Transaction.ts"
import * as SessionWindow from "../bars/SessionWindow.ts"
import * as PostgresArrays from "../database/PostgresArrays.ts"
import * as PostgresFailure from "../database/PostgresFailure.ts"
import * as PostgresRanges from "../database/PostgresRanges.ts"
import * as Load from "./Load.ts"
import initial from "./migrations/0001_warehouse.ts"
import oneIndex from "./migrations/0002_one_index.ts"
import { type LoadPartition, Warehouse, WarehouseError } from "./Warehouse.ts"
import { Failed } from "./WarehouseReason.ts"

/** `location` names the server to a person. */
export const layer = (location: string): Layer.Layer<Warehouse, WarehouseError, SqlClient.SqlClient> =>
  Layer.effect(
    Warehouse,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* Migrate.migrate("warehouse", { "0001_warehouse": initial, "0002_one_index": oneIndex }).pipe(
        Effect.mapError(toError("migrate", "schema warehouse"))
      )
      return make(sql, location)
    })
  )

const toError = (operation: string, subject: string) => (error: SqlError | MigrationError): WarehouseError =>
  new WarehouseError({ operation, subject, reason: new Failed(PostgresFailure.make(error)), cause: error })

const make = (sql: SqlClient.SqlClient, location: string): Warehouse["Service"] => ({
  location,
  replace: Effect.fn("Warehouse.replace")(function*(partitions) {
    if (partitions.length === 0) return []
    const subject = Load.subject(partitions)
    const text = Load.violation(partitions)
    if (text !== undefined) {
      return yield* new WarehouseError({ operation: "replace", subject, reason: Load.refused(text) })
    }
    const now = new Date(yield* Clock.currentTimeMillis)
    return yield* replace(sql, partitions, now).pipe(
      Transaction.within(sql),
      Effect.mapError(toError("replace", subject))
    )
  })
})

const replace = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  partitions: ReadonlyArray<LoadPartition>,
  now: Date
) {
  yield* lock(sql, partitions)
  const deleted = yield* remove(sql, partitions)
  yield* insert(sql, partitions, now)
  yield* enter(sql, partitions, now)
  return partitions.map(({ bars: { length }, session, symbol }) => ({
    rows: length,
    inserted: length,
    deleted: deleted.get(`${symbol} ${session}`) ?? 0
  }))
})

const lock = (sql: SqlClient.SqlClient, partitions: ReadonlyArray<LoadPartition>) => {
  const names = PostgresArrays.texts(
    partitions.map(({ session, symbol }) => `barograph/warehouse/${symbol}/${session}`)
  )
  return sql`with locks as materialized (
      select hashtextextended(name, 0) as lock from unnest(${names}::text[]) as names(name) order by lock
    ) select pg_advisory_xact_lock(lock) from locks`
}

/** How many rows went, per partition. One statement a symbol, whose sessions are found by their windows of time. */
const remove = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, partitions: ReadonlyArray<LoadPartition>) {
  const deleted = new Map<string, number>()
  for (const [symbol, group] of Map.groupBy(partitions, ({ symbol }) => symbol)) {
    const windows = SessionWindow.joined(group.map(({ session }) => session))
    const rows = yield* sql<{ session: string; count: number }>`with deleted as (
        delete from warehouse.bars where ctid = any(array(
          select found.ctid from ${PostgresRanges.table(sql, windows)} cross join lateral (
            select bars.ctid from warehouse.bars
            where symbol = ${symbol} and ts >= ranges."from" and ts < ranges."to"
              and session = any(${sessions(group)}::date[]) offset 0
          ) as found
        ))
        returning session
      ) select session, count(*)::int4 from deleted group by session`.unprepared
    for (const { count, session } of rows) deleted.set(`${symbol} ${session}`, count)
  }
  return deleted
})

/**
 * The rows of one symbol, whose sessions were just emptied. The arrays are unnested in the select list, in step: as a
 * table they would be stored once more.
 */
const insertNew = (sql: SqlClient.SqlClient, partitions: ReadonlyArray<LoadPartition>, now: Date) => {
  const { interval, source, symbol } = partitions[0]!
  const bars = PostgresArrays.make(partitions.map(({ bars }) => bars))
  return sql`insert into warehouse.bars
      (source, symbol, interval, ts, open, high, low, close, volume, session, loaded_at)
    select ${source}::text, ${symbol}::text, ${interval}::text, unnest(${bars.ts}::timestamptz[]),
      unnest(${bars.open}::float8[]), unnest(${bars.high}::float8[]), unnest(${bars.low}::float8[]),
      unnest(${bars.close}::float8[]), unnest(${bars.volume}::float8[]),
      (${sessions(partitions)}::date[])[unnest(${bars.at}::int4[])], ${now}::timestamptz`.unprepared
}

/** Half the work of `upsert`, and right unless an instant lies under another session: then the key says so. */
const insert = (sql: SqlClient.SqlClient, partitions: ReadonlyArray<LoadPartition>, now: Date) => {
  const groups = Map.groupBy(partitions, ({ interval, source, symbol }) => JSON.stringify([source, interval, symbol]))
  return Effect.forEach(groups.values(), (group) => insertNew(sql, group, now), { discard: true }).pipe(
    Transaction.within(sql),
    Effect.catchIf(
      ({ reason }) => reason._tag === "UniqueViolation",
      () => upsert(sql, partitions, now)
    )
  )
}

// An instant that lies under another session moves here: sessions were drawn anew, and that one is loaded soon.
const upsert = (sql: SqlClient.SqlClient, partitions: ReadonlyArray<LoadPartition>, now: Date) => {
  const bars = PostgresArrays.make(partitions.map(({ bars }) => bars))
  return sql`insert into warehouse.bars
      (source, symbol, interval, ts, open, high, low, close, volume, session, loaded_at)
    select source, symbol, interval, ts, open, high, low, close, volume, session, ${now}::timestamptz
    from unnest(${bars.at}::int4[], ${bars.ts}::timestamptz[], ${bars.open}::float8[], ${bars.high}::float8[],
      ${bars.low}::float8[], ${bars.close}::float8[], ${bars.volume}::float8[])
      as bars(at, ts, open, high, low, close, volume)
    join unnest(${texts(partitions, "source")}::text[], ${texts(partitions, "symbol")}::text[],
      ${texts(partitions, "interval")}::text[], ${sessions(partitions)}::date[])
      with ordinality as asked(source, symbol, interval, session, at) using (at)
    on conflict (symbol, interval, ts) do update set source = excluded.source, open = excluded.open,
      high = excluded.high, low = excluded.low, close = excluded.close, volume = excluded.volume,
      session = excluded.session, loaded_at = excluded.loaded_at`
}

const enter = (sql: SqlClient.SqlClient, partitions: ReadonlyArray<LoadPartition>, now: Date) =>
  sql`insert into warehouse.bar_loads (symbol, session, interval, source, rows, content_hash, loaded_at)
    select symbol, session, interval, source, rows, content_hash, ${now}::timestamptz
    from unnest(${texts(partitions, "symbol")}::text[], ${sessions(partitions)}::date[],
      ${texts(partitions, "interval")}::text[], ${texts(partitions, "source")}::text[],
      ${PostgresArrays.integers(partitions.map(({ bars }) => bars.length))}::int4[],
      ${texts(partitions, "contentHash")}::text[]) as loads(symbol, session, interval, source, rows, content_hash)
    on conflict (symbol, session) do update set interval = excluded.interval, source = excluded.source,
      rows = excluded.rows, content_hash = excluded.content_hash, loaded_at = excluded.loaded_at`

const texts = (
  partitions: ReadonlyArray<LoadPartition>,
  field: "symbol" | "source" | "interval" | "contentHash"
) => PostgresArrays.texts(partitions.map((partition) => partition[field]))

const sessions = (partitions: ReadonlyArray<LoadPartition>) =>
  PostgresArrays.dates(partitions.map(({ session }) => session))
