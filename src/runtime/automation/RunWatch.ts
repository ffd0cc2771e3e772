/**
 * Hands every run that ends to alerts, whoever ran it: at once when its process says so, and after a downtime or a lost
 * hint by looking at the latest runs. What was handed over before changes nothing.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { NotLeader } from "../store/Leadership.ts"
import { type Run, RunStore } from "../store/RunStore.ts"
import { Signals } from "../store/Signals.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as Watch from "./Watch.ts"

/** So many of the latest runs are looked at. */
const LATEST = 200

/** Recovery looks every half minute: what is interrupted for longer than this is not taken up again. */
const GRACE = 120_000

type Ended = (runIds: ReadonlyArray<string>) => Effect.Effect<void, StoreError | NotLeader>

/** Whether it may still be taken up again. */
const isPassing = ({ endedAt, status }: Run, now: number): boolean =>
  status === "interrupted" && endedAt !== undefined && now - endedAt < GRACE

/** `seen` holds what was handed over by this process. All at once: what was over by the end of a downtime is not told. */
const look = (ended: Ended, seen: Map<string, number>) =>
  Effect.gen(function*() {
    const latest = yield* (yield* RunStore).list({ limit: LATEST })
    const now = yield* Clock.currentTimeMillis
    const over = latest.flatMap((run) =>
      run.endedAt === undefined || seen.get(run.runId) === run.endedAt ? [] : [{ ...run, endedAt: run.endedAt }]
    ).sort((a, b) => a.endedAt - b.endedAt)
    const final = over.filter((run) => !isPassing(run, now))
    const passing = over.find((run) => isPassing(run, now))
    yield* ended(final.map(({ runId }) => runId))
    for (const { endedAt, runId } of final) seen.set(runId, endedAt)
    const listed = new Set(latest.map(({ runId }) => runId))
    for (const runId of seen.keys()) if (!listed.has(runId)) seen.delete(runId)
    return passing === undefined ? undefined : passing.endedAt + GRACE
  })

/** A run that began long ago and ends now is not among the latest. */
const hints = (ended: Ended) =>
  Effect.gen(function*() {
    const runs = yield* RunStore
    const { changes } = yield* Signals
    yield* Stream.runForEach(changes, (signal) =>
      signal._tag !== "RunEnded" ?
        Effect.void :
        Effect.flatMap(
          runs.find(signal.runId),
          (run) => run?.status === "interrupted" ? Effect.void : ended([signal.runId])
        ))
    return yield* Effect.never
  })

/** `ended` is that of a `Notifier`. */
export const run = (ended: Ended) =>
  Effect.map(
    Effect.all([
      hints(ended),
      Effect.suspend(() => {
        const seen = new Map<string, number>()
        return Watch.watch(({ _tag }) => _tag === "Connected", look(ended, seen))
      })
    ], { concurrency: "unbounded" }),
    ([never]) => never
  )
