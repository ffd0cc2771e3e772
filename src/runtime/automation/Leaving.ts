/**
 * Waits for an effect so long and no longer. `Effect.timeout` waits for the end of what it interrupts, which is late or
 * never where somebody else's code holds on, or a statement on a connection that hangs: here it is left behind.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

export const timeoutOrElse = <A, E, R, B, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  options: { readonly duration: Duration.Input; readonly orElse: () => Effect.Effect<B, E2, R2> }
): Effect.Effect<A | B, E | E2, R | R2> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkDetach(effect, { startImmediately: true })
    return yield* Fiber.join(fiber).pipe(
      Effect.timeoutOrElse(options),
      Effect.onExit((exit) =>
        Exit.isSuccess(exit) && fiber.pollUnsafe() !== undefined
          ? Effect.void
          : Effect.asVoid(Effect.forkDetach(Fiber.interrupt(fiber)))
      )
    )
  })
