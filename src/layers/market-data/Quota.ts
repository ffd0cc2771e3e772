/**
 * How many calls a vendor allows, shared by all processes that use one account and remembered across restarts.
 *
 * A call reserves its start before it is made: the ledger answers the earliest instant that keeps every limit, and the
 * caller waits until then. A day that is used up, or a vendor that asked for silence, fails at once. Calls count when
 * they are reserved: a vendor counts failed and repeated ones too.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Ledger from "./quota/Ledger.ts"

export type Limits = Ledger.Limits

/** Nothing more can be asked until `resetsAt` (epoch milliseconds). */
export class QuotaUsedUp extends Schema.TaggedError<QuotaUsedUp>()("QuotaUsedUp", {
  account: Schema.String,
  why: Schema.String,
  resetsAt: Schema.Finite
}) {
  override get message(): string {
    return `quota used up: ${this.why}, resets at ${new Date(this.resetsAt).toISOString()}`
  }
}

/** The ledger itself cannot be read or written. */
export class QuotaError extends Schema.TaggedError<QuotaError>()("QuotaError", {
  message: Schema.String,
  retryable: Schema.Boolean,
  cause: Schema.Defect()
}) {}

export class Quota extends Context.Service<Quota, {
  /** When a call of that cost may start, epoch milliseconds; it is counted from now on. */
  readonly reserve: (
    account: string,
    limits: Limits,
    cost: number
  ) => Effect.Effect<number, QuotaUsedUp | QuotaError>
  /** The vendor asked for silence until then. */
  readonly close: (account: string, until: number, why: string) => Effect.Effect<void, QuotaError>
  /** A reserved call was refused because the vendor's day is used up. */
  readonly exhausted: (account: string, limits: Limits, cost: number) => Effect.Effect<void, QuotaError>
  /** A reserved call that was made at `start` was answered. */
  readonly accepted: (account: string, limits: Limits, start: number) => Effect.Effect<void, QuotaError>
  /** The cost of the calls that were reserved for the vendor's current day. */
  readonly used: (account: string, limits: Limits) => Effect.Effect<number, QuotaError>
}>()("barograph/layers/market-data/Quota") {}

/** Waits for the caller's turn. */
export const take = Effect.fnUntraced(function*(account: string, limits: Limits, cost = 1) {
  const start = yield* (yield* Quota).reserve(account, limits, cost)
  const wait = start - (yield* Clock.currentTimeMillis)
  if (wait > 0) yield* Effect.sleep(wait)
})
