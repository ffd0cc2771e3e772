/**
 * A transaction whose connection may be lost. `withTransaction` rolls back, and where that fails because nobody is there
 * any more, it dies of the rollback's error and the error itself is gone. A server that was restarted is no mistake of
 * ours: here it stays an error, and the caller sees a lost connection.
 */
import * as Effect from "effect/Effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"

export const within =
  (sql: SqlClient.SqlClient) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
    Effect.catchDefect(
      sql.withTransaction(self),
      (defect) => isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect)
    )
