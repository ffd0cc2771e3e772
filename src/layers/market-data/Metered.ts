/**
 * Calls to a vendor under a quota that all processes share: reserved before they are made, and what the vendor says of
 * its limits is told to the others.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as MarketData from "./MarketData.ts"
import * as Quota from "./Quota.ts"
import * as Ledger from "./quota/Ledger.ts"

/** Waits for the turn of one call; a used-up quota fails without a call. */
export const call =
  (account: string, limits: Quota.Limits, cost: number) =>
  <A, R>(effect: Effect.Effect<A, MarketData.Reason, R>): Effect.Effect<A, MarketData.Reason, R | Quota.Quota> =>
    Quota.take(account, limits, cost).pipe(
      Effect.mapError(reasonOf),
      Effect.andThen(Effect.tapError(effect, (reason) => heard(account, limits, reason)))
    )

/** Nobody calls before that instant. */
export const pause = (account: string, until: number): Effect.Effect<void, MarketData.Reason, Quota.Quota> =>
  Effect.flatMap(Quota.Quota, (quota) => quota.close(account, until, "the vendor asked for silence")).pipe(
    Effect.mapError(reasonOf)
  )

const heard = Effect.fnUntraced(function*(account: string, limits: Quota.Limits, reason: MarketData.Reason) {
  const now = yield* Clock.currentTimeMillis
  if (reason._tag === "Throttled") return yield* pause(account, now + reason.retryAfterMillis)
  // Used up by somebody whom the ledger does not know.
  if (reason._tag !== "QuotaExhausted" || limits.perDay === undefined) return
  const until = Ledger.resetAfter(now, limits)
  yield* Effect.mapError((yield* Quota.Quota).close(account, until, "the vendor says so"), reasonOf)
})

const reasonOf = (error: Quota.QuotaUsedUp | Quota.QuotaError): MarketData.Reason =>
  error._tag === "QuotaUsedUp"
    ? new MarketData.QuotaExhausted({ text: error.message })
    : new MarketData.Unavailable({ text: error.message })
