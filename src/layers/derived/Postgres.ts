/** The derived tables in PostgreSQL, schema `derived`, made when they are first written to. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { MigrationError } from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Migrate from "../../runtime/store/Migrate.ts"
import * as Transaction from "../../runtime/store/Transaction.ts"
import * as PostgresFailure from "../database/PostgresFailure.ts"
import { DerivedStore, DerivedStoreError, type SessionBar, type SessionCoverage } from "./DerivedStore.ts"
import initial from "./migrations/0001_derived.ts"

export const layer: Layer.Layer<DerivedStore, never, SqlClient.SqlClient> = Layer.effect(
  DerivedStore,
  Effect.map(SqlClient.SqlClient, (sql) => {
    let migrated = false
    // Most commands never write here and should not wait for it.
    const migrate = Effect.suspend(() =>
      migrated
        ? Effect.void
        : Effect.tap(Migrate.migrate("derived", { "0001_derived": initial }), () => Effect.sync(() => migrated = true))
    ).pipe(Effect.provideService(SqlClient.SqlClient, sql))
    const write = (operation: string, statements: Effect.Effect<unknown, SqlError>) =>
      Effect.andThen(migrate, Transaction.within(sql)(statements)).pipe(
        Effect.mapError((cause: SqlError | MigrationError) => {
          const { retryable, text } = PostgresFailure.make(cause)
          return new DerivedStoreError({
            operation,
            message: `${operation} of the derived tables: ${text}`,
            retryable,
            cause
          })
        }),
        Effect.asVoid
      )
    return DerivedStore.of({
      putSessionBars: (rows) => write("session bars", sessionBars(sql, rows)),
      putCoverage: (symbol, month, rows) => write("coverage", coverage(sql, symbol, month, rows))
    })
  })
)

const sessionBars = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, rows: ReadonlyArray<SessionBar>) {
  const keys = JSON.stringify(rows.map(({ session, symbol }) => ({ symbol, session })))
  const found = JSON.stringify(
    rows.flatMap(({ session, summary, symbol }) =>
      summary === null ? [] : [{ symbol, session, ...summary, extended_volume: summary.extendedVolume }]
    )
  )
  yield* sql`delete from derived.session_bars as held
    using jsonb_to_recordset(${keys}::jsonb) as given(symbol text, session date)
    where held.symbol = given.symbol and held.session = given.session`
  yield* sql`insert into derived.session_bars
      (symbol, session, open, high, low, close, volume, vwap, bars, extended_volume)
    select symbol, session, open, high, low, close, volume, vwap, bars, extended_volume
    from jsonb_to_recordset(${found}::jsonb) as given(symbol text, session date, open float8, high float8, low float8,
      close float8, volume float8, vwap float8, bars int4, extended_volume float8)`
})

const coverage = Effect.fnUntraced(
  function*(sql: SqlClient.SqlClient, symbol: string, month: string, rows: ReadonlyArray<SessionCoverage>) {
    const found = JSON.stringify(rows.map(({ longestFrom, longestGap, ...row }) => ({
      ...row,
      longest_gap: longestGap,
      longest_from: longestFrom === null ? null : new Date(longestFrom).toISOString()
    })))
    const first = `${month}-01`
    yield* sql`delete from derived.coverage where symbol = ${symbol}
      and session >= ${first}::date and session < ${first}::date + interval '1 month'`
    yield* sql`insert into derived.coverage
        (symbol, session, interval, expected, present, gaps, longest_gap, longest_from)
      select symbol, session, interval, expected, present, gaps, longest_gap, longest_from
      from jsonb_to_recordset(${found}::jsonb) as given(symbol text, session date, interval text, expected int4,
        present int4, gaps int4, longest_gap int4, longest_from timestamptz)`
  }
)
