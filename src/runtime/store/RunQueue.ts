/**
 * The SQL of runs that wait for a daemon, and of runs that somebody takes from a process that is gone or stands still.
 * Part of `RunStore`.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Tags } from "../run/Admission.ts"
import { COLUMNS, fromRow, insertEvents, type Row } from "./RunRow.ts"
import type { RequestedRun, Waiting } from "./RunStore.ts"
import { notify } from "./Signals.ts"
import * as Transaction from "./Transaction.ts"

export const recover = (sql: SqlClient.SqlClient) =>
  Transaction.within(sql)(Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const gone = yield* sql<{ run_id: string }>`update barograph.runs set status = 'interrupted', fenced = true,
      ended_at = ${new Date(now)}, ended = nextval('barograph.numbers') where run_id in (
      select run_id from barograph.runs where status in ('queued', 'running')
        and pg_try_advisory_xact_lock(hashtextextended('barograph/run/' || run_id, 0)) for update skip locked
    ) returning run_id`
    return yield* interrupted(sql, gone, now)
  }))

/** Marked by somebody else than its process. */
const interrupted = Effect.fnUntraced(
  function*(sql: SqlClient.SqlClient, gone: ReadonlyArray<{ readonly run_id: string }>, now: number) {
    for (const { run_id: runId } of gone) {
      yield* insertEvents(sql, runId, [{ type: "RunEnded", status: "interrupted" }], now)
      yield* notify(sql, { _tag: "RunEnded", runId })
    }
    return gone.map((row) => row.run_id)
  }
)

/**
 * A process that stands still keeps its connections and the locks on them, those of its runs and of the workers of its
 * backfills, so the server is told to close them: whoever wakes up finds its claims gone and its run fenced.
 */
const CLOSE_HOLDERS = `with holders as (
    select run_id as name from barograph.runs where status in ('queued', 'running') and term < $1
    union select worker from barograph.backfill_slices where status = 'running' and term < $1
  ) select pg_terminate_backend(held.pid, 1000) from holders join pg_locks as held
    on held.locktype = 'advisory' and held.objsubid = 1 and held.granted
      and held.database = (select oid from pg_database where datname = current_database())
      and (held.classid::bigint << 32) | held.objid::bigint = hashtextextended('barograph/run/' || name, 0)
    where held.pid <> pg_backend_pid()`

export const seize = (sql: SqlClient.SqlClient, term: number) =>
  Transaction.within(sql)(Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    yield* sql.unsafe(CLOSE_HOLDERS, [term])
    const taken = yield* sql<{ run_id: string }>`update barograph.runs set status = 'interrupted', fenced = true,
      ended_at = ${new Date(now)}, ended = nextval('barograph.numbers')
      where status in ('queued', 'running') and term < ${term} returning run_id`
    return yield* interrupted(sql, taken, now)
  }))

export const request = (sql: SqlClient.SqlClient, runs: ReadonlyArray<RequestedRun>) =>
  Transaction.within(sql)(Effect.gen(function*() {
    const now = new Date(yield* Clock.currentTimeMillis)
    const added = yield* sql<{ run_id: string }>`insert into barograph.runs
        (run_id, status, request, started_at, requested_at, tags, priority, run_key, attempts, not_before)
      select r."runId", 'requested', r.request, ${now}, ${now}, r.tags, r.priority, r."runKey", r.attempts,
        to_timestamp(r."notBefore" / 1000)
      from jsonb_to_recordset(${JSON.stringify(runs)}::jsonb) as r("runId" text, request jsonb, tags jsonb,
        priority integer, "runKey" text, attempts integer, "notBefore" float8)
      on conflict (run_key, attempt) where run_key is not null do nothing
      returning run_id`
    if (added.length > 0) yield* notify(sql, { _tag: "RunRequested" })
    return added.map((row) => row.run_id)
  }))

/** Nobody else marked it, and it says of nothing that went wrong. */
const GIVEN_UP = "(not fenced and why is null)"

/** It has a next attempt, which `resume` asks for. */
export const RESUMABLE = `(status = 'interrupted' and run_key is not null and (attempt < attempts or ${GIVEN_UP})
  and cancel_requested_at is null and not exists (select 1 from barograph.runs as later
    where later.run_key = runs.run_key and later.attempt > runs.attempt))`

/**
 * The id says of which run it is an attempt: `20240103-143000-ab12.2`. An attempt that its own process gave up in order,
 * because it was asked to stop, is not counted. One that somebody cancels at this moment is left to the next look.
 */
export const resume = (sql: SqlClient.SqlClient) =>
  Transaction.within(sql)(Effect.gen(function*() {
    const now = new Date(yield* Clock.currentTimeMillis)
    const given = sql.literal(GIVEN_UP)
    const added = yield* sql<{ run_id: string }>`insert into barograph.runs
        (run_id, status, request, started_at, requested_at, tags, priority, run_key, attempt, attempts)
      select regexp_replace(run_id, '[.][0-9]+$', '') || '.' || attempt + 1, 'requested', request, ${now},
        requested_at, tags || jsonb_build_object('retry_of', run_id), priority, run_key, attempt + 1,
        attempts + case when ${given} then 1 else 0 end
      from barograph.runs where ${sql.literal(RESUMABLE)} for no key update skip locked
      on conflict (run_key, attempt) where run_key is not null do nothing
      returning run_id`
    if (added.length > 0) yield* notify(sql, { _tag: "RunRequested" })
    return added.map((row) => row.run_id)
  }))

/** A partial index for each part. */
export const unfinished = (sql: SqlClient.SqlClient, tags: Tags) =>
  sql<Row>`select ${sql.literal(COLUMNS)} from barograph.runs where tags @> ${JSON.stringify(tags)}::jsonb
    and (status = 'requested' or status in ('queued', 'running') or ${sql.literal(RESUMABLE)})
    order by started_at desc, run_id desc`.pipe(Effect.map((rows) => rows.map(fromRow)))

export const requested = (sql: SqlClient.SqlClient, without: ReadonlyArray<string>) =>
  Effect.flatMap(
    Clock.currentTimeMillis,
    (now) =>
      sql<Row>`select ${sql.literal(COLUMNS)} from barograph.runs
        where status = 'requested' and (not_before is null or not_before <= ${new Date(now)})
          and not exists (select 1 from jsonb_array_elements_text(${JSON.stringify(without)}::jsonb) as each(tag)
            where jsonb_exists(tags, split_part(tag, '=', 1))
              and (strpos(tag, '=') = 0 or tags ->> split_part(tag, '=', 1) = split_part(tag, '=', 2)))
        order by priority desc, started_at, run_id limit 1000`
  ).pipe(Effect.map((rows) => rows.map(fromRow)))

export const nextRequested = (sql: SqlClient.SqlClient) =>
  Effect.flatMap(
    Clock.currentTimeMillis,
    (now) =>
      sql<{ next: Date | null }>`select min(not_before) as next from barograph.runs
        where status = 'requested' and not_before > ${new Date(now)}`
  ).pipe(Effect.map(([row]) => row?.next?.getTime()))

export const waiting = (sql: SqlClient.SqlClient) =>
  sql<{ status: keyof Omit<Waiting, "oldestRequest">; count: number; oldest: Date }>`
      select status, count(*)::float8 as count, min(greatest(started_at, not_before)) as oldest from barograph.runs
      where status in ('requested', 'queued', 'running') group by status`.pipe(
    Effect.map((rows): Waiting => ({
      requested: 0,
      queued: 0,
      running: 0,
      ...Object.fromEntries(rows.map(({ count, status }) => [status, count])),
      oldestRequest: rows.find(({ status }) => status === "requested")?.oldest.getTime()
    }))
  )
