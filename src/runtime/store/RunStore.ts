/** Runs and their events. A run is `running` until its process ends it, or until another one finds that process gone. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqlError from "effect/sql/SqlError"
import type { Event, RunStatus } from "../run/Event.ts"
import { during, StoreError } from "./StoreError.ts"

export interface Run {
  readonly runId: string
  readonly status: RunStatus
  readonly request: unknown
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly endedAt: number | undefined
  /** What the run did, per asset; there once it has ended. */
  readonly totals: unknown
}

export interface RecordedEvent {
  readonly at: number
  readonly event: Event
}

export class RunStore extends Context.Service<RunStore, {
  /** Answers the number of the run: see `Standing`. */
  readonly begin: (runId: string, request: unknown) => Effect.Effect<number, StoreError>
  readonly append: (runId: string, events: ReadonlyArray<Event>) => Effect.Effect<void, StoreError>
  readonly end: (runId: string, status: RunStatus, totals: unknown) => Effect.Effect<void, StoreError>
  /** Asks the process of a running run to stop; false when the run is not running. */
  readonly requestCancel: (runId: string) => Effect.Effect<boolean, StoreError>
  readonly isCancelRequested: (runId: string) => Effect.Effect<boolean, StoreError>
  /** Newest first. */
  readonly list: (limit: number) => Effect.Effect<ReadonlyArray<Run>, StoreError>
  readonly find: (runId: string) => Effect.Effect<Run | undefined, StoreError>
  readonly events: (runId: string) => Effect.Effect<ReadonlyArray<RecordedEvent>, StoreError>
  /** For each of these run numbers the number at which the run ended; runs that go on are left out. */
  readonly ends: (numbers: ReadonlyArray<number>) => Effect.Effect<ReadonlyMap<number, number>, StoreError>
  /** What the effect writes to the stores of the engine, it writes in one transaction. */
  readonly atomically: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StoreError, R>
  /** Marks runs whose process is gone as interrupted; answers which. */
  readonly recover: Effect.Effect<ReadonlyArray<string>, StoreError>
}>()("barograph/runtime/store/RunStore") {
  static readonly layer = Layer.effect(RunStore, Effect.map(SqlClient.SqlClient, (sql) => make(sql)))

  static readonly layerMemory = Layer.sync(RunStore, () => makeMemory())
}

/** The advisory lock that a run's process holds on a connection of its own while the run goes on. */
export const lockName = (runId: string): string => `barograph/run/${runId}`

interface Row {
  readonly run_id: string
  readonly status: RunStatus
  readonly request: unknown
  readonly started_at: Date
  readonly ended_at: Date | null
  readonly totals: unknown
}

const fromRow = (row: Row): Run => ({
  runId: row.run_id,
  status: row.status,
  request: row.request,
  startedAt: row.started_at.getTime(),
  endedAt: row.ended_at?.getTime(),
  totals: row.totals
})

const eventRow = (event: Event) => ({
  type: event.type,
  asset: "asset" in event ? event.asset : null,
  partition: "results" in event && event.results.length === 1 ? event.results[0]!.partition : null,
  data: event
})

const insertEvents = (sql: SqlClient.SqlClient, runId: string, events: ReadonlyArray<Event>, now: number) =>
  sql`insert into barograph.events (run_id, at, type, asset, partition, data)
    select ${runId}, ${new Date(now)}, e.type, e.asset, e.partition, e.data
    from jsonb_to_recordset(${JSON.stringify(events.map(eventRow))}::jsonb)
      as e(type text, asset text, partition text, data jsonb)`

const recover = (sql: SqlClient.SqlClient) =>
  sql.withTransaction(Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const gone = yield* sql<{ run_id: string }>`update barograph.runs set status = 'interrupted',
      ended_at = ${new Date(now)}, ended = nextval('barograph.numbers') where run_id in (
      select run_id from barograph.runs where status = 'running'
        and pg_try_advisory_xact_lock(hashtextextended('barograph/run/' || run_id, 0)) for update skip locked
    ) returning run_id`
    for (const { run_id } of gone) {
      yield* insertEvents(sql, run_id, [{ type: "RunEnded", status: "interrupted" }], now)
    }
    return gone.map((row) => row.run_id)
  }))

const make = (sql: SqlClient.SqlClient): RunStore["Service"] => ({
  begin: (runId, request) =>
    Effect.flatMap(
      Clock.currentTimeMillis,
      (now) =>
        sql<{ number: number }>`insert into barograph.runs (run_id, status, request, started_at, number)
        values (${runId}, 'running', ${JSON.stringify(request)}::jsonb, ${new Date(now)}, nextval('barograph.numbers'))
        returning number::float8 as number`
    ).pipe(
      Effect.map(([row]) => row!.number),
      during("begin run")
    ),
  append: (runId, events) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => insertEvents(sql, runId, events, now)).pipe(
      Effect.asVoid,
      during("record events")
    ),
  end: (runId, status, totals) =>
    sql.withTransaction(Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      yield* sql`update barograph.runs set status = ${status}, ended_at = ${new Date(now)},
        ended = nextval('barograph.numbers'), totals = ${JSON.stringify(totals)}::jsonb where run_id = ${runId}`
      yield* insertEvents(sql, runId, [{ type: "RunEnded", status }], now)
    })).pipe(during("end run")),
  requestCancel: (runId) =>
    Effect.flatMap(
      Clock.currentTimeMillis,
      (now) =>
        sql`update barograph.runs set cancel_requested_at = ${new Date(now)}
        where run_id = ${runId} and status = 'running' returning run_id`
    ).pipe(
      Effect.map((rows) => rows.length > 0),
      during("cancel run")
    ),
  isCancelRequested: (runId) =>
    sql`select 1 from barograph.runs where run_id = ${runId} and cancel_requested_at is not null`.pipe(
      Effect.map((rows) => rows.length > 0),
      during("look for a cancel request")
    ),
  list: (limit) =>
    sql<Row>`select run_id, status, request, started_at, ended_at, totals from barograph.runs
      order by started_at desc, run_id limit ${limit}`.pipe(
      Effect.map((rows) => rows.map(fromRow)),
      during("list runs")
    ),
  find: (runId) =>
    sql<Row>`select run_id, status, request, started_at, ended_at, totals from barograph.runs
      where run_id = ${runId}`.pipe(
      Effect.map((rows) => rows[0] === undefined ? undefined : fromRow(rows[0])),
      during("find run")
    ),
  events: (runId) =>
    sql<{ at: Date; data: Event }>`select at, data from barograph.events where run_id = ${runId}
      order by event_id`.pipe(
      Effect.map((rows) => rows.map((row) => ({ at: row.at.getTime(), event: row.data }))),
      during("read events")
    ),
  ends: (numbers) =>
    sql<{ number: number; ended: number }>`select number::float8 as number, ended::float8 as ended
      from barograph.runs where ended is not null
        and number in (select value::bigint from jsonb_array_elements_text(${JSON.stringify(numbers)}::jsonb))`.pipe(
      Effect.map((rows) => new Map(rows.map(({ ended, number }) => [number, ended]))),
      during("read when runs ended")
    ),
  atomically: (effect) =>
    sql.withTransaction(effect).pipe(
      Effect.mapError((error) =>
        SqlError.isSqlError(error) ? new StoreError({ operation: "commit", message: error.message }) : error
      )
    ),
  recover: during("recover runs")(recover(sql))
})

const makeMemory = (): RunStore["Service"] => {
  const runs = new Map<string, Run>()
  const events = new Map<string, Array<RecordedEvent>>()
  const canceled = new Set<string>()
  const ended = new Map<number, number>()
  const numbers = new Map<string, number>()
  let last = 0
  const append = (runId: string, added: ReadonlyArray<Event>) =>
    Effect.map(Clock.currentTimeMillis, (at) => {
      for (const event of added) events.get(runId)!.push({ at, event })
    })
  return {
    begin: (runId, request) =>
      Effect.map(Clock.currentTimeMillis, (startedAt) => {
        runs.set(runId, { runId, status: "running", request, startedAt, endedAt: undefined, totals: undefined })
        events.set(runId, [])
        numbers.set(runId, ++last)
        return last
      }),
    append,
    end: (runId, status, totals) =>
      Effect.flatMap(Clock.currentTimeMillis, (endedAt) => {
        runs.set(runId, { ...runs.get(runId)!, status, totals, endedAt })
        ended.set(numbers.get(runId)!, ++last)
        return append(runId, [{ type: "RunEnded", status }])
      }),
    requestCancel: (runId) =>
      Effect.sync(() => runs.get(runId)?.status === "running" && canceled.add(runId) !== undefined),
    isCancelRequested: (runId) => Effect.sync(() => canceled.has(runId)),
    list: (limit) => Effect.sync(() => [...runs.values()].reverse().slice(0, limit)),
    find: (runId) => Effect.sync(() => runs.get(runId)),
    events: (runId) => Effect.sync(() => events.get(runId) ?? []),
    ends: () => Effect.sync(() => new Map(ended)),
    atomically: (effect) => effect,
    recover: Effect.succeed([])
  }
}
