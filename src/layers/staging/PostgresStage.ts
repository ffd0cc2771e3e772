/**
 * The statements of one `stage`: compare and write a batch of sessions, replace rejects, read back.
 *
 * Callers hold the symbol's lock in an open transaction; under it a statement sees every earlier stage of the symbol.
 * Each statement is planned for its own arrays (`unprepared`): a plan made for unknown ones may loop over all pairs.
 */
import type { PgClient } from "@effect/sql-pg/PgClient"
import * as PgTypes from "@effect/sql-pg/PgTypes"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { SqlError } from "effect/sql/SqlError"
import type { StageRequest } from "./BarStore.ts"
import type { Batch, QuarantinedRow } from "./StageBatch.ts"

export interface Counts {
  readonly session: string
  readonly inserted: number
  readonly unchanged: number
  readonly restated: number
  readonly removed: number
  readonly kept: number
}

const array = (values: ReadonlyArray<unknown>, oid: number) => Result.getOrThrow(PgTypes.array(values, oid))
const { date, float8, int4, text, timestamptz } = PgTypes.OID

/** One stage at a time per symbol and interval, until the transaction ends. One lock each: nobody can deadlock. */
export const lock = (sql: PgClient, request: StageRequest): Effect.Effect<unknown, SqlError> =>
  sql`select pg_advisory_xact_lock(hashtextextended(${`barograph/staging/${request.symbol}/${request.interval}`}, 0))`

/**
 * Classifies each row of the batch and of the table as inserted, unchanged, restated, removed or kept, and writes what
 * follows from it. Answers one row per session that has any.
 *
 * A row whose session alone changed (the calendar was corrected) is a restatement too. The full join is on purpose: it
 * can be hashed or merged only.
 */
export const writeBars = (sql: PgClient, request: StageRequest, batch: Batch): Effect.Effect<
  ReadonlyArray<Counts>,
  SqlError
> => {
  const { part, sessions, columns } = parameters(batch)
  const { complete, interval, payload, source, symbol } = request
  return sql<Counts>`
    with input as materialized (
      select (${sessions})[part] as session, ts, open, high, low, close, volume::bigint as volume
      from unnest(${part}, ${columns.ts}, ${columns.open}, ${columns.high}, ${columns.low}, ${columns.close},
        ${columns.volume}) as rows (part, ts, open, high, low, close, volume)
    ), held as materialized (
      select * from staging.bars
      where symbol = ${symbol} and interval = ${interval}
        and ts >= ${PgTypes.timestamptz(batch.from)} and ts < ${PgTypes.timestamptz(batch.to)}
    ), changes as materialized (
      select coalesce(i.session, h.session) as session, coalesce(i.ts, h.ts) as ts,
        i.open, i.high, i.low, i.close, i.volume,
        case
          when h.ts is null then 'inserted'
          when i.ts is null then case when ${complete} then 'removed' else 'kept' end
          when (i.session, i.open, i.high, i.low, i.close, i.volume)
            is distinct from (h.session, h.open, h.high, h.low, h.close, h.volume) then 'restated'
          else 'unchanged'
        end as change
      from input i full join held h on h.ts = i.ts
      where i.ts is not null or h.session = any(${sessions})
    ), archived as (
      insert into staging.bar_history
        (source, symbol, interval, ts, open, high, low, close, volume, session, change, staged_at, payload)
      select h.source, h.symbol, h.interval, h.ts, h.open, h.high, h.low, h.close, h.volume, h.session, c.change,
        h.staged_at, ${payload}
      from changes c join held h on h.ts = c.ts
      where c.change in ('restated', 'removed')
      order by c.ts
    ), removed as (
      delete from staging.bars b using changes c
      where c.change = 'removed' and b.symbol = ${symbol} and b.interval = ${interval} and b.ts = c.ts
    ), restated as (
      update staging.bars b
      set source = ${source}, open = c.open, high = c.high, low = c.low, close = c.close, volume = c.volume,
        session = c.session, staged_at = now()
      from changes c
      where c.change = 'restated' and b.symbol = ${symbol} and b.interval = ${interval} and b.ts = c.ts
    ), inserted as (
      insert into staging.bars (source, symbol, interval, ts, open, high, low, close, volume, session)
      select ${source}, ${symbol}, ${interval}, ts, open, high, low, close, volume, session
      from changes where change = 'inserted'
      order by ts
    )
    select session::text as session,
      count(*) filter (where change = 'inserted')::int4 as inserted,
      count(*) filter (where change = 'unchanged')::int4 as unchanged,
      count(*) filter (where change = 'restated')::int4 as restated,
      count(*) filter (where change = 'removed')::int4 as removed,
      count(*) filter (where change = 'kept')::int4 as kept
    from changes group by session`.unprepared
}

/** The batch as arrays, binary on the wire. `part` is the row's session, counted from 1 as arrays are in SQL. */
const parameters = ({ rows, sessions }: Batch) => {
  const part = new Array<number>(rows)
  const columns = { ts: column(rows), open: column(rows), high: column(rows), low: column(rows), close: column(rows) }
  const volume = column(rows)
  let at = 0
  sessions.forEach(({ bars }, index) => {
    for (let i = 0; i < bars.length; i++, at++) {
      part[at] = index + 1
      columns.ts[at] = bars.ts[i]!
      columns.open[at] = bars.open[i]!
      columns.high[at] = bars.high[i]!
      columns.low[at] = bars.low[i]!
      columns.close[at] = bars.close[i]!
      volume[at] = bars.volume[i]!
    }
  })
  return {
    part: array(part, int4),
    sessions: array(sessions.map(({ session }) => session), date),
    columns: {
      ts: array(columns.ts, timestamptz),
      open: array(columns.open, float8),
      high: array(columns.high, float8),
      low: array(columns.low, float8),
      close: array(columns.close, float8),
      volume: array(volume, float8)
    }
  }
}

const column = (length: number) => new Array<number>(length)

/** The rejects of these sessions, and those of the month without a session, become exactly `rows`. */
export const writeRejects = (
  sql: PgClient,
  request: StageRequest,
  rows: ReadonlyArray<QuarantinedRow>
): Effect.Effect<unknown, SqlError> => {
  const { interval, month, payload, source, symbol } = request
  const digests = array(rows.map((row) => row.digest), text)
  return sql`
    with gone as (
      delete from staging.quarantined_rows
      where symbol = ${symbol} and interval = ${interval} and digest <> all(${digests})
        and (session = any(${array(request.sessions.map((s) => s.session), date)})
          or session is null and month = ${month})
    )
    insert into staging.quarantined_rows
      (source, symbol, interval, month, session, ts, reason, raw, payload, digest)
    select ${source}, ${symbol}, ${interval}, ${month}, session, ts, reason, raw, ${payload}, digest
    from unnest(${array(rows.map((row) => row.session), date)}, ${array(rows.map((row) => row.ts), timestamptz)},
      ${array(rows.map((row) => row.reason), text)}, ${array(rows.map((row) => row.raw), text)}, ${digests})
      as rows (session, ts, reason, raw, digest)
    on conflict (symbol, interval, digest) do nothing`.unprepared
}
