/**
 * The quotas of all processes that share a database: a row per account, locked for the millisecond that a decision
 * takes and free while the callers wait. Survives every one of them.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { MigrationError } from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Migrate from "../../../runtime/store/Migrate.ts"
import * as Transaction from "../../../runtime/store/Transaction.ts"
import * as PostgresFailure from "../../database/PostgresFailure.ts"
import { Quota, QuotaError, QuotaUsedUp } from "../Quota.ts"
import * as Ledger from "./Ledger.ts"
import initial from "./migrations/0001_quota.ts"

const toError = (cause: SqlError | MigrationError): QuotaError => {
  const { retryable, text } = PostgresFailure.make(cause)
  return new QuotaError({ message: `quota: ${text}`, retryable, cause })
}

export const layer: Layer.Layer<Quota, QuotaError, SqlClient.SqlClient> = Layer.effect(
  Quota,
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* Effect.mapError(Migrate.migrate("quota", { "0001_quota": initial }), toError)
    return make(sql)
  })
)

const read = (sql: SqlClient.SqlClient, account: string) =>
  Effect.map(
    sql<{ readonly ledger: Ledger.Ledger }>`select ledger from quota.accounts where account = ${account}`,
    ([row]) => row?.ledger ?? Ledger.empty
  )

/** The row is there before it is locked, so that two first calls of an account do not both see none. */
const locked = (sql: SqlClient.SqlClient, account: string) =>
  Effect.map(
    sql<{ readonly ledger: Ledger.Ledger }>`insert into quota.accounts (account, ledger)
      values (${account}, ${JSON.stringify(Ledger.empty)}::jsonb)
      on conflict (account) do update set account = excluded.account returning ledger`,
    ([row]) => row!.ledger
  )

const write = (sql: SqlClient.SqlClient, account: string, ledger: Ledger.Ledger) =>
  sql`update quota.accounts set ledger = ${JSON.stringify(ledger)}::jsonb where account = ${account}`

const change = (sql: SqlClient.SqlClient, account: string, how: (before: Ledger.Ledger) => Ledger.Ledger) =>
  Effect.flatMap(locked(sql, account), (before) => write(sql, account, how(before))).pipe(
    Transaction.within(sql),
    Effect.mapError(toError),
    Effect.asVoid
  )

const make = (sql: SqlClient.SqlClient): Quota["Service"] => ({
  reserve: Effect.fn("Quota.reserve")(function*(account, limits, cost) {
    const decide = Effect.gen(function*() {
      const before = yield* locked(sql, account)
      const decided = Ledger.reserve(before, limits, cost, yield* Clock.currentTimeMillis)
      if (decided._tag === "Reserved") yield* write(sql, account, decided.ledger)
      return decided
    })
    const decided = yield* Effect.mapError(Transaction.within(sql)(decide), toError)
    if (decided._tag === "Reserved") return decided.start
    return yield* new QuotaUsedUp({ account, why: decided.why, resetsAt: decided.until })
  }),
  close: Effect.fn("Quota.close")((account, until, why) =>
    change(sql, account, (before) => Ledger.closed(before, until, why))
  ),
  exhausted: Effect.fn("Quota.exhausted")(function*(account, limits, cost) {
    const now = yield* Clock.currentTimeMillis
    yield* change(sql, account, (before) => Ledger.exhausted(before, limits, cost, now))
  }),
  accepted: Effect.fn("Quota.accepted")(function*(account, limits, start) {
    const known = (ledger: Ledger.Ledger) => Ledger.accepted(ledger, limits, start)
    const ledger = yield* Effect.mapError(read(sql, account), toError)
    // All but a day's first.
    if (known(ledger) !== ledger) yield* change(sql, account, known)
  }),
  used: Effect.fn("Quota.used")(function*(account, limits) {
    const ledger = yield* Effect.mapError(read(sql, account), toError)
    return Ledger.usedOn(ledger, yield* Clock.currentTimeMillis, limits)
  })
})
