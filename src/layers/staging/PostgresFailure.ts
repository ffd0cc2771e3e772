/**
 * What PostgreSQL refused, in its own words: the driver's message says only that a statement failed, the server's text
 * and SQLSTATE are in `reason.cause`.
 */
import * as Predicate from "effect/Predicate"
import type { MigrationError } from "effect/sql/Migrator"
import { isSqlError, type SqlError } from "effect/sql/SqlError"

export interface PostgresFailure {
  readonly operation: string
  readonly message: string
  readonly retryable: boolean
  readonly cause: unknown
}

// Lost connections, conflicts with others; a server that is full, stopping or starting.
const passing = /^(08|40|53|55P03|57P)/

/** The fields of a `BarStoreError` or a `WarehouseError`. `subject` says what the operation was at. */
export const make = (operation: string, subject: string, error: SqlError | MigrationError): PostgresFailure => {
  const failure = isSqlError(error) ? error : error.cause
  const reason = isSqlError(failure) ? failure.reason : undefined
  const code = Predicate.hasProperty(reason?.cause, "code") ? String(reason.cause.code) : ""
  const text = reason?.cause instanceof Error ? reason.cause.message : reason?.message ?? error.message
  return {
    operation,
    message: `${operation} ${subject}: ${text}`,
    retryable: reason !== undefined && (reason.isRetryable || passing.test(code)),
    cause: error
  }
}
