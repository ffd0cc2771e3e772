/**
 * The shape of everything that a daemon does again and again: look; then wait for the instant that the look named, for a
 * signal, or for a while, whichever comes first.
 *
 * The wall clock may jump while nobody looks, and a signal may be lost: so no wait is longer than `Patience`, and a look
 * goes by what it finds, not by why it was made.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Stream from "effect/Stream"
import type { NotLeader } from "../store/Leadership.ts"
import { type Signal, Signals } from "../store/Signals.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as Pulse from "./Pulse.ts"

/** The longest wait, in milliseconds. A clock that cannot jump needs none, and a month of it has fewer looks. */
export const Patience = Context.Reference<number>("barograph/runtime/automation/Watch/Patience", {
  defaultValue: () => 30_000
})

/** What a leader writes is one transaction of its term. */
export type Fenced = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StoreError | NotLeader, R>

/**
 * `look` answers when to look again, epoch milliseconds; undefined when nothing is due by time alone. Whoever in this process
 * opens `woken` makes it look too.
 */
export const watch = <E, R>(
  hears: (signal: Signal) => boolean,
  look: Effect.Effect<number | undefined, E, R>,
  woken: Latch.Latch = Latch.makeUnsafe(true)
): Effect.Effect<never, E, R | Signals> =>
  Effect.scoped(Effect.gen(function*() {
    const { changes } = yield* Signals
    const patience = yield* Patience
    const beat = yield* Pulse.watched
    yield* Effect.forkScoped(Stream.runForEach(Stream.filter(changes, hears), () => woken.open))
    while (true) {
      woken.closeUnsafe()
      yield* beat
      const next = yield* look
      const wait = Math.min(patience, (next ?? Number.POSITIVE_INFINITY) - (yield* Clock.currentTimeMillis))
      yield* Effect.raceFirst(woken.await, Effect.sleep(Math.max(0, wait)))
    }
  }))
