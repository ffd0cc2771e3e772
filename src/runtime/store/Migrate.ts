/**
 * Applies numbered migrations to a schema of its own. Migrations that were published never change; new ones are added.
 * Several processes may migrate at once: one does, the others wait and find it done.
 */
import * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import * as Transaction from "./Transaction.ts"

export type Migrations = { readonly [idAndName: string]: Effect.Effect<void, unknown, SqlClient.SqlClient> }

/** Several statements as one migration. */
export const statements = (...texts: ReadonlyArray<string>): Migrations[string] =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.forEach(texts, (text) => sql.unsafe(text), { discard: true }))

/** `schema` is a constant of the program, created when it is missing; its table `migrations` says what was applied. */
export const migrate = (schema: string, migrations: Migrations) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* sql`select pg_advisory_xact_lock(hashtextextended(${`barograph/migrate/${schema}`}, 0))`
    // Even where it is there, `if not exists` takes the right to make one, which a careful owner has taken back.
    const found = yield* sql`select from pg_namespace where nspname = ${schema}`
    if (found.length === 0) yield* sql`create schema ${sql(schema)}`
    return yield* Migrator.make({})({ loader: Migrator.fromRecord(migrations), table: `${schema}.migrations` })
  }).pipe((effect) => Effect.flatMap(SqlClient.SqlClient, (sql) => Transaction.within(sql)(effect)))
