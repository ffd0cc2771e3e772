/**
 * Calls to a vendor under a quota that all processes share: reserved before they are made, and what the vendor says of
 * its limits is told to the others.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as MarketData from "./MarketData.ts"
import * as Quota from "./Quota.ts"

/** Waits for the turn of one call; a used-up quota fails without a call. */
export const call =
  (account: string, limits: Quota.Limits, cost: number) =>
  <A, R>(effect: Effect.Effect<A, MarketData.Reason, R>): Effect.Effect<A, MarketData.Reason, R | Quota.Quota> =>
    Quota.take(account, limits, cost).pipe(
      Effect.tapErrorTag("QuotaUsedUp", () => left(account, 0)),
      Effect.mapError(reasonOf),
      Effect.andThen(Clock.currentTimeMillis),
      Effect.flatMap((start) =>
        effect.pipe(
          Effect.tapError((reason) => heard(account, limits, cost, reason)),
          Effect.tap(() => answered(account, limits, start)),
          Effect.onExit((exit) => counted(account, cost, Exit.isSuccess(exit) ? "answered" : "refused"))
        )
      )
    )

/** Calls of this process; the account's name begins with the vendor's. */
const counted = (account: string, cost: number, outcome: "answered" | "refused"): Effect.Effect<void> =>
  Metric.update(
    Metric.counter("barograph_source_calls_total", {
      description: "Calls to the vendor as its quota counts them",
      attributes: { source: account.split("/")[0]!, outcome },
      incremental: true
    }),
    cost
  )

/** Of the vendor's day, as it was when this process last called. */
const left = (account: string, calls: number): Effect.Effect<void> =>
  Metric.update(
    Metric.gauge("barograph_source_quota_left", {
      description: "What is left of the vendor's day, as of the last call",
      attributes: { source: account.split("/")[0]! }
    }),
    calls
  )

/** Where a day is limited. An answer is worth more than that the ledger knows of it. */
const answered = (account: string, limits: Quota.Limits, start: number): Effect.Effect<void, never, Quota.Quota> => {
  const { perDay } = limits
  if (perDay === undefined) return Effect.void
  return Effect.gen(function*() {
    const quota = yield* Quota.Quota
    yield* quota.accepted(account, limits, start)
    yield* left(account, Math.max(0, perDay - (yield* quota.used(account, limits))))
  }).pipe(Effect.ignore)
}

/** Nobody calls before that instant. */
export const pause = (account: string, until: number): Effect.Effect<void, MarketData.Reason, Quota.Quota> =>
  Effect.flatMap(Quota.Quota, (quota) => quota.close(account, until, "the vendor asked for silence")).pipe(
    Effect.mapError(reasonOf)
  )

const heard = Effect.fnUntraced(
  function*(account: string, limits: Quota.Limits, cost: number, reason: MarketData.Reason) {
    if (reason._tag === "Throttled") {
      return yield* pause(account, (yield* Clock.currentTimeMillis) + reason.retryAfterMillis)
    }
    if (reason._tag !== "QuotaExhausted" || limits.perDay === undefined) return
    yield* left(account, 0)
    yield* Effect.mapError((yield* Quota.Quota).exhausted(account, limits, cost), reasonOf)
  }
)

const reasonOf = (error: Quota.QuotaUsedUp | Quota.QuotaError): MarketData.Reason =>
  error._tag === "QuotaUsedUp"
    ? new MarketData.QuotaExhausted({ text: error.message })
    : new MarketData.Unavailable({ text: error.message })
