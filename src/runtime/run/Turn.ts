/** When a run may begin, and when it must stop before it is done. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { RunStore } from "../store/RunStore.ts"
import type * as Admission from "./Admission.ts"
import type * as Summary from "./Summary.ts"

/** How soon a waiting run notices that its turn has come. */
const TURN_POLL = Schedule.spaced("250 millis")

/** The run's number once it may begin; `queued` is done when that is not at once. Those whose process is gone must not hold it back. */
export const turn = Effect.fnUntraced(function*(runId: string, limits: Admission.Limits, queued: Effect.Effect<void>) {
  const runs = yield* RunStore
  const number = yield* runs.begin(runId, limits)
  if (number !== undefined) return number
  yield* queued
  return (yield* Effect.andThen(runs.recover, runs.begin(runId, limits)).pipe(
    Effect.repeat({ until: (found) => found !== undefined, schedule: TURN_POLL })
  ))!
})

/** How soon a run notices that another process asked it to stop: each look is one small query. */
const CANCEL_POLL = "500 millis"

/** Ends when somebody asks the run to stop. */
export const canceled = (runId: string) =>
  Effect.flatMap(RunStore, (runs) => runs.isCancelRequested(runId)).pipe(
    Effect.repeat({ until: (requested) => requested, schedule: Schedule.spaced(CANCEL_POLL) }),
    Effect.as<Summary.Cut>("canceled")
  )

/** Ends when the run has taken too long; never, without a limit. */
export const timedOut = (timeout: Duration.Duration | undefined): Effect.Effect<Summary.Cut> =>
  timeout === undefined
    ? Effect.never
    : Effect.as(Effect.sleep(timeout), { why: `took longer than ${Duration.format(timeout)}` })
