/** Evaluates schedules: each tick once, in one transaction with the run that it asks for. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { message } from "../run/CauseText.ts"
import * as RunId from "../run/RunId.ts"
import { AlertStore } from "../store/AlertStore.ts"
import { AutomationStore, type Memory } from "../store/AutomationStore.ts"
import { NotLeader } from "../store/Leadership.ts"
import { type RequestedRun, RunStore } from "../store/RunStore.ts"
import type { NewTick } from "../store/Tick.ts"
import * as AlertPolicy from "./AlertPolicy.ts"
import * as DaemonMetrics from "./DaemonMetrics.ts"
import type { Automation } from "./Project.ts"
import * as Schedule from "./Schedule.ts"
import * as Watch from "./Watch.ts"

/** The tag by which an automation finds its runs. */
export const TAG = "automation"

/**
 * A schedule that was never seen has none, nor has one that would wait for a clock that was far ahead. Keys keep what such a
 * clock asked for from being asked for again.
 */
const sinceOf = (memory: Memory | undefined, now: number): number | undefined => {
  const cursor = memory?.cursor
  const since = Predicate.hasProperty(cursor, "since") && typeof cursor.since === "number"
    ? cursor.since
    : Number.POSITIVE_INFINITY
  return since > now + Schedule.WRONG ? undefined : since
}

/** Runs of the automation that are not over, the newest first. */
const goingOf = (key: string) =>
  Effect.map(
    Effect.flatMap(RunStore, (runs) => runs.unfinished({ [TAG]: key })),
    (found) => found.map(({ runId }) => runId)
  )

export const runOf = (self: Schedule.Schedule, runId: string, tick: number, runKey: string): RequestedRun => ({
  runId,
  runKey,
  request: self.request(tick),
  tags: { ...self.tags, [TAG]: Schedule.keyOf(self) },
  priority: self.priority,
  attempts: self.attempts,
  notBefore: Schedule.startOf(self, tick)
})

/** The request is code of the project's, and may throw. */
const wordsOf = (self: Schedule.Schedule, runId: string, tick: number) =>
  Effect.try({
    try: () => runOf(self, runId, tick, Schedule.runKey(self, tick)),
    catch: Schedule.refusal
  })

const wanted = Effect.fnUntraced(function*(self: Schedule.Schedule, tick: number, runId: string) {
  const runs = yield* RunStore
  const run = yield* wordsOf(self, runId, tick)
  if (self.overlap === "cancel") {
    for (const runId of yield* goingOf(Schedule.keyOf(self))) yield* runs.requestCancel(runId)
  }
  return yield* runs.request([run])
})

const answered = (self: Schedule.Schedule, { isWanted, ...tick }: Schedule.Decided, ids: Iterator<string>) =>
  isWanted
    ? wanted(self, tick.due, ids.next().value).pipe(
      Effect.map((runs): NewTick => ({ ...tick, runs })),
      Effect.catchTag(
        "ScheduleError",
        ({ message }) => Effect.succeed<NewTick>({ ...tick, outcome: "failed", why: message, runs: [] })
      )
    )
    : Effect.succeed<NewTick>({ ...tick, runs: [] })

/** Whoever is told of failures is told in the same transaction. */
const told = (kind: "schedule" | "sensor", name: string, { at, outcome, why }: NewTick, failures: number) =>
  outcome === "failed" || failures > 0
    ? Effect.flatMap(
      AlertStore,
      (alerts) => alerts.observe(AlertPolicy.ofTick({ kind, name, at, error: outcome === "failed" ? why : undefined }))
    )
    : Effect.void

/** Remembers the ticks of a look, and what is to be handed in at the next one. */
export const record = Effect.fnUntraced(function*(
  { _tag, name }: Automation,
  memory: Memory | undefined,
  cursor: unknown,
  ticks: ReadonlyArray<NewTick>
) {
  const kind = _tag === "Schedule" ? "schedule" : "sensor"
  yield* (yield* AutomationStore).record(`${kind}/${name}`, cursor, ticks)
  const last = ticks.at(-1)
  if (last !== undefined) yield* told(kind, name, last, memory?.failures ?? 0)
  for (const { due, outcome, runs, why } of ticks) {
    yield* DaemonMetrics.ticked({ name: `${kind}/${name}`, outcome })
    const log = outcome === "failed" ? Effect.logWarning : outcome === "requested" ? Effect.logInfo : Effect.logDebug
    yield* log(`${kind} ${name}: ${outcome}${why === undefined ? "" : `, ${why}`}`).pipe(
      Effect.annotateLogs({ automation: `${kind}/${name}`, due: new Date(due).toISOString(), runs: runs.join(" ") })
    )
  }
})

const evaluate = (self: Schedule.Schedule, since: number, memory: Memory | undefined, now: number) =>
  Effect.gen(function*() {
    const isPaused = memory?.paused ?? self.paused
    const going = yield* goingOf(Schedule.keyOf(self))
    const decided = Schedule.decide(self, { since, now, isPaused, going })
    const ticks: Array<NewTick> = []
    const ids = (yield* RunId.several(decided.filter(({ isWanted }) => isWanted).length)).values()
    for (const one of decided) ticks.push(yield* answered(self, one, ids))
    yield* record(self, memory, { since: decided.at(-1)?.due ?? since }, ticks)
  })

/** How soon a schedule that could not be evaluated is tried again. */
const AGAIN = 5_000

/** What goes wrong with one schedule is that one's: the others go on. Only the end of the term ends them all. */
const tried = <E, R>(self: Schedule.Schedule, evaluation: Effect.Effect<void, E, R>) =>
  evaluation.pipe(
    Effect.as(true),
    Effect.catchCause((cause) =>
      Cause.hasInterrupts(cause) || Cause.squash(cause) instanceof NotLeader
        ? Effect.failCause(cause)
        : Effect.as(Effect.logWarning(`schedule ${self.name}: ${message(cause)}`), false)
    )
  )

/** Evaluates what is due by now, and answers when the next tick is. */
const look = (schedules: ReadonlyArray<Schedule.Schedule>, fenced: Watch.Fenced) =>
  Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const memories = yield* (yield* AutomationStore).all
    let first = Number.POSITIVE_INFINITY
    for (const self of schedules) {
      const memory = memories.get(Schedule.keyOf(self))
      const known = sinceOf(memory, now)
      const since = known ?? now
      const next = Schedule.next(self, since)
      const isDone = next > now && known !== undefined
        || (yield* tried(self, fenced(evaluate(self, since, memory, now))))
      first = Math.min(first, !isDone ? now + AGAIN : next > now ? next : Schedule.next(self, now))
    }
    return Number.isFinite(first) ? first : undefined
  })

export const run = (schedules: ReadonlyArray<Schedule.Schedule>, fenced: Watch.Fenced) =>
  Watch.watch(({ _tag }) => _tag === "AutomationChanged" || _tag === "Connected", look(schedules, fenced))
