/**
 * Nothing stays "running" for ever: runs whose process is gone are marked, those that automation asked for are asked for
 * again as often as they may, and slices of backfills are given back.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AutomationStore } from "../store/AutomationStore.ts"
import { BackfillStore } from "../store/BackfillStore.ts"
import { RunStore } from "../store/RunStore.ts"
import * as Watch from "./Watch.ts"

const look = (fenced: Watch.Fenced) =>
  Effect.gen(function*() {
    const runs = yield* RunStore
    const gone = yield* runs.recover
    const resumed = yield* fenced(runs.resume)
    yield* (yield* BackfillStore).recover
    if (gone.length > 0) yield* Effect.logWarning(`interrupted: ${gone.join(", ")}`)
    if (resumed.length > 0) yield* Effect.logInfo(`taken up again: ${resumed.join(", ")}`)
    return undefined
  })

export const run = (fenced: Watch.Fenced) => Watch.watch(({ _tag }) => _tag === "Connected", look(fenced))

/** Milliseconds. */
export interface Retention {
  /** Ticks, and what they did not do; the latest of each automation is kept for good. */
  readonly ticks: number
  /** What runs tell of their steps; runs, materializations and how partitions stand are kept for good. */
  readonly events: number
}

const HOUR = 3_600_000

/** Old history goes, an hour's worth at a time. */
export const retain = (retention: Retention, fenced: Watch.Fenced) =>
  Watch.watch(
    () => false,
    Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const store = yield* AutomationStore
      const ticks = yield* fenced(store.forget(now - retention.ticks))
      const events = yield* fenced((yield* RunStore).forget(now - retention.events))
      if (ticks + events > 0) yield* Effect.logInfo(`forgotten: ${ticks} ticks, ${events} events`)
      return now + HOUR
    })
  )
