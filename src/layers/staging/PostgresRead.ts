/**
 * Bars back out of the table: one row of arrays per session, so that neither the server nor the driver makes an object
 * per bar. A few hundred sessions at a time bound what is in flight.
 */
import type { PgClient } from "@effect/sql-pg/PgClient"
import * as PgTypes from "@effect/sql-pg/PgTypes"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { SqlError } from "effect/sql/SqlError"
import type { Bars } from "../bars/Bars.ts"
import * as BarColumns from "../bars/Bars.ts"

/** 200 days of minute bars with extended hours: 190,000 rows, 14 MB. */
const sessionsPerQuery = 200

export interface Partition {
  readonly symbol: string
  readonly session: string
}

/** `mixed` where a session is staged at more than one interval. */
export interface Held {
  readonly bars: Bars
  readonly mixed: boolean
}

interface Row {
  readonly mixed: boolean | null
  readonly ts: ReadonlyArray<number> | null
  readonly open: ReadonlyArray<number>
  readonly high: ReadonlyArray<number>
  readonly low: ReadonlyArray<number>
  readonly close: ReadonlyArray<number>
  readonly volume: ReadonlyArray<number>
}

/** In the order of `partitions`. `interval` undefined: whatever is there. */
export const readBars = Effect.fnUntraced(function*(
  sql: PgClient,
  partitions: ReadonlyArray<Partition>,
  interval?: string
): Effect.fn.Return<ReadonlyArray<Held>, SqlError> {
  const result: Array<Held> = []
  for (let at = 0; at < partitions.length; at += sessionsPerQuery) {
    const rows = yield* select(sql, partitions.slice(at, at + sessionsPerQuery), interval)
    for (const row of rows) result.push({ bars: toBars(row), mixed: row.mixed === true })
  }
  return result
})

const select = (sql: PgClient, partitions: ReadonlyArray<Partition>, interval: string | undefined) => {
  const symbols = Result.getOrThrow(PgTypes.array(partitions.map((p) => p.symbol), PgTypes.OID.text))
  const sessions = Result.getOrThrow(PgTypes.array(partitions.map((p) => p.session), PgTypes.OID.date))
  return sql<Row>`
    select columns.*
    from unnest(${symbols}, ${sessions}) with ordinality as wanted (symbol, session, place)
    cross join lateral (
      select min(interval) <> max(interval) as mixed, array_agg(ts) as ts, array_agg(open) as open,
        array_agg(high) as high, array_agg(low) as low, array_agg(close) as close, array_agg(volume) as volume
      from (
        select interval, date_part('epoch', ts) * 1000 as ts, open, high, low, close, volume::float8 as volume
        from staging.bars b
        where b.symbol = wanted.symbol and b.session = wanted.session
          and (${PgTypes.text(interval ?? null)} is null or b.interval = ${PgTypes.text(interval ?? null)})
        order by b.ts
      ) as held
    ) as columns
    order by wanted.place`
}

const toBars = (row: Row): Bars =>
  row.ts === null ? BarColumns.empty : {
    length: row.ts.length,
    // Seconds are a fraction on the server; a bar starts at a whole millisecond.
    ts: Float64Array.from(row.ts, Math.round),
    open: Float64Array.from(row.open),
    high: Float64Array.from(row.high),
    low: Float64Array.from(row.low),
    close: Float64Array.from(row.close),
    volume: Float64Array.from(row.volume)
  }
