/**
 * The staging area in PostgreSQL, schema `staging`. Building the layer migrates the schema.
 *
 * `stage` is one transaction: lock the symbol, compare and write the bars, replace the rejects, commit. Its isolation is
 * the session's default; with a stricter one than READ COMMITTED, concurrent stages of a symbol fail as retryable.
 */
import { PgClient } from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { BarStore, BarStoreError, type StagedSession, type StageRequest } from "./BarStore.ts"
import { toBarStoreError } from "./PostgresFailure.ts"
import { migrate } from "./PostgresMigrations.ts"
import { type Partition, readBars } from "./PostgresRead.ts"
import { type Counts, lock, writeBars, writeRejects } from "./PostgresStage.ts"
import * as StageBatch from "./StageBatch.ts"

const make = Effect.gen(function*() {
  const sql = yield* PgClient
  yield* migrate.pipe(
    Effect.provideService(SqlClient.SqlClient, sql),
    Effect.mapError(toBarStoreError("migrate", "schema staging"))
  )
  return BarStore.of({
    stage: Effect.fn("BarStore.stage")(function*(request: StageRequest) {
      const violation = StageBatch.violation(request)
      if (violation !== undefined) return yield* refused("stage", `${subject(request)}: ${violation}`)
      return yield* sql.withTransaction(stage(sql, request)).pipe(
        Effect.mapError(toBarStoreError("stage", subject(request)))
      )
    }),
    read: Effect.fn("BarStore.read")(function*(partitions: ReadonlyArray<Partition>) {
      const held = yield* readBars(sql, partitions).pipe(
        Effect.mapError(toBarStoreError("read", `${partitions.length} sessions`))
      )
      const mixed = partitions.find((_, index) => held[index]!.mixed)
      if (mixed !== undefined) return yield* refused("read", moreThanOneInterval(mixed))
      return held.map(({ bars }) => bars)
    })
  })
})

/** Needs a `PgClient` whose user may create a schema, or owns `staging`. */
export const layerPostgres: Layer.Layer<BarStore, BarStoreError, PgClient> = Layer.effect(BarStore, make)

const subject = ({ interval, month, symbol }: StageRequest): string => `${symbol} ${interval} ${month}`

const moreThanOneInterval = ({ session, symbol }: Partition): string =>
  `${symbol} ${session} is staged at more than one interval; delete one of them from staging.bars`

const refused = (operation: string, text: string) =>
  new BarStoreError({ operation, message: `${operation} ${text}`, retryable: false, cause: undefined })

const stage = Effect.fnUntraced(function*(
  sql: PgClient,
  request: StageRequest
): Effect.fn.Return<ReadonlyArray<StagedSession>, SqlError> {
  yield* lock(sql, request)
  const counts = new Map<string, Counts>()
  for (const batch of StageBatch.batches(request.sessions)) {
    for (const row of yield* writeBars(sql, request, batch)) counts.set(row.session, row)
  }
  yield* writeRejects(sql, request, StageBatch.quarantined(request))
  return yield* answers(sql, request, counts)
})

/** The hash of what the table now holds: that of the payload, unless the table kept rows which the payload lacks. */
const answers = Effect.fnUntraced(function*(
  sql: PgClient,
  { interval, sessions, symbol }: StageRequest,
  counts: ReadonlyMap<string, Counts>
): Effect.fn.Return<ReadonlyArray<StagedSession>, SqlError> {
  const partial = sessions.filter(({ session }) => (counts.get(session)?.kept ?? 0) > 0)
  const held = yield* readBars(sql, partial.map(({ session }) => ({ symbol, session })), interval)
  return sessions.map((session): StagedSession => {
    const { inserted, kept, removed, restated, unchanged } = counts.get(session.session) ?? none
    const bars = held[partial.indexOf(session)]?.bars ?? session.bars
    return {
      session: session.session,
      rows: inserted + unchanged + restated + kept,
      inserted,
      unchanged,
      restated,
      removed,
      rejected: session.rejects.length,
      contentHash: StageBatch.contentHash(bars)
    }
  })
})

const none = { inserted: 0, unchanged: 0, restated: 0, removed: 0, kept: 0 }
