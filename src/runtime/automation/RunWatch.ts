/**
 * Hands every run that ends to alerts, whoever ran it: at once when its process says so, and after a downtime or a lost
 * hint by looking at the runs that ended last. What was handed over before changes nothing.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { NotLeader } from "../store/Leadership.ts"
import { type Run, RunStore } from "../store/RunStore.ts"
import { Signals } from "../store/Signals.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as Watch from "./Watch.ts"

/** So many numbers back the first look goes: a run takes one when it begins and one when it ends. */
const LATEST = 1000

/** Recovery looks every half minute: what is interrupted for longer than this is not taken up again. */
const GRACE = 120_000

type Ended = (runIds: ReadonlyArray<string>) => Effect.Effect<void, StoreError | NotLeader>

/** Whether it may still be taken up again. */
const isPassing = ({ endedAt, status }: Run, now: number): boolean =>
  status === "interrupted" && endedAt !== undefined && now - endedAt < GRACE

interface Watched {
  /** What was handed over by this process, of what it looked at last. */
  readonly seen: Map<string, number>
  /** Cut off, and may still be taken up again. */
  passing: ReadonlyArray<Run>
  /** Of the two looks before, the earlier one first: what one of them missed, for it was not committed, the next one sees. */
  numbers: readonly [number, number] | undefined
}

/** All at once: what was over by the end of a downtime is not told. */
const look = (ended: Ended, watched: Watched) =>
  Effect.gen(function*() {
    const { seen } = watched
    const runs = yield* RunStore
    const number = yield* runs.nextNumber
    const [from, to] = watched.numbers ?? [number - LATEST, number - LATEST]
    const recent = [...watched.passing, ...(yield* runs.endedSince(from))]
    const latest = [...new Map(recent.map((run) => [run.runId, run])).values()]
    const now = yield* Clock.currentTimeMillis
    const over = latest.flatMap((run) =>
      run.endedAt === undefined || seen.get(run.runId) === run.endedAt ? [] : [{ ...run, endedAt: run.endedAt }]
    ).sort((a, b) => a.endedAt - b.endedAt)
    const final = over.filter((run) => !isPassing(run, now))
    const passing = over.filter((run) => isPassing(run, now))
    yield* ended(final.map(({ runId }) => runId))
    for (const { endedAt, runId } of final) seen.set(runId, endedAt)
    const listed = new Set(latest.map(({ runId }) => runId))
    for (const runId of seen.keys()) if (!listed.has(runId)) seen.delete(runId)
    watched.passing = passing
    watched.numbers = [to, number]
    return passing[0] === undefined ? undefined : passing[0].endedAt + GRACE
  })

/** What may be taken up again is left to the looks. */
const hints = (ended: Ended, { seen }: Watched) =>
  Effect.gen(function*() {
    const runs = yield* RunStore
    const { changes } = yield* Signals
    yield* Stream.runForEach(changes, (signal) =>
      signal._tag !== "RunEnded" ?
        Effect.void :
        Effect.flatMap(runs.find(signal.runId), (run) =>
          run?.endedAt === undefined || run.status === "interrupted"
            ? Effect.void
            : Effect.andThen(ended([run.runId]), Effect.sync(() => seen.set(run.runId, run.endedAt!)))))
    return yield* Effect.never
  })

/** `ended` is that of a `Notifier`. */
export const run = (ended: Ended) =>
  Effect.suspend(() => {
    const watched: Watched = { seen: new Map(), passing: [], numbers: undefined }
    const looks = Watch.watch(({ _tag }) => _tag === "Connected", look(ended, watched))
    return Effect.map(
      Effect.all([hints(ended, watched), looks], { concurrency: "unbounded" }),
      ([never]) => never
    )
  })
