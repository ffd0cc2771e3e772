/** When a call to the outer world is tried again: while its error says that it may pass, four times at most. */
import * as Schedule from "effect/Schedule"

/** Outages, throttling, lost connections, conflicts; an error without `retryable` would fail again. */
const passes = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "retryable" in error && error.retryable === true

/** Waits 1, 2, 4 and 8 seconds. */
export const whileRetryable = Schedule.exponential("1 second").pipe(
  Schedule.upTo({ times: 4 }),
  Schedule.setInputType<unknown>(),
  Schedule.while(({ input }) => passes(input))
)
