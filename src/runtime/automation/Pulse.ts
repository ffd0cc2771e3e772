/**
 * When the loops of this process last moved. Health goes by it: a loop that hangs is noticed though the process answers.
 *
 * By a clock that never jumps. A loop that ended is forgotten: nobody waits for it.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Longer than `Watch.Patience` and a few slow statements. */
export const STALLED = 60_000

const NANOS = 1_000_000n

class Moved {
  private readonly at = new Map<string, bigint>()

  beat(loop: string, now: bigint): void {
    this.at.set(loop, now)
  }

  forget(loop: string): void {
    this.at.delete(loop)
  }

  since(now: bigint): ReadonlyArray<readonly [loop: string, millis: number]> {
    return [...this.at].map(([loop, at]) => [loop, Number((now - at) / NANOS)])
  }
}

/** Of this process. */
export const Pulse = Context.Reference("barograph/runtime/automation/Pulse", { defaultValue: () => new Moved() })

/** The loop that a fiber is part of; undefined for one whose work may well take longer. */
export const Loop = Context.Reference<string | undefined>("barograph/runtime/automation/Pulse/Loop", {
  defaultValue: () => undefined
})

export const beat = (loop: string): Effect.Effect<void> =>
  Effect.gen(function*() {
    const pulse = yield* Pulse
    pulse.beat(loop, yield* Clock.currentTimeNanos)
  })

/** The loop of the fiber moves; it is forgotten with the scope. */
export const watched: Effect.Effect<Effect.Effect<void>, never, Scope.Scope> = Effect.gen(function*() {
  const loop = yield* Loop
  if (loop === undefined) return Effect.void
  const pulse = yield* Pulse
  yield* Effect.addFinalizer(() => Effect.sync(() => pulse.forget(loop)))
  return beat(loop)
})

/** Loops that did not move within the last minute, with the seconds since they did. */
export const stalled: Effect.Effect<{ readonly [loop: string]: number }> = Effect.gen(function*() {
  const now = yield* Clock.currentTimeNanos
  const late = (yield* Pulse).since(now).filter(([, millis]) => millis > STALLED)
  return Object.fromEntries(late.map(([loop, millis]) => [loop, Math.round(millis / 1000)]))
})
