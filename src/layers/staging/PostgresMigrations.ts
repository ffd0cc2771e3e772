/**
 * Brings schema `staging` to this version. Processes that start together queue on an advisory lock: the first one
 * migrates, the others find nothing to do. All of it is one transaction: cut off, it has not happened.
 */
import * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import bars from "./migrations/0001_bars.ts"

const loader = Migrator.fromRecord({ "0001_bars": bars })

/** The migrator makes its table before it locks anything, and `create schema` races with itself: hence our lock. */
export const migrate: Effect.Effect<void, Migrator.MigrationError | SqlError, SqlClient.SqlClient> = Effect.gen(
  function*() {
    const sql = yield* SqlClient.SqlClient
    const locked = Effect.gen(function*() {
      yield* sql`select pg_advisory_xact_lock(hashtextextended('barograph/staging/migrate', 0))`
      // `create schema if not exists` asks for the right to create even where the schema exists.
      const [found] = yield* sql<{ missing: boolean }>`select to_regnamespace('staging') is null as missing`
      if (found?.missing === true) yield* sql`create schema staging`
      yield* Migrator.make({})({ loader, table: "staging.migrations" })
    })
    yield* sql.withTransaction(locked)
  }
)
