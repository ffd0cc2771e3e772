/** Evaluates schedules: each tick once, in one transaction with the run that it asks for. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as RunId from "../run/RunId.ts"
import { AutomationStore, type Memory } from "../store/AutomationStore.ts"
import { type RequestedRun, RunStore } from "../store/RunStore.ts"
import type { NewTick } from "../store/Tick.ts"
import * as Schedule from "./Schedule.ts"
import * as Watch from "./Watch.ts"

/** The tag by which an automation finds its runs. */
export const TAG = "automation"

/** A schedule that was never seen begins now. */
const sinceOf = (memory: Memory | undefined, now: number): number => {
  const cursor = memory?.cursor
  return Predicate.hasProperty(cursor, "since") && typeof cursor.since === "number" ? cursor.since : now
}

const isGoing = ({ status }: { readonly status: string }): boolean =>
  ["requested", "queued", "running"].includes(status)

/** Runs of the automation that are not over, the newest first. */
const goingOf = (key: string) =>
  Effect.flatMap(RunStore, (runs) =>
    Effect.map(
      runs.list({ limit: 50, tags: { [TAG]: key } }),
      (found) => found.filter(isGoing).map(({ runId }) => runId)
    ))

export const runOf = (self: Schedule.Schedule, runId: string, tick: number, runKey: string): RequestedRun => ({
  runId,
  runKey,
  request: self.request(tick),
  tags: { ...self.tags, [TAG]: Schedule.keyOf(self) },
  priority: self.priority,
  attempts: self.attempts,
  notBefore: Schedule.startOf(self, tick)
})

const wanted = Effect.fnUntraced(function*(self: Schedule.Schedule, decided: Schedule.Decided) {
  const runs = yield* RunStore
  if (self.overlap === "cancel") {
    for (const runId of yield* goingOf(Schedule.keyOf(self))) yield* runs.requestCancel(runId)
  }
  return yield* runs.request([
    runOf(self, yield* RunId.make, decided.due, Schedule.runKey(self, decided.due))
  ])
})

const evaluate = (self: Schedule.Schedule, since: number, memory: Memory | undefined, now: number) =>
  Effect.gen(function*() {
    const store = yield* AutomationStore
    const key = Schedule.keyOf(self)
    const isPaused = memory?.paused ?? self.paused
    const decided = Schedule.decide(self, { since, now, isPaused, going: yield* goingOf(key) })
    const ticks: Array<NewTick> = []
    for (const { isWanted, ...tick } of decided) {
      ticks.push({ ...tick, runs: isWanted ? yield* wanted(self, { isWanted, ...tick }) : [] })
    }
    yield* store.record(key, { since: decided.at(-1)?.due ?? since }, ticks)
    for (const { due, outcome, runs, why } of ticks) {
      yield* Effect.logInfo(`schedule ${self.name}: ${outcome}${why === undefined ? "" : `, ${why}`}`).pipe(
        Effect.annotateLogs({ due: new Date(due).toISOString(), runs: runs.join(" ") })
      )
    }
  })

/** Evaluates what is due by now, and answers when the next tick is. */
const look = (schedules: ReadonlyArray<Schedule.Schedule>, fenced: Watch.Fenced) =>
  Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const memories = yield* (yield* AutomationStore).all
    let first: number | undefined
    for (const self of schedules) {
      const memory = memories.get(Schedule.keyOf(self))
      const since = sinceOf(memory, now)
      const next = Schedule.next(self, since)
      const isNew = memory?.cursor === undefined
      if (next <= now || isNew) yield* fenced(evaluate(self, since, memory, now))
      first = Math.min(first ?? Number.POSITIVE_INFINITY, next > now ? next : Schedule.next(self, now))
    }
    return first
  })

export const run = (schedules: ReadonlyArray<Schedule.Schedule>, fenced: Watch.Fenced) =>
  Watch.watch(({ _tag }) => _tag === "AutomationChanged" || _tag === "Connected", look(schedules, fenced))
