/**
 * Runs and their events. A run is `running` until its process ends it, or until another one finds that process gone.
 *
 * A run that automation asked for is `requested` until a daemon takes it; its key makes it one, however often it is asked
 * for. What cuts it off makes it `interrupted`, and `resume` asks for its next attempt.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqlError from "effect/sql/SqlError"
import * as Admission from "../run/Admission.ts"
import type { Event, RunStatus } from "../run/Event.ts"
import * as RunMemory from "./RunMemory.ts"
import * as RunQueue from "./RunQueue.ts"
import * as RunRow from "./RunRow.ts"
import { notify, Signals } from "./Signals.ts"
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
  /** What asked for it; undefined for a run of a command. */
  readonly runKey: string | undefined
  /** Counted from 1. */
  readonly attempt: number
  /** When the first attempt was asked for; undefined for a run of a command. */
  readonly requestedAt: number | undefined
}

/** What a run comes with. */
export interface NewRun {
  readonly runId: string
  /** What was asked for. */
  readonly request: unknown
  readonly tags: Tags
  readonly priority: number
  /** Of the leader that runs it. */
  readonly term?: number | undefined
}

/** What a run that is to wait for a daemon comes with. */
export interface RequestedRun extends NewRun {
  readonly runKey: string
  /** How often it may be tried in all, when its process dies. */
  readonly attempts: number
  /** Epoch milliseconds. */
  readonly notBefore?: number | undefined
}

/** A page of runs, newest first. */
export interface Page {
  readonly limit: number
  /** The last run of the page before. */
  readonly before?: string | undefined
  readonly status?: RunStatus | undefined
  readonly tags?: Tags | undefined
}

export interface Waiting {
  readonly requested: number
  readonly queued: number
  readonly running: number
  readonly oldestRequest: number | undefined
}

export interface RecordedEvent {
  readonly at: number
  readonly event: Event
}

export class RunStore extends Context.Service<RunStore, {
  /** Answers the ids of those whose keys are new; the others have been asked for already. */
  readonly request: (runs: ReadonlyArray<RequestedRun>) => Effect.Effect<ReadonlyArray<string>, StoreError>
  /** Requested runs that may begin and have none of these tags, in the order in which they are to; the first thousand. */
  readonly requested: (without: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Run>, StoreError>
  /** Runs of any process that go on, or wait in it for their turn. */
  readonly going: Effect.Effect<ReadonlyArray<Admission.Waiting>, StoreError>
  /** Runs with these tags that are not over, or were cut off and are to be taken up again; the newest first. */
  readonly unfinished: (tags: Tags) => Effect.Effect<ReadonlyArray<Run>, StoreError>
  /** When the next requested run may begin that may not yet; epoch milliseconds. */
  readonly nextRequested: Effect.Effect<number | undefined, StoreError>
  /** How many are not over, and since when the first of those could have begun that wait for a daemon; epoch milliseconds. */
  readonly waiting: Effect.Effect<Waiting, StoreError>
  /** Asks for the next attempt of runs that were cut off and have one left; answers their ids. */
  readonly resume: Effect.Effect<ReadonlyArray<string>, StoreError>
  /** Takes the runs of earlier terms from whoever holds them, alive or not; answers which. */
  readonly seize: (term: number) => Effect.Effect<ReadonlyArray<string>, StoreError>
  /** The run is there, or was requested, and waits for its turn. Fails for one that was canceled, or has begun, meanwhile. */
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
  /** Asks the process of a run to stop, or nobody to take up one that was cut off; false when the run is over. */
  readonly requestCancel: (runId: string) => Effect.Effect<boolean, StoreError>
  /** Fails when somebody else marked the run: its process has lost it. */
  readonly isCancelRequested: (runId: string) => Effect.Effect<boolean, StoreError>
  /** Newest first. */
  readonly list: (page: Page) => Effect.Effect<ReadonlyArray<Run>, StoreError>
  readonly find: (runId: string) => Effect.Effect<Run | undefined, StoreError>
  readonly events: (runId: string) => Effect.Effect<ReadonlyArray<RecordedEvent>, StoreError>
  /** For each of these run numbers the number at which the run ended; runs that go on are left out. */
  readonly ends: (numbers: ReadonlyArray<number>) => Effect.Effect<ReadonlyMap<number, number>, StoreError>
  /** Runs that ended after this number. */
  readonly endedSince: (number: number) => Effect.Effect<ReadonlyArray<Run>, StoreError>
  /** What the effect writes to the stores of the engine, it writes in one transaction. */
  readonly atomically: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StoreError, R>
  /** Marks runs whose process is gone as interrupted; answers which. */
  readonly recover: Effect.Effect<ReadonlyArray<string>, StoreError>
  /** Forgets what happened in runs before an instant, some thousands at a time; answers how many. The runs stay. */
  readonly forget: (before: number) => Effect.Effect<number, StoreError>
}>()("barograph/runtime/store/RunStore") {
  static readonly layer = Layer.effect(RunStore, Effect.map(SqlClient.SqlClient, (sql) => make(sql)))

  /** For one process; tells `Signals` as the other does. */
  static readonly layerMemory = Layer.effect(RunStore, Effect.map(Signals, RunMemory.make)).pipe(
    Layer.provideMerge(Signals.layerMemory)
  )
}

/** The advisory lock that a run's process holds on a connection of its own while the run goes on. */
export const lockName = (runId: string): string => `barograph/run/${runId}`

const takenOver = (runId: string) => ({ message: `run ${runId} was taken over by another process` })

/** A run that somebody else marked may write nothing more; whoever marks one waits for the commit. */
const append = (sql: SqlClient.SqlClient, runId: string, events: ReadonlyArray<Event>) =>
  Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const own = yield* sql`select 1 from barograph.runs where run_id = ${runId} and not fenced for share`
    if (own.length === 0) return yield* Effect.fail(takenOver(runId))
    yield* RunRow.insertEvents(sql, runId, events, now)
  })

const end = (sql: SqlClient.SqlClient, runId: string, status: RunStatus, totals: unknown, why: string | undefined) =>
  Transaction.within(sql)(Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const ended = yield* sql`update barograph.runs set status = ${status}, ended_at = ${new Date(now)},
      ended = nextval('barograph.numbers'), totals = ${JSON.stringify(totals)}::jsonb, why = ${why ?? null}
      where run_id = ${runId} and status in ('requested', 'queued', 'running') returning run_id`
    if (ended.length === 0) return
    yield* RunRow.insertEvents(sql, runId, [{ type: "RunEnded", status, why }], now)
    yield* notify(sql, { _tag: "RunEnded", runId })
  }))

/** One that waits for a daemon is canceled at once. The lock is for what `resume` takes up at the same time. */
const requestCancel = (sql: SqlClient.SqlClient, runId: string) =>
  Effect.gen(function*() {
    const now = new Date(yield* Clock.currentTimeMillis)
    yield* sql`select 1 from barograph.runs where run_id = ${runId} for no key update`
    const asked = yield* sql<{ status: RunStatus }>`update barograph.runs set cancel_requested_at = ${now}
      where run_id = ${runId} and (status in ('requested', 'queued', 'running')
        or ${sql.literal(RunQueue.RESUMABLE)}) returning status`
    if (asked[0]?.status === "requested") yield* end(sql, runId, "canceled", {}, undefined)
    return asked.length > 0
  })

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
  sql<RunRow.Row>`select ${sql.literal(RunRow.COLUMNS)} from barograph.runs
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
  request: (runs) => RunQueue.request(sql, runs).pipe(during("request runs")),
  going: sql<{ runId: string; tags: Tags }>`select run_id as "runId", tags from barograph.runs
    where status in ('queued', 'running')`.pipe(during("read runs that go on")),
  requested: (without) => RunQueue.requested(sql, without).pipe(during("read requested runs")),
  unfinished: (tags) => RunQueue.unfinished(sql, tags).pipe(during("read runs that are not over")),
  nextRequested: during("read requested runs")(RunQueue.nextRequested(sql)),
  waiting: during("count waiting runs")(RunQueue.waiting(sql)),
  resume: during("resume runs")(RunQueue.resume(sql)),
  seize: (term) => RunQueue.seize(sql, term).pipe(during("seize runs")),
  enqueue: ({ priority, request, runId, tags, term = null }) =>
    Effect.flatMap(
      Clock.currentTimeMillis,
      (now) =>
        sql`insert into barograph.runs (run_id, status, request, started_at, tags, priority, term)
        values (${runId}, 'queued', ${JSON.stringify(request)}::jsonb, ${new Date(now)},
          ${JSON.stringify(tags)}::jsonb, ${priority}, ${term})
        on conflict (run_id) do update set status = 'queued', term = ${term} where runs.status = 'requested'
        returning 1`
    ).pipe(
      Effect.filterOrFail((rows) => rows.length > 0, () => ({ message: `run ${runId} does not wait any more` })),
      Effect.asVoid,
      during("enqueue run")
    ),
  begin: (runId, limits) => begin(sql, runId, limits).pipe(during("begin run")),
  nextNumber: sql<{ number: number }>`select nextval('barograph.numbers')::float8 as number`.pipe(
    Effect.map(([row]) => row!.number),
    during("take a number")
  ),
  append: (runId, events) => append(sql, runId, events).pipe(Transaction.within(sql), during("record events")),
  end: (runId, status, totals, why) => end(sql, runId, status, totals, why).pipe(during("end run")),
  requestCancel: (runId) => requestCancel(sql, runId).pipe(Transaction.within(sql), during("cancel run")),
  isCancelRequested: (runId) =>
    sql<{ asked: boolean; fenced: boolean }>`select cancel_requested_at is not null as asked, fenced
      from barograph.runs where run_id = ${runId}`.pipe(
      Effect.filterOrFail(([run]) => run?.fenced !== true, () => takenOver(runId)),
      Effect.map(([run]) => run?.asked === true),
      during("look for a cancel request")
    ),
  list: (page) =>
    pageOf(sql, page).pipe(
      Effect.map((rows) => rows.map(RunRow.fromRow)),
      during("list runs")
    ),
  find: (runId) =>
    sql<RunRow.Row>`select ${sql.literal(RunRow.COLUMNS)} from barograph.runs
      where run_id = ${runId}`.pipe(
      Effect.map((rows) => rows[0] === undefined ? undefined : RunRow.fromRow(rows[0])),
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
  endedSince: (number) =>
    sql<RunRow.Row>`select ${sql.literal(RunRow.COLUMNS)} from barograph.runs where ended > ${number}`.pipe(
      Effect.map((rows) => rows.map(RunRow.fromRow)),
      during("find runs that ended")
    ),
  atomically: (effect) =>
    Transaction.within(sql)(effect).pipe(
      Effect.mapError((error) =>
        SqlError.isSqlError(error) ? new StoreError({ operation: "commit", message: error.message }) : error
      )
    ),
  recover: during("recover runs")(RunQueue.recover(sql)),
  forget: (before) =>
    sql`delete from barograph.events where event_id in (
      select event_id from barograph.events where at < ${new Date(before)} order by at limit 50000) returning 1`.pipe(
      Effect.map((rows) => rows.length),
      during("forget events")
    )
})
