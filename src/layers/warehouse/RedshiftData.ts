/**
 * A warehouse in Amazon Redshift, serverless or provisioned, through the Data API: no driver, no network path, and no
 * bucket unless one is given for large loads. A load asks the ledger where it stands, and then runs as one transaction, or
 * as several that stage and one that swaps. It is repeated whole when another load was quicker; see `RedshiftSql.ts` for why it can be repeated at any point.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as RealTime from "../database/RealTime.ts"
import { ObjectStore } from "../lake/ObjectStore.ts"
import * as S3 from "../lake/S3.ts"
import * as Load from "./Load.ts"
import * as LoadPlan from "./LoadPlan.ts"
import * as RedshiftApi from "./RedshiftApi.ts"
import * as RedshiftCopy from "./RedshiftCopy.ts"
import * as RedshiftSchema from "./RedshiftSchema.ts"
import * as RedshiftSql from "./RedshiftSql.ts"
import * as RedshiftTarget from "./RedshiftTarget.ts"
import { type LoadedPartition, type LoadPartition, Warehouse, WarehouseError } from "./Warehouse.ts"
import { Conflict, type WarehouseReason } from "./WarehouseReason.ts"

/** `limits` below the service's own make loads take more transactions. */
export const layer = (
  target: RedshiftTarget.RedshiftTarget,
  limits: RedshiftSql.Limits = RedshiftSql.limits
): Layer.Layer<Warehouse, WarehouseError> =>
  Layer.effect(
    Warehouse,
    Effect.gen(function*() {
      const api = yield* RedshiftApi.make(target)
      yield* migrate(api, target.schema).pipe(Effect.mapError(failed("migrate", `schema ${target.schema}`)))
      return make({ api, target, limits, bucket: yield* bucketOf(target) })
    })
  )

const bucketOf = Effect.fnUntraced(function*({ copy }: RedshiftTarget.RedshiftTarget) {
  if (copy === undefined) return undefined
  return { ...copy, store: Context.get(yield* Layer.build(S3.layer(copy.bucket)), ObjectStore) }
})

/** What every load needs. */
interface Session {
  readonly api: RedshiftApi.RedshiftApi
  readonly target: RedshiftTarget.RedshiftTarget
  readonly limits: RedshiftSql.Limits
  readonly bucket: RedshiftCopy.Bucket | undefined
}

const failed = (operation: string, subject: string) => (reason: WarehouseReason): WarehouseError =>
  new WarehouseError({ operation, subject, reason })

/** The usual start asks once. Only a warehouse that was never used, or is older than the program, sees a change. */
const migrate = Effect.fnUntraced(function*(api: RedshiftApi.RedshiftApi, schema: string) {
  const ask = Effect.flatMap(api.run([RedshiftSchema.applied(schema)]), (id) => api.rows(id, 1))
  const found = yield* Effect.catch(ask, (reason) =>
    isMissing(reason)
      ? Effect.as(repeated(() => api.run(RedshiftSchema.foundation(schema))), undefined)
      : Effect.fail(reason))
  const applied = new Set(found?.rows.map(([id]) => id))
  for (const migration of RedshiftSchema.migrations(schema)) {
    if (!applied.has(migration.id)) yield* repeated(() => api.run(RedshiftSchema.apply(schema, migration)))
  }
})

const isMissing = (reason: WarehouseReason): boolean => reason._tag === "Failed" && /does not exist/.test(reason.text)

/** Runs anew after a conflict: a tenth of a second at first and five at last, a dozen times. */
const repeated = <A>(run: () => Effect.Effect<A, WarehouseReason>): Effect.Effect<A, WarehouseReason> =>
  RealTime.keep(Effect.retry(Effect.suspend(run), again))

const again = Schedule.exponential("100 millis").pipe(
  Schedule.jittered,
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.seconds(5)))),
  Schedule.upTo({ times: 12 }),
  Schedule.setInputType<WarehouseReason>(),
  Schedule.while(({ input }) => input._tag === "Conflict")
)

const make = (session: Session): Warehouse["Service"] => ({
  location: RedshiftTarget.describe(session.target),
  replace: Effect.fn("Warehouse.replace")(function*(partitions) {
    if (partitions.length === 0) return []
    const text = Load.violation(partitions)
    const toError = failed("replace", Load.subject(partitions))
    if (text !== undefined) return yield* toError(Load.refused(text))
    const now = yield* Clock.currentTimeMillis
    return yield* Effect.mapError(Effect.scoped(load(session, partitions, now)), toError)
  })
})

/** Objects in the bucket are written by the first attempt and serve all of them. */
const load = Effect.fnUntraced(function*(session: Session, partitions: ReadonlyArray<LoadPartition>, now: number) {
  const manifest = yield* copying(session, partitions, now)
  return yield* repeated(() => replace(session, partitions, now, manifest))
})

/** The manifest of what was put into the bucket, where there is one and the load is worth it. */
const copying = Effect.fnUntraced(function*(
  { bucket, limits, target: { schema } }: Session,
  partitions: ReadonlyArray<LoadPartition>,
  now: number
) {
  const rows = Load.rowsOf(partitions)
  const plan = bucket === undefined ? undefined : LoadPlan.copy(rows, limits)
  if (bucket === undefined || plan === undefined) return undefined
  yield* Effect.logDebug(LoadPlan.explain(plan, rows))
  return yield* RedshiftCopy.upload(bucket, { schema, partitions, now }, limits.objectRows)
})

const replace = Effect.fnUntraced(function*(
  session: Session,
  partitions: ReadonlyArray<LoadPartition>,
  now: number,
  manifest: string | undefined
): Effect.fn.Return<ReadonlyArray<LoadedPartition>, WarehouseReason> {
  const { api, bucket, limits, target: { region, schema } } = session
  const generations = yield* readGenerations(api, schema, partitions)
  const load = { schema, partitions, generations, limit: limits.bytes, now }
  const batch = bucket === undefined || manifest === undefined
    ? yield* prepare(api, load, limits)
    : RedshiftSql.copied(load, bucket, manifest, region)
  const id = yield* Effect.mapError(api.run(batch.statements), overtaken)
  const { rows } = yield* api.rows(id, batch.answer)
  return partitions.map(({ bars: { length } }, at) => ({
    rows: length,
    inserted: length,
    deleted: Number(rows[at]![1])
  }))
})

const overtaken = (reason: WarehouseReason): WarehouseReason =>
  reason._tag === "Failed" && RedshiftSql.isUnmet(reason.text)
    ? new Conflict({ text: "another load of the same partitions was quicker" })
    : reason

const readGenerations = Effect.fnUntraced(function*(
  api: RedshiftApi.RedshiftApi,
  schema: string,
  partitions: ReadonlyArray<LoadPartition>
) {
  const { rows } = yield* api.rows(yield* api.run([RedshiftSql.generations(schema, partitions)]), 1)
  const known = new Map(rows.map(([symbol, session, generation]) => [`${symbol} ${session}`, Number(generation)]))
  return partitions.map(({ session, symbol }) => known.get(`${symbol} ${session}`) ?? 0)
})

/** The batch that makes the load happen; what has to be staged before it, is. */
const prepare = Effect.fnUntraced(function*(
  api: RedshiftApi.RedshiftApi,
  load: RedshiftSql.Load,
  limits: RedshiftSql.Limits
) {
  const { partitions, schema } = load
  const rows = RedshiftSql.stage(partitions, limits.bytes)
  const plan = LoadPlan.choose(rows.length, RedshiftSql.nameStatements(load), limits)
  yield* Effect.logDebug(LoadPlan.explain(plan, Load.rowsOf(partitions)))
  if (plan._tag === "OneTransaction") return RedshiftSql.oneTransaction(load, rows)
  const id = RedshiftSql.loadId(load, yield* Random.nextInt)
  const shared = RedshiftSql.stageShared(schema, id, partitions, limits.bytes)
  const batches = Array.from(
    { length: Math.ceil(shared.length / plan.perBatch) },
    (_, at) => shared.slice(at * plan.perBatch, (at + 1) * plan.perBatch)
  )
  yield* Effect.forEach(batches, (batch) => api.run(batch), { concurrency: 2, discard: true })
  return RedshiftSql.swap(load, id)
})
