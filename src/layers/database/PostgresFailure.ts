/**
 * What PostgreSQL refused, in its own words: the driver's message says only that a statement failed, the server's text
 * and SQLSTATE are in `reason.cause`.
 */
import * as Predicate from "effect/Predicate"
import type { MigrationError } from "effect/sql/Migrator"
import { isSqlError, type SqlError } from "effect/sql/SqlError"

export interface PostgresFailure {
  /** The server's words. */
  readonly text: string
  readonly retryable: boolean
}

// Lost connections, conflicts with others; a server that is full, stopping or starting.
const passing = /^(08|40|53|55P03|57P)/

/** What depends on a table is named beside the message. */
const DEPENDED_ON = "2BP01"

export const make = (error: SqlError | MigrationError): PostgresFailure => {
  const failure = isSqlError(error) ? error : error.cause
  const reason = isSqlError(failure) ? failure.reason : undefined
  const code = Predicate.hasProperty(reason?.cause, "code") ? String(reason.cause.code) : ""
  const said = reason?.cause instanceof Error ? reason.cause.message : reason?.message ?? error.message
  const names = code === DEPENDED_ON && Predicate.hasProperty(reason?.cause, "detail") ? `: ${reason.cause.detail}` : ""
  return {
    text: said + names,
    retryable: reason !== undefined && (reason.isRetryable || passing.test(code))
  }
}
