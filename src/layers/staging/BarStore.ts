/**
 * The staging area: validated, typed, deduplicated bars in PostgreSQL, with the rejected rows and the history of
 * restated ones beside them. The unit of change is a session of a symbol: staging it twice changes nothing.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Bars, Reject, SessionBars } from "../bars/Bars.ts"

export class BarStoreError extends Schema.TaggedError<BarStoreError>()("BarStoreError", {
  operation: Schema.String,
  message: Schema.String,
  /** True for lost connections, serialization failures and the like. */
  retryable: Schema.Boolean,
  cause: Schema.Defect()
}) {}

/** One decoded payload, or the asked-for sessions of it. */
export interface StageRequest {
  readonly source: string
  readonly symbol: string
  readonly interval: string
  readonly month: string
  /** Object key of the payload that the rows came from. */
  readonly payload: string
  /** When false, staged rows that the payload lacks are kept. */
  readonly complete: boolean
  readonly sessions: ReadonlyArray<SessionBars & { readonly rejects: ReadonlyArray<Reject> }>
  /** Rejects whose session is not known. They replace those of the same symbol and month. */
  readonly unplaced: ReadonlyArray<Reject>
}

/** Counts for one session. After it: rows = inserted + unchanged + restated (+ kept ones of an incomplete payload). */
export interface StagedSession {
  readonly session: string
  readonly rows: number
  readonly inserted: number
  /** Already there with the same values: the skipped ones. */
  readonly unchanged: number
  /** Already there with other values; the old ones went to `staging.bar_history`. */
  readonly restated: number
  /** There before, no longer in the payload; went to `staging.bar_history`. */
  readonly removed: number
  readonly rejected: number
  /** `Bars.contentHash` of what the store now holds for the session. */
  readonly contentHash: string
}

export class BarStore extends Context.Service<BarStore, {
  /** One transaction. Answers in the order of `request.sessions`. */
  readonly stage: (request: StageRequest) => Effect.Effect<ReadonlyArray<StagedSession>, BarStoreError>
  /** The bars of each partition, in the order asked; empty where nothing is staged. */
  readonly read: (
    partitions: ReadonlyArray<{ readonly symbol: string; readonly session: string }>
  ) => Effect.Effect<ReadonlyArray<Bars>, BarStoreError>
}>()("barograph/layers/staging/BarStore") {}
