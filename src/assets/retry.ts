/** When a call to the outer world is tried again: while its error says that it may pass, four times at most. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"

/** Outages, throttling, lost connections, conflicts; an error without `retryable` would fail again. */
const passes = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "retryable" in error && error.retryable === true

/** A throttled call names its waiting time. */
const named = (error: unknown): number =>
  Predicate.hasProperty(error, "retryAfterMillis") && typeof error.retryAfterMillis === "number"
    ? error.retryAfterMillis
    : 0

/** Waits 1, 2, 4 and 8 seconds, or longer where the error says so. */
export const whileRetryable = Schedule.exponential("1 second").pipe(
  Schedule.upTo({ times: 4 }),
  Schedule.setInputType<unknown>(),
  Schedule.while(({ input }) => passes(input)),
  Schedule.modifyDelay(({ duration, input }) => Effect.succeed(Duration.max(duration, Duration.millis(named(input)))))
)
