/**
 * Waiting for another process. That takes real time whatever clock the program runs on: under a `TestClock` the server
 * still needs its 20 ms. So this module, and it alone, keeps the default clock.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

const clock = Clock.Clock.defaultValue()

/** Pauses between calls to another process, however they came about, in real time. */
export const keep = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(self, Clock.Clock, clock)

export const sleep = (millis: number): Effect.Effect<void> => clock.sleep(Duration.millis(millis))

/**
 * Asks every `every` milliseconds until the answer is not undefined; undefined when `limit` milliseconds have passed.
 *
 * **Details**
 *
 * Interruption is heeded while sleeping, never between an answer and its delivery: an answer may be a lock.
 */
export const until = <A, E>(
  ask: Effect.Effect<A | undefined, E>,
  options: { readonly every: number; readonly limit: number }
): Effect.Effect<A | undefined, E> =>
  Effect.uninterruptibleMask((restore) => loop(ask, options, (millis) => restore(sleep(millis))))

/** As `until`, for a caller that has made its region uninterruptible and knows how the pauses are to behave. */
export const loop = Effect.fnUntraced(function*<A, E>(
  ask: Effect.Effect<A | undefined, E>,
  options: { readonly every: number; readonly limit: number },
  pause: (millis: number) => Effect.Effect<void>
): Effect.fn.Return<A | undefined, E> {
  const start = clock.monotonicTimeNanosUnsafe()
  while (true) {
    const answer = yield* ask
    if (answer !== undefined) return answer
    if (Number(clock.monotonicTimeNanosUnsafe() - start) / 1e6 >= options.limit) return undefined
    yield* pause(options.every)
  }
})
