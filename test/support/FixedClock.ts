/** A time that is set and does not run, for suites over a server that has timers of its own. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** The effect at that time; it sleeps in real time. */
export const at = (now: number) => reading(() => now)

/** The effect with a millisecond between any two looks at the clock. */
export const ticking = (start: number) => {
  let ticks = 0
  return reading(() => start + ticks++)
}

const reading = (now: () => number) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Clock.Clock, (clock) =>
    Effect.provideService(effect, Clock.Clock, {
      currentTimeMillisUnsafe: now,
      currentTimeMillis: Effect.sync(now),
      currentTimeNanosUnsafe: () => BigInt(now()) * 1_000_000n,
      currentTimeNanos: Effect.sync(() => BigInt(now()) * 1_000_000n),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) => clock.sleep(duration)
    }))
