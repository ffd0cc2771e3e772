/**
 * The statements of one request, run under the symbol's lock. Each is planned for its own arrays (`unprepared`): how
 * many rows they hold decides how to join.
 */
import * as Effect from "effect/Effect"
import type * as SqlClient from "effect/sql/SqlClient"
import * as SessionWindow from "../bars/SessionWindow.ts"
import * as PostgresArrays from "../database/PostgresArrays.ts"
import type { StageRequest } from "./BarStore.ts"
import * as Staging from "./Staging.ts"

/**
 * Compares the payload's rows with those of its sessions and writes what differs. A row that lies under another session
 * is inserted here and removed there. Of a row whose values did not change, only the source is brought up to date:
 * it is known since then.
 *
 * **Details**
 *
 * `compared` has the payload's rows, `past` the table's rows that differ from it. Answers one row per session.
 */
export const bars = (sql: SqlClient.SqlClient, request: StageRequest, now: Date) => {
  const { complete, interval, payload, source, symbol } = request
  const columns = PostgresArrays.make(request.sessions.map((session) => session.bars))
  const sessions = PostgresArrays.dates(request.sessions.map(({ session }) => session))
  const { first, from, last, to } = span(request)
  return sql<Staging.Counts>`with asked as materialized (
      select session, at from unnest(${sessions}::date[]) with ordinality as asked(session, at)
    ), incoming as materialized (
      select asked.session, ts, open, high, low, close, volume
      from unnest(${columns.at}::int4[], ${columns.ts}::timestamptz[], ${columns.open}::float8[],
        ${columns.high}::float8[], ${columns.low}::float8[], ${columns.close}::float8[], ${columns.volume}::float8[])
        as incoming(at, ts, open, high, low, close, volume)
      join asked using (at)
    ), held as materialized (
      select * from staging.bars
      where symbol = ${symbol} and ts >= ${from}::timestamptz and ts < ${to}::timestamptz and (session = any(${sessions}::date[])
        or interval = ${interval} and ts between ${first}::timestamptz and ${last}::timestamptz)
    ), compared as materialized (
      select incoming.*, held.source, held.staged_at, case
        when held.ts is null or held.session <> incoming.session then 'inserted'
        when row(held.open, held.high, held.low, held.close, held.volume) is not distinct from
          row(incoming.open, incoming.high, incoming.low, incoming.close, incoming.volume) then 'unchanged'
        else 'restated' end as change
      from incoming left join held on held.interval = ${interval} and held.ts = incoming.ts
    ), past as materialized (
      select held.*, case
        when compared.ts is not null then case compared.change when 'inserted' then 'removed' else 'restated' end
        when ${complete}::bool then 'removed'
        when held.interval = ${interval} then 'kept'
        else 'mixed' end as change, compared.ts is null as lacking
      from held left join compared on held.interval = ${interval} and compared.ts = held.ts
      where compared.change <> 'unchanged' or compared.ts is null and held.session = any(${sessions}::date[])
    ), remembered as (
      insert into staging.bar_history (source, symbol, interval, ts, open, high, low, close, volume, session, staged_at,
        replaced_at, change, payload)
      select source, symbol, interval, ts, open, high, low, close, volume, session, staged_at,
        ${now}::timestamptz, change, ${Staging.storable(payload)}::text
      from past where change in ('restated', 'removed') order by interval, ts
    ), deleted as (
      delete from staging.bars
      where symbol = ${symbol} and ts >= ${from}::timestamptz and ts < ${to}::timestamptz
        and session = any(${sessions}::date[])
        and (interval, ts) in (select interval, ts from past where change = 'removed' and lacking)
    ), written as (
      insert into staging.bars (source, symbol, interval, ts, open, high, low, close, volume, session, staged_at)
      select ${source}::text, ${symbol}::text, ${interval}::text, ts, open, high, low, close, volume, session,
        case when change = 'unchanged' then staged_at else ${now}::timestamptz end
      from compared where change <> 'unchanged' or source <> ${source} order by ts
      on conflict (symbol, interval, ts) do update set source = excluded.source, open = excluded.open,
        high = excluded.high, low = excluded.low, close = excluded.close, volume = excluded.volume,
        session = excluded.session, staged_at = excluded.staged_at
    )
    select count(*) filter (where change = 'inserted')::int4 as inserted,
      count(*) filter (where change = 'unchanged')::int4 as unchanged,
      count(*) filter (where change = 'restated')::int4 as restated,
      count(*) filter (where change = 'removed')::int4 as removed,
      count(*) filter (where change in ('kept', 'mixed'))::int4 as kept,
      count(*) filter (where change = 'mixed')::int4 as mixed
    from asked left join (
      select session, change from compared
      union all select session, change from past where change <> 'restated'
    ) as changes using (session)
    group by asked.at order by asked.at`.unprepared
}

/** Whether the table has rows of the request's sessions, or rows at its instants that lie under other sessions. */
export const isHeld = (sql: SqlClient.SqlClient, request: StageRequest) => {
  const { interval, symbol } = request
  const sessions = PostgresArrays.dates(request.sessions.map(({ session }) => session))
  const { first, from, last, to } = span(request)
  return sql<{ held: boolean }>`select exists (select from staging.bars
    where symbol = ${symbol} and ts >= ${from}::timestamptz and ts < ${to}::timestamptz
      and (session = any(${sessions}::date[])
        or interval = ${interval} and ts between ${first}::timestamptz and ${last}::timestamptz)) as held`.pipe(
    Effect.map(([row]) => row!.held)
  )
}

/**
 * The first load of its sessions: nothing to compare with and, under the lock, nothing to conflict with. Half the work of
 * `bars`. The arrays are unnested in the select list, in step: as a table they would be stored once more.
 */
export const fresh = (sql: SqlClient.SqlClient, request: StageRequest, now: Date) => {
  const columns = PostgresArrays.make(request.sessions.map((session) => session.bars))
  const sessions = PostgresArrays.dates(request.sessions.map(({ session }) => session))
  return sql`insert into staging.bars
      (source, symbol, interval, ts, open, high, low, close, volume, session, staged_at)
    select ${request.source}::text, ${request.symbol}::text, ${request.interval}::text,
      unnest(${columns.ts}::timestamptz[]), unnest(${columns.open}::float8[]), unnest(${columns.high}::float8[]),
      unnest(${columns.low}::float8[]), unnest(${columns.close}::float8[]), unnest(${columns.volume}::float8[]),
      (${sessions}::date[])[unnest(${columns.at}::int4[])], ${now}::timestamptz`.unprepared.pipe(
    Effect.as(request.sessions.map(({ bars }) => ({ ...nothing, inserted: bars.length })))
  )
}

const nothing: Staging.Counts = { inserted: 0, unchanged: 0, restated: 0, removed: 0, kept: 0, mixed: 0 }

/**
 * `first` to `last` are the payload's rows: those of the same instants may lie under other sessions. `from` to `to` is where
 * its sessions' rows can lie, those included.
 */
const span = ({ sessions }: StageRequest) => {
  const ends = sessions.flatMap(({ bars: { length, ts } }) => length === 0 ? [] : [ts[0]!, ts[length - 1]!])
  const { from, to } = SessionWindow.hull(sessions.map(({ session }) => session))
  return {
    first: ends.length === 0 ? null : new Date(ends.reduce((a, b) => Math.min(a, b))),
    last: ends.length === 0 ? null : new Date(ends.reduce((a, b) => Math.max(a, b))),
    from: new Date(from),
    to: new Date(to)
  }
}

/** The refused rows of the request's sessions, and those of its month that belong to none. */
export const quarantined = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, request: StageRequest, now: Date) {
  const { interval, month, payload, source, symbol } = request
  const sessions = PostgresArrays.dates(request.sessions.map(({ session }) => session))
  yield* sql`delete from staging.quarantined_rows where symbol = ${symbol}
    and (session = any(${sessions}::date[]) or session is null and month = ${month})`
  const rows = Staging.quarantined(request)
  if (rows.length === 0) return
  const rejects = {
    session: PostgresArrays.dates(rows.map(({ session }) => session)),
    ts: PostgresArrays.timestamps(rows.map(({ ts }) => ts)),
    reason: PostgresArrays.texts(rows.map(({ reason }) => reason)),
    raw: PostgresArrays.texts(rows.map(({ raw }) => raw))
  }
  yield* sql`insert into staging.quarantined_rows
      (source, symbol, interval, month, session, ts, reason, raw, payload, quarantined_at)
    select ${source}::text, ${symbol}::text, ${interval}::text, ${month}::text, session, ts, reason, raw,
      ${Staging.storable(payload)}::text, ${now}::timestamptz
    from unnest(${rejects.session}::date[], ${rejects.ts}::timestamptz[], ${rejects.reason}::text[],
      ${rejects.raw}::text[]) as rejects(session, ts, reason, raw)`
})
