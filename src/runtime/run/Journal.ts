/**
 * Writes what happens in a run to the store: events and outcomes in one transaction. While one transaction goes on, what
 * comes meanwhile is gathered for the next, so many small steps share a commit. A write returns when it is in the store.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import { CheckStore } from "../store/CheckStore.ts"
import { MaterializationStore } from "../store/MaterializationStore.ts"
import type { Outcome, RunRef } from "../store/Outcome.ts"
import { RunStore } from "../store/RunStore.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Event } from "./Event.ts"

export interface Journal {
  readonly write: (events: ReadonlyArray<Event>, outcomes?: ReadonlyArray<Outcome>) => Effect.Effect<void, StoreError>
  /** Goes along with the next write, or soon by itself; `told` runs once it is in the store. */
  readonly note: (event: Event, told: Effect.Effect<void>) => void
}

interface Entry {
  readonly events: ReadonlyArray<Event>
  readonly outcomes: ReadonlyArray<Outcome>
  readonly written: Deferred.Deferred<void, StoreError> | undefined
  readonly told: Effect.Effect<void>
}

/** Bounds a transaction; what is more waits for the next. */
const MOST = 512

/** How long a note waits for a write to go along with: a commit of its own would hold up the writes after it. */
const SOON = "20 millis"

/** What is still to be written when the scope closes is written then. */
export const make = (
  run: RunRef
): Effect.Effect<Journal, never, RunStore | MaterializationStore | CheckStore | Scope.Scope> =>
  Effect.gen(function*() {
    const runs = yield* RunStore
    const store = yield* MaterializationStore
    const checks = yield* CheckStore
    const pending: Array<Entry> = []
    const arrived = Latch.makeUnsafe(false)
    const noted = Latch.makeUnsafe(false)
    const flush = Effect.suspend(() => {
      const entries = pending.splice(0, MOST)
      const events = entries.flatMap((entry) => entry.events)
      const outcomes = entries.flatMap((entry) => entry.outcomes)
      const append = events.length === 0 ? Effect.void : runs.append(run.runId, events)
      const checked = outcomes.flatMap((outcome) => outcome.checked ?? [])
      const record = checked.length === 0 ? append : Effect.andThen(checks.record(run.runId, checked), append)
      const all = outcomes.length === 0
        ? append
        : runs.atomically(Effect.andThen(store.apply(run, outcomes), record))
      return Effect.flatMap(Effect.exit(all), (exit) =>
        Effect.forEach(entries, ({ told, written }) => {
          if (written === undefined) return Exit.isSuccess(exit) ? told : Effect.void
          return Effect.sync(() => Deferred.doneUnsafe(written, exit))
        }, { discard: true }))
    })
    const flushAll = Effect.suspend(() =>
      Effect.whileLoop({
        while: () => pending.length > 0,
        body: () => flush,
        step: () => {}
      })
    )
    const loop = Effect.forever(Effect.gen(function*() {
      yield* arrived.await
      arrived.closeUnsafe()
      yield* Effect.uninterruptible(flushAll)
    }))
    const soon = Effect.forever(Effect.gen(function*() {
      yield* noted.await
      noted.closeUnsafe()
      yield* Effect.sleep(SOON)
      if (pending.length > 0) arrived.openUnsafe()
    }))
    yield* Effect.addFinalizer(() => flushAll)
    yield* Effect.forkScoped(soon)
    yield* Effect.forkScoped(loop)
    return {
      write: (events, outcomes = []) =>
        Effect.suspend(() => {
          const written = Deferred.makeUnsafe<void, StoreError>()
          pending.push({ events, outcomes, written, told: Effect.void })
          arrived.openUnsafe()
          return Deferred.await(written)
        }),
      note: (event, told) => {
        pending.push({ events: [event], outcomes: [], written: undefined, told })
        noted.openUnsafe()
      }
    }
  })
