/** What is computed from staged bars and small enough for tables: daily bars, and how complete sessions are. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SessionSummary } from "../bars/SessionSummary.ts"

export class DerivedStoreError extends Schema.TaggedError<DerivedStoreError>()("DerivedStoreError", {
  operation: Schema.String,
  message: Schema.String,
  retryable: Schema.Boolean,
  cause: Schema.Defect()
}) {}

export interface SessionKey {
  readonly symbol: string
  readonly session: string
}

export interface SessionBar extends SessionKey {
  /** Null removes the row: the session has no regular bar. */
  readonly summary: SessionSummary | null
}

export interface SessionCoverage extends SessionKey {
  readonly interval: string
  readonly expected: number
  readonly present: number
  readonly gaps: number
  /** The longest gap: how many bars, and since when, epoch milliseconds. */
  readonly longestGap: number
  readonly longestFrom: number | null
}

export class DerivedStore extends Context.Service<DerivedStore, {
  /** Replaces the rows of these sessions, all or none. */
  readonly putSessionBars: (rows: ReadonlyArray<SessionBar>) => Effect.Effect<void, DerivedStoreError>
  /** Replaces the rows of the symbol's month, all or none. */
  readonly putCoverage: (
    symbol: string,
    month: string,
    rows: ReadonlyArray<SessionCoverage>
  ) => Effect.Effect<void, DerivedStoreError>
}>()("barograph/layers/derived/DerivedStore") {}
