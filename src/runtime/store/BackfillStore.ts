/**
 * Backfills: a stored request, cut into slices that any number of workers take one by one.
 *
 * A backfill is requested -> running -> succeeded | failed, or canceled from either; `reopen` takes up a failed or canceled
 * one. A slice is pending -> running -> done | failed. A running slice belongs to a worker that holds its lock (see
 * `Claims.hold`): when the worker's process is gone, the slice is pending again. What a worker says of a slice that is not
 * its own any more is not heard.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type * as Admission from "../run/Admission.ts"
import type { Failure } from "../run/Summary.ts"
import * as BackfillMemory from "./BackfillMemory.ts"
import { notify } from "./Signals.ts"
import { during, type StoreError } from "./StoreError.ts"
import * as Transaction from "./Transaction.ts"

export type BackfillStatus = "requested" | "running" | "succeeded" | "failed" | "canceled"

/** What was asked for, in the words that it was asked in; the sets are the slices'. */
export interface BackfillRequest {
  /** Ancestors that need it are materialized too. */
  readonly ancestors: boolean
  readonly assets: ReadonlyArray<string>
  readonly select: string | null
  readonly partition: string | null
  readonly force: boolean
  readonly only: string
  /** Tags of the runs, beside `backfill`, which is the id. */
  readonly tags: Admission.Tags
}

export interface Backfill {
  readonly backfillId: string
  readonly status: BackfillStatus
  readonly request: BackfillRequest
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly endedAt: number | undefined
  /** How many slices there are, and how many of them are over. */
  readonly slices: number
  readonly over: number
  /** How many partitions the slices hold. */
  readonly partitions: number
  /** How many are known to be up to date; what running slices do just now is not in it. */
  readonly done: number
  /** Of the slices that are over, how many partitions are not up to date. */
  readonly failed: number
}

export interface NewSlice {
  readonly stage: number
  readonly asset: string
  /** Text of a `PartitionSet`. */
  readonly partitions: string
  readonly count: number
}

export interface SliceResult {
  readonly status: "done" | "failed"
  /** How many of its partitions are up to date. */
  readonly done: number
  readonly failures: ReadonlyArray<Failure>
}

export interface Slice extends NewSlice {
  readonly backfillId: string
  readonly position: number
  readonly status: "pending" | "running" | SliceResult["status"]
  readonly done: number
  readonly failures: ReadonlyArray<Failure>
  /** Who works on it. */
  readonly worker: string | undefined
  /** The run that works on it, or worked on it last. */
  readonly runId: string | undefined
}

export class BackfillStore extends Context.Service<BackfillStore, {
  readonly create: (
    backfillId: string,
    request: BackfillRequest,
    slices: ReadonlyArray<NewSlice>
  ) => Effect.Effect<void, StoreError>
  readonly find: (backfillId: string) => Effect.Effect<Backfill | undefined, StoreError>
  /** Newest first. */
  readonly list: (limit: number) => Effect.Effect<ReadonlyArray<Backfill>, StoreError>
  /** All that are requested or running, oldest first. */
  readonly open: Effect.Effect<ReadonlyArray<Backfill>, StoreError>
  readonly slices: (backfillId: string) => Effect.Effect<ReadonlyArray<Slice>, StoreError>
  /**
   * The next slice of the first stage that is not over; undefined when there is none to be had now. `term` is that of the
   * leader who works on it.
   */
  readonly claim: (
    backfillId: string,
    worker: string,
    term?: number | undefined
  ) => Effect.Effect<Slice | undefined, StoreError>
  /** Says which run works on the claimed slice, and how much of it was done before; false when it is not wanted any more. */
  readonly attach: (slice: Slice, runId: string, done: number) => Effect.Effect<boolean, StoreError>
  /** Gives the claimed slice back. */
  readonly release: (slice: Slice) => Effect.Effect<void, StoreError>
  readonly finish: (slice: Slice, result: SliceResult) => Effect.Effect<void, StoreError>
  /** Ends the backfill when no slice is left; answers how it stands. */
  readonly settle: (backfillId: string) => Effect.Effect<Backfill | undefined, StoreError>
  /** False when it is over already. */
  readonly cancel: (backfillId: string) => Effect.Effect<boolean, StoreError>
  /** Failed slices are pending again, and a canceled backfill goes on. */
  readonly reopen: (backfillId: string) => Effect.Effect<void, StoreError>
  /** Slices of workers whose process is gone are pending again. */
  readonly recover: Effect.Effect<void, StoreError>
}>()("barograph/runtime/store/BackfillStore") {
  static readonly layer = Layer.effect(BackfillStore, Effect.map(SqlClient.SqlClient, (sql) => make(sql)))

  static readonly layerMemory = Layer.sync(BackfillStore, () => BackfillMemory.make())
}

interface BackfillRow {
  readonly backfill_id: string
  readonly status: BackfillStatus
  readonly request: BackfillRequest
  readonly created_at: Date
  readonly ended_at: Date | null
  readonly slices: number
  readonly over: number
  readonly partitions: number
  readonly done: number
  readonly failed: number
}

const toBackfill = ({ backfill_id, created_at, ended_at, ...rest }: BackfillRow): Backfill => ({
  ...rest,
  backfillId: backfill_id,
  createdAt: created_at.getTime(),
  endedAt: ended_at?.getTime()
})

interface SliceRow extends Omit<Slice, "backfillId" | "worker" | "runId"> {
  readonly backfill_id: string
  readonly worker: string | null
  readonly run_id: string | null
}

const toSlice = ({ backfill_id, run_id, worker, ...rest }: SliceRow): Slice => ({
  ...rest,
  backfillId: backfill_id,
  worker: worker ?? undefined,
  runId: run_id ?? undefined
})

const SLICE = `backfill_id, position, stage, asset, partitions, count, status, done, worker, run_id, failures`

/** The rows of a condition on `b`, with the sums over their slices. */
const backfills = (sql: SqlClient.SqlClient, where: string, parameters: ReadonlyArray<unknown>) =>
  Effect.map(
    sql.unsafe<BackfillRow>(
      `select b.backfill_id, b.status, b.request, b.created_at, b.ended_at, s.*
      from (select * from barograph.backfills b ${where}) as b
      cross join lateral (
        select count(*)::float8 as slices, count(*) filter (where status in ('done', 'failed'))::float8 as over,
          coalesce(sum(count), 0)::float8 as partitions, coalesce(sum(done), 0)::float8 as done,
          coalesce(sum(count - done) filter (where status in ('done', 'failed')), 0)::float8 as failed
        from barograph.backfill_slices s where s.backfill_id = b.backfill_id
      ) as s
      order by b.created_at desc, b.backfill_id`,
      parameters
    ),
    (rows) => rows.map(toBackfill)
  )

const find = (sql: SqlClient.SqlClient, backfillId: string) =>
  Effect.map(backfills(sql, "where backfill_id = $1", [backfillId]), ([one]) => one)

const recover = (sql: SqlClient.SqlClient) =>
  sql`update barograph.backfill_slices set status = 'pending', worker = null, done = 0
    where (backfill_id, position) in (
      select backfill_id, position from barograph.backfill_slices
      where status = 'running' and pg_try_advisory_xact_lock(hashtextextended('barograph/run/' || worker, 0))
      for update skip locked
    )`

/** The open slices of the earliest stage come first in their index. */
const claim = (sql: SqlClient.SqlClient, backfillId: string, worker: string, term: number | null) =>
  Transaction.within(sql)(Effect.gen(function*() {
    yield* recover(sql)
    const [row] = yield* sql<
      SliceRow
    >`update barograph.backfill_slices set status = 'running', worker = ${worker}, term = ${term}, run_id = null
      where (backfill_id, position) = (
        select s.backfill_id, s.position from barograph.backfill_slices s
        join barograph.backfills b using (backfill_id)
        where s.backfill_id = ${backfillId} and s.status = 'pending' and b.status in ('requested', 'running')
          and s.stage = (select min(stage) from barograph.backfill_slices
            where backfill_id = ${backfillId} and status in ('pending', 'running'))
        order by s.position limit 1 for update of s skip locked
      ) returning ${sql.literal(SLICE)}`
    if (row === undefined) return undefined
    yield* sql`update barograph.backfills set status = 'running'
      where backfill_id = ${backfillId} and status = 'requested'`
    return toSlice(row)
  }))

/** Whoever changes the status of a backfill with an eye on its slices goes one after the other. */
const locked = <A, E>(sql: SqlClient.SqlClient, backfillId: string, effect: Effect.Effect<A, E>) =>
  Transaction.within(sql)(Effect.andThen(
    sql`select 1 from barograph.backfills where backfill_id = ${backfillId} for update`,
    effect
  ))

const settle = (sql: SqlClient.SqlClient, backfillId: string) =>
  Effect.flatMap(
    Clock.currentTimeMillis,
    (now) =>
      sql`update barograph.backfills b set ended_at = ${new Date(now)}, status = case when exists (
        select 1 from barograph.backfill_slices s where s.backfill_id = b.backfill_id and s.status = 'failed'
      ) then 'failed' else 'succeeded' end
      where backfill_id = ${backfillId} and status in ('requested', 'running') and not exists (
        select 1 from barograph.backfill_slices s
        where s.backfill_id = b.backfill_id and s.status in ('pending', 'running')
      )`
  ).pipe(Effect.andThen(find(sql, backfillId)))

const reopen = (sql: SqlClient.SqlClient, backfillId: string) =>
  Effect.all([
    sql`update barograph.backfill_slices set status = 'pending', worker = null, done = 0, failures = '[]'
      where backfill_id = ${backfillId} and status = 'failed'`,
    sql`update barograph.backfills b set status = 'running', ended_at = null
      where backfill_id = ${backfillId} and status in ('failed', 'canceled') and exists (
        select 1 from barograph.backfill_slices s
        where s.backfill_id = b.backfill_id and s.status in ('pending', 'running')
      )`,
    notify(sql, { _tag: "BackfillChanged" })
  ])

const create = (
  sql: SqlClient.SqlClient,
  backfillId: string,
  request: BackfillRequest,
  slices: ReadonlyArray<NewSlice>
) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Transaction.within(sql)(Effect.all([
      sql`insert into barograph.backfills (backfill_id, status, request, created_at)
        values (${backfillId}, 'requested', ${JSON.stringify(request)}::jsonb, ${new Date(now)})`,
      sql`insert into barograph.backfill_slices
          (backfill_id, position, stage, asset, partitions, count, status, done, failures)
        select ${backfillId}::text, s.position, s.stage, s.asset, s.partitions, s.count, 'pending', 0, '[]'
        from jsonb_to_recordset(${JSON.stringify(slices.map((slice, position) => ({ ...slice, position })))}::jsonb)
          as s(position int, stage int, asset text, partitions text, count int)`,
      notify(sql, { _tag: "BackfillChanged" })
    ])))

const isOwn = (sql: SqlClient.SqlClient, { backfillId, position, worker }: Slice) =>
  sql`backfill_id = ${backfillId} and position = ${position} and worker = ${worker ?? null} and status = 'running'`

const make = (sql: SqlClient.SqlClient): BackfillStore["Service"] => ({
  create: (backfillId, request, slices) =>
    create(sql, backfillId, request, slices).pipe(Effect.asVoid, during("create backfill")),
  find: (backfillId) => find(sql, backfillId).pipe(during("find backfill")),
  list: (limit) =>
    backfills(sql, "order by created_at desc, backfill_id limit $1", [limit]).pipe(during("list backfills")),
  open: backfills(sql, "where status in ('requested', 'running')", []).pipe(
    Effect.map((newestFirst) => newestFirst.reverse()),
    during("list open backfills")
  ),
  slices: (backfillId) =>
    sql<SliceRow>`select ${sql.literal(SLICE)} from barograph.backfill_slices
      where backfill_id = ${backfillId} order by position`.pipe(
      Effect.map((rows) => rows.map(toSlice)),
      during("read slices")
    ),
  claim: (backfillId, worker, term) => claim(sql, backfillId, worker, term ?? null).pipe(during("claim a slice")),
  attach: (slice, runId, done) =>
    sql`update barograph.backfill_slices set run_id = ${runId}, done = ${done} where ${isOwn(sql, slice)} and exists (
        select 1 from barograph.backfills b
        where b.backfill_id = backfill_slices.backfill_id and b.status in ('requested', 'running')
      ) returning position`.pipe(
      Effect.map((rows) => rows.length > 0),
      during("begin a slice")
    ),
  release: (slice) =>
    sql`update barograph.backfill_slices set status = 'pending', worker = null, done = 0
    where ${isOwn(sql, slice)}`.pipe(
      Effect.asVoid,
      during("release a slice")
    ),
  finish: (slice, { done, failures, status }) =>
    sql`update barograph.backfill_slices set status = ${status}, done = ${done}, worker = null,
      failures = ${JSON.stringify(failures)}::jsonb where ${isOwn(sql, slice)}`.pipe(
      Effect.asVoid,
      during("finish a slice")
    ),
  settle: (backfillId) => locked(sql, backfillId, settle(sql, backfillId)).pipe(during("settle backfill")),
  cancel: (backfillId) =>
    Effect.flatMap(
      Clock.currentTimeMillis,
      (now) =>
        sql`update barograph.backfills set status = 'canceled', ended_at = ${new Date(now)}
        where backfill_id = ${backfillId} and status in ('requested', 'running') returning backfill_id`
    ).pipe(
      Effect.map((rows) => rows.length > 0),
      during("cancel backfill")
    ),
  reopen: (backfillId) =>
    locked(sql, backfillId, reopen(sql, backfillId)).pipe(Effect.asVoid, during("reopen backfill")),
  recover: recover(sql).pipe(Effect.asVoid, during("recover slices"))
})
