/**
 * What PostgreSQL refused, as a `BarStoreError`. The driver keeps the server's own words and its SQLSTATE in
 * `reason.cause`; the driver's message alone says only that a query failed.
 */
import * as Predicate from "effect/Predicate"
import { MigrationError } from "effect/sql/Migrator"
import type { SqlError } from "effect/sql/SqlError"
import * as Failure from "effect/sql/SqlError"
import { BarStoreError } from "./BarStore.ts"

/** Lost connections, conflicts with others, a server that is full, stopping or starting. */
const transient = /^(08|40|53|55P03|57)/

export const toBarStoreError = (operation: string, subject: string) => (error: SqlError | MigrationError) => {
  const failure = error instanceof MigrationError ? error.cause : error
  const reason = Failure.isSqlError(failure) ? failure.reason : undefined
  const code = Predicate.hasProperty(reason?.cause, "code") ? String(reason.cause.code) : ""
  const retryable = reason !== undefined && (reason.isRetryable || transient.test(code))
  const text = reason?.cause instanceof Error ? reason.cause.message : reason?.message ?? error.message
  return new BarStoreError({
    operation,
    message: `${operation} ${subject}: ${text}${retryable ? " (a passing condition: try again)" : ""}`,
    retryable,
    cause: error
  })
}
