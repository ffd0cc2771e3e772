/**
 * How a daemon ends that is asked to stop. A first signal interrupts it, and it drains; a second one means now. One that
 * cannot end, since its database hangs or a run cannot be interrupted, is ended: the next leader does without its help.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/** For what is left to do after the drain: a few statements, and the end of an embedded server. */
const LAST = Duration.seconds(10)

const SIGNALS = ["SIGINT", "SIGTERM"] as const

const signaled = Effect.callback<void>((resume) => {
  const heard = () => resume(Effect.void)
  for (const name of SIGNALS) process.on(name, heard)
  return Effect.sync(() => {
    for (const name of SIGNALS) process.off(name, heard)
  })
})

/** 128 and SIGINT, as for everybody who is interrupted. */
const INTERRUPTED = 130

const ending = (drain: Duration.Duration, hurry: Deferred.Deferred<void>) =>
  Effect.gen(function*() {
    yield* Effect.raceFirst(Effect.sleep(drain), Effect.andThen(signaled, Deferred.succeed(hurry, undefined)))
    yield* Effect.sleep(LAST)
    yield* Effect.logError(
      "ends at once: the database does not answer, or a run does not end though it was interrupted"
    )
    return process.exit(INTERRUPTED)
  })

/** `use` gets what happens when the drain is over at once. */
export const bounded = <A, E, R>(
  drain: Duration.Duration,
  use: (hurried: Effect.Effect<void>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const hurry = yield* Deferred.make<void>()
    let last: Fiber.Fiber<unknown> | undefined
    // Interrupted beside what it watches: by the time that has ended it would be too late.
    const watch = Effect.onInterrupt(Effect.never, () =>
      Effect.map(Effect.forkDetach(ending(drain, hurry)), (fiber) => void (last = fiber)))
    return yield* Effect.raceFirst(use(Deferred.await(hurry)), watch).pipe(
      Effect.ensuring(Effect.suspend(() =>
        last === undefined ? Effect.void : Fiber.interrupt(last)
      ))
    )
  })
