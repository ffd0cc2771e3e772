/**
 * Writes what happens in a run to the store: events and outcomes in one transaction. While one transaction goes on, what
 * comes meanwhile is gathered for the next, so many small steps share a commit. A write returns when it is in the store.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
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
}

interface Entry {
  readonly events: ReadonlyArray<Event>
  readonly outcomes: ReadonlyArray<Outcome>
  readonly written: Deferred.Deferred<void, StoreError>
}

/** Bounds a transaction; what is more waits for the next. */
const MOST = 512

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
        Effect.sync(() => {
          for (const { written } of entries) Deferred.doneUnsafe(written, exit)
        }))
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
    yield* Effect.addFinalizer(() => flushAll)
    yield* Effect.forkScoped(loop)
    return {
      write: (events, outcomes = []) =>
        Effect.suspend(() => {
          const written = Deferred.makeUnsafe<void, StoreError>()
          pending.push({ events, outcomes, written })
          arrived.openUnsafe()
          return Deferred.await(written)
        })
    }
  })
