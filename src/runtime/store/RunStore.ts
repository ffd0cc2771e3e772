/** Runs and their events. A run is `running` until its process ends it, or until another one finds that process gone. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqlError from "effect/sql/SqlError"
import * as Admission from "../run/Admission.ts"
import type { Event, RunStatus } from "../run/Event.ts"
import { during, StoreError } from "./StoreError.ts"
import * as Transaction from "./Transaction.ts"

type Tags = Admission.Tags

export interface Run {
  readonly runId: string
  readonly status: RunStatus
  readonly request: unknown
  readonly tags: Tags
  readonly priority: number
  /** Epoch milliseconds; of a run that waits, when it came. */
  readonly startedAt: number
  readonly endedAt: number | undefined
  /** What the run did, per asset; there once it has ended. */
  readonly totals: unknown
  /** Why it failed as a whole, if it did. */
  readonly why: string | undefined
}

/** What a run comes with. */
export interface NewRun {
  readonly runId: string
  /** What was asked for. */
  readonly request: unknown
  readonly tags: Tags
  readonly priority: number
}

/** A page of runs, newest first. */
export interface Page {
  readonly limit: number
  /** The last run of the page before. */
  readonly before?: string | undefined
  readonly status?: RunStatus | undefined
  readonly tags?: Tags | undefined
}

export interface RecordedEvent {
  readonly at: number
  readonly event: Event
}

export class RunStore extends Context.Service<RunStore, {
  /** The run is there and waits for its turn. */
  readonly enqueue: (run: NewRun) => Effect.Effect<void, StoreError>
  /** Begins a waiting run when its turn has come; answers its number (see `Standing`), or undefined. */
  readonly begin: (runId: string, limits: Admission.Limits) => Effect.Effect<number | undefined, StoreError>
  /** A number later than all that runs have taken so far. */
  readonly nextNumber: Effect.Effect<number, StoreError>
  readonly append: (runId: string, events: ReadonlyArray<Event>) => Effect.Effect<void, StoreError>
  readonly end: (
    runId: string,
    status: RunStatus,
    totals: unknown,
    why?: string | undefined
  ) => Effect.Effect<void, StoreError>
  /** Asks the process of a run to stop; false when the run has ended. */
  readonly requestCancel: (runId: string) => Effect.Effect<boolean, StoreError>
  readonly isCancelRequested: (runId: string) => Effect.Effect<boolean, StoreError>
  /** Newest first. */
  readonly list: (page: Page) => Effect.Effect<ReadonlyArray<Run>, StoreError>
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
  readonly tags: Tags
  readonly priority: number
  readonly why: string | null
}

const fromRow = (row: Row): Run => ({
  runId: row.run_id,
  status: row.status,
  request: row.request,
  startedAt: row.started_at.getTime(),
  endedAt: row.ended_at?.getTime(),
  totals: row.totals,
  tags: row.tags,
  priority: row.priority,
  why: row.why ?? undefined
})

const COLUMNS = "run_id, status, request, started_at, ended_at, totals, tags, priority, why"

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
  Transaction.within(sql)(Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const gone = yield* sql<{ run_id: string }>`update barograph.runs set status = 'interrupted',
      ended_at = ${new Date(now)}, ended = nextval('barograph.numbers') where run_id in (
      select run_id from barograph.runs where status in ('queued', 'running')
        and pg_try_advisory_xact_lock(hashtextextended('barograph/run/' || run_id, 0)) for update skip locked
    ) returning run_id`
    for (const { run_id } of gone) {
      yield* insertEvents(sql, run_id, [{ type: "RunEnded", status: "interrupted" }], now)
    }
    return gone.map((row) => row.run_id)
  }))

/** Who begins is decided by one process at a time. */
const isAdmitted = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, runId: string, limits: Admission.Limits) {
  yield* sql`select pg_advisory_xact_lock(hashtextextended('barograph/admission', 0))`
  const rows = yield* sql<{ run_id: string; status: RunStatus; tags: Tags }>`select run_id, status, tags
    from barograph.runs where status in ('queued', 'running') order by priority desc, started_at, run_id`
  const running = rows.filter(({ status }) => status === "running").map(({ tags }) => tags)
  const queue = rows.filter(({ status }) => status === "queued").map(({ run_id, tags }) => ({ runId: run_id, tags }))
  return Admission.admitted(limits, running, queue).has(runId)
})

const begin = (sql: SqlClient.SqlClient, runId: string, limits: Admission.Limits) =>
  Transaction.within(sql)(Effect.gen(function*() {
    if (Admission.isLimited(limits) && !(yield* isAdmitted(sql, runId, limits))) return undefined
    const now = new Date(yield* Clock.currentTimeMillis)
    const [row] = yield* sql<{ number: number }>`update barograph.runs
      set status = 'running', started_at = ${now}, number = nextval('barograph.numbers')
      where run_id = ${runId} and status = 'queued' returning number::float8 as number`
    return row?.number
  }))

const pageOf = (sql: SqlClient.SqlClient, { before, limit, status, tags }: Page) =>
  sql<Row>`select ${sql.literal(COLUMNS)} from barograph.runs
    where ${
    sql.and([
      sql`true`,
      ...(before === undefined ? [] : [
        sql`(started_at, run_id) < (select started_at, run_id from barograph.runs where run_id = ${before})`
      ]),
      ...(status === undefined ? [] : [sql`status = ${status}`]),
      ...(tags === undefined ? [] : [sql`tags @> ${JSON.stringify(tags)}::jsonb`])
    ])
  }
    order by started_at desc, run_id desc limit ${limit}`

const make = (sql: SqlClient.SqlClient): RunStore["Service"] => ({
  enqueue: ({ priority, request, runId, tags }) =>
    Effect.flatMap(
      Clock.currentTimeMillis,
      (now) =>
        sql`insert into barograph.runs (run_id, status, request, started_at, tags, priority)
        values (${runId}, 'queued', ${JSON.stringify(request)}::jsonb, ${new Date(now)},
          ${JSON.stringify(tags)}::jsonb, ${priority})`
    ).pipe(Effect.asVoid, during("enqueue run")),
  begin: (runId, limits) => begin(sql, runId, limits).pipe(during("begin run")),
  nextNumber: sql<{ number: number }>`select nextval('barograph.numbers')::float8 as number`.pipe(
    Effect.map(([row]) => row!.number),
    during("take a number")
  ),
  append: (runId, events) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => insertEvents(sql, runId, events, now)).pipe(
      Effect.asVoid,
      during("record events")
    ),
  end: (runId, status, totals, why) =>
    Transaction.within(sql)(Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      yield* sql`update barograph.runs set status = ${status}, ended_at = ${new Date(now)},
        ended = nextval('barograph.numbers'), totals = ${JSON.stringify(totals)}::jsonb, why = ${why ?? null}
        where run_id = ${runId}`
      yield* insertEvents(sql, runId, [{ type: "RunEnded", status, why }], now)
    })).pipe(during("end run")),
  requestCancel: (runId) =>
    Effect.flatMap(
      Clock.currentTimeMillis,
      (now) =>
        sql`update barograph.runs set cancel_requested_at = ${new Date(now)}
        where run_id = ${runId} and status in ('queued', 'running') returning run_id`
    ).pipe(
      Effect.map((rows) => rows.length > 0),
      during("cancel run")
    ),
  isCancelRequested: (runId) =>
    sql`select 1 from barograph.runs where run_id = ${runId} and cancel_requested_at is not null`.pipe(
      Effect.map((rows) => rows.length > 0),
      during("look for a cancel request")
    ),
  list: (page) =>
    pageOf(sql, page).pipe(
      Effect.map((rows) => rows.map(fromRow)),
      during("list runs")
    ),
  find: (runId) =>
    sql<Row>`select ${sql.literal(COLUMNS)} from barograph.runs
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
    Transaction.within(sql)(effect).pipe(
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
  const going = (status: RunStatus) => [...runs.values()].filter((run) => run.status === status)
  const turnOf = (runId: string, limits: Admission.Limits): boolean => {
    const queue = going("queued").sort((a, b) => b.priority - a.priority || a.startedAt - b.startedAt)
    return Admission.admitted(limits, going("running").map(({ tags }) => tags), queue).has(runId)
  }
  return {
    enqueue: (run) =>
      Effect.map(Clock.currentTimeMillis, (startedAt) => {
        const { priority, request, runId, tags } = run
        const blank = { endedAt: undefined, totals: undefined, why: undefined }
        runs.set(runId, { runId, status: "queued", request, tags, priority, startedAt, ...blank })
        events.set(runId, [])
      }),
    begin: (runId, limits) =>
      Effect.map(Clock.currentTimeMillis, (startedAt) => {
        if (!turnOf(runId, limits)) return undefined
        runs.set(runId, { ...runs.get(runId)!, status: "running", startedAt })
        numbers.set(runId, ++last)
        return last
      }),
    nextNumber: Effect.sync(() => ++last),
    append,
    end: (runId, status, totals, why) =>
      Effect.flatMap(Clock.currentTimeMillis, (endedAt) => {
        runs.set(runId, { ...runs.get(runId)!, status, totals, endedAt, why })
        if (numbers.has(runId)) ended.set(numbers.get(runId)!, ++last)
        return append(runId, [{ type: "RunEnded", status, why }])
      }),
    requestCancel: (runId) =>
      Effect.sync(() => /^(queued|running)$/.test(runs.get(runId)?.status ?? "") && canceled.add(runId) !== undefined),
    isCancelRequested: (runId) => Effect.sync(() => canceled.has(runId)),
    list: ({ before, limit, status, tags }) =>
      Effect.sync(() => {
        const all = [...runs.values()].reverse()
        const from = before === undefined ? 0 : all.findIndex(({ runId }) => runId === before) + 1
        return all.slice(from).filter((run) =>
          (status === undefined || run.status === status) &&
          Object.entries(tags ?? {}).every(([key, value]) => run.tags[key] === value)
        ).slice(0, limit)
      }),
    find: (runId) => Effect.sync(() => runs.get(runId)),
    events: (runId) => Effect.sync(() => events.get(runId) ?? []),
    ends: () => Effect.sync(() => new Map(ended)),
    atomically: (effect) => effect,
    recover: Effect.succeed([])
  }
}
