/** `RunStore` on maps, for tests, simulations and one process. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Admission from "../run/Admission.ts"
import type { Event, RunStatus } from "../run/Event.ts"
import type { RecordedEvent, RequestedRun, Run, RunStore } from "./RunStore.ts"
import type { Signals } from "./Signals.ts"
import { StoreError } from "./StoreError.ts"

interface Kept extends Run {
  readonly attempts: number
  readonly notBefore: number | undefined
  readonly term: number | undefined
  readonly fenced: boolean
}

const fresh = {
  endedAt: undefined,
  totals: undefined,
  why: undefined,
  runKey: undefined,
  attempt: 1,
  requestedAt: undefined,
  attempts: 1,
  notBefore: undefined,
  term: undefined,
  fenced: false
}

const GOING: ReadonlyArray<RunStatus> = ["requested", "queued", "running"]

const isOver = ({ status }: Run): boolean => !GOING.includes(status)

const hasAll = (run: Run, tags: Admission.Tags = {}): boolean =>
  Object.entries(tags).every(([key, value]) => run.tags[key] === value)

export const make = (signals: Signals["Service"]): RunStore["Service"] => {
  const runs = new Map<string, Kept>()
  /** Of those that are not over, or may be taken up again: looked at all the time, beside many that are over. */
  const open = new Set<string>()
  const keys = new Set<string>()
  const events = new Map<string, Array<RecordedEvent>>()
  const canceled = new Set<string>()
  const ended = new Map<number, number>()
  /** By the number at which each ended, ascending. */
  const endings: Array<readonly [runId: string, number: number]> = []
  const numbers = new Map<string, number>()
  let last = 0

  const failure = (operation: string, why: string) =>
    Effect.fail(new StoreError({ operation, message: `${operation}: ${why}` }))
  const takenOver = (operation: string, runId: string) =>
    failure(operation, `run ${runId} was taken over by another process`)

  const set = (runId: string, change: Partial<Kept>): void => void runs.set(runId, { ...runs.get(runId)!, ...change })
  const write = (runId: string, added: ReadonlyArray<Event>) =>
    Effect.map(Clock.currentTimeMillis, (at) => {
      for (const event of added) events.get(runId)!.push({ at, event })
    })
  const opened = () => [...open].map((runId) => runs.get(runId)!)
  const within = (status: RunStatus) => opened().filter((run) => run.status === status)
  const byTurn = (a: Run, b: Run): number => b.priority - a.priority || a.startedAt - b.startedAt
  const turnOf = (runId: string, limits: Admission.Limits): boolean =>
    Admission.admitted(limits, within("running").map(({ tags }) => tags), within("queued").sort(byTurn)).has(runId)
  const end = (runId: string, status: RunStatus, totals: unknown, why?: string | undefined, fenced = false) =>
    Effect.flatMap(Clock.currentTimeMillis, (endedAt) => {
      if (isOver(runs.get(runId)!)) return Effect.void
      set(runId, { status, totals, endedAt, why, fenced })
      if (status !== "interrupted") open.delete(runId)
      endings.push([runId, ++last])
      if (numbers.has(runId)) ended.set(numbers.get(runId)!, last)
      return Effect.andThen(
        write(runId, [{ type: "RunEnded", status, why }]),
        Effect.orDie(signals.send({ _tag: "RunEnded", runId }))
      )
    })
  const add = (run: Kept): void => {
    runs.set(run.runId, run)
    open.add(run.runId)
    events.set(run.runId, [])
  }
  const told = (added: ReadonlyArray<string>) =>
    added.length === 0
      ? Effect.succeed(added)
      : Effect.as(Effect.orDie(signals.send({ _tag: "RunRequested" })), added)
  /** Those whose key is not there yet; none where an id is. */
  const addAll = (operation: string, asked: ReadonlyArray<Kept>) => {
    const added = new Map<string, Kept>()
    const ids = new Set<string>()
    for (const run of asked) {
      const key = `${run.runKey} ${run.attempt}`
      if (keys.has(key) || added.has(key)) continue
      if (runs.has(run.runId) || ids.has(run.runId)) return failure(operation, `there is a run ${run.runId} already`)
      added.set(key, run)
      ids.add(run.runId)
    }
    for (const [key, run] of added) {
      keys.add(key)
      add(run)
    }
    return told([...ids])
  }
  const requestedOf = ({ attempts, notBefore, ...run }: RequestedRun, now: number): Kept => ({
    ...fresh,
    ...run,
    status: "requested",
    startedAt: now,
    requestedAt: now,
    attempts,
    notBefore,
    term: undefined
  })
  const isGivenUp = ({ fenced, why }: Kept): boolean => !fenced && why === undefined
  const isResumable = (run: Kept): boolean =>
    run.status === "interrupted" && run.runKey !== undefined && (run.attempt < run.attempts || isGivenUp(run)) &&
    !canceled.has(run.runId) && !keys.has(`${run.runKey} ${run.attempt + 1}`)
  const nextAttempt = (run: Kept, now: number): Kept => ({
    ...run,
    endedAt: undefined,
    totals: undefined,
    why: undefined,
    term: undefined,
    fenced: false,
    notBefore: undefined,
    runId: `${run.runId.replace(/[.][0-9]+$/, "")}.${run.attempt + 1}`,
    status: "requested",
    startedAt: now,
    tags: { ...run.tags, retry_of: run.runId },
    attempt: run.attempt + 1,
    attempts: run.attempts + (isGivenUp(run) ? 1 : 0)
  })

  return {
    request: (requests) =>
      Effect.flatMap(
        Clock.currentTimeMillis,
        (now) => addAll("request runs", requests.map((run) => requestedOf(run, now)))
      ),
    going: Effect.sync(() => [...within("queued"), ...within("running")].map(({ runId, tags }) => ({ runId, tags }))),
    requested: (without) =>
      Effect.map(
        Clock.currentTimeMillis,
        (now) =>
          within("requested")
            .filter(({ notBefore = 0, tags }) => notBefore <= now && !without.some((tag) => Admission.has(tags, tag)))
            .sort(byTurn)
            .slice(0, 1000)
      ),
    unfinished: (tags) =>
      Effect.sync(() => opened().filter((run) => (!isOver(run) || isResumable(run)) && hasAll(run, tags)).reverse()),
    waiting: Effect.sync(() => {
      const starts = within("requested").map(({ notBefore, startedAt }) => Math.max(startedAt, notBefore ?? 0))
      return {
        requested: starts.length,
        queued: within("queued").length,
        running: within("running").length,
        oldestRequest: starts.length === 0 ? undefined : Math.min(...starts)
      }
    }),
    nextRequested: Effect.map(Clock.currentTimeMillis, (now) =>
      within("requested").reduce<number | undefined>(
        (next, { notBefore }) =>
          notBefore === undefined || notBefore <= now ? next : Math.min(next ?? notBefore, notBefore),
        undefined
      )),
    resume: Effect.flatMap(
      Clock.currentTimeMillis,
      (now) => addAll("resume runs", opened().filter(isResumable).map((run) => nextAttempt(run, now)))
    ),
    seize: (term) =>
      Effect.forEach(
        opened().filter((run) => /^(queued|running)$/.test(run.status) && (run.term ?? term) < term),
        ({ runId }) => Effect.as(end(runId, "interrupted", undefined, undefined, true), runId)
      ),
    enqueue: ({ priority, request, runId, tags, term }) =>
      Effect.flatMap(Clock.currentTimeMillis, (startedAt) => {
        const known = runs.get(runId)
        if (known !== undefined && known.status !== "requested") {
          return failure("enqueue run", `run ${runId} does not wait any more`)
        }
        if (known !== undefined) set(runId, { status: "queued", term })
        else add({ ...fresh, runId, status: "queued", request, tags, priority, startedAt, term })
        return Effect.void
      }),
    begin: (runId, limits) =>
      Effect.map(Clock.currentTimeMillis, (startedAt) => {
        if (!turnOf(runId, limits)) return undefined
        set(runId, { status: "running", startedAt })
        numbers.set(runId, ++last)
        return last
      }),
    nextNumber: Effect.sync(() => ++last),
    append: (runId, added) =>
      runs.get(runId)!.fenced
        ? takenOver("record events", runId)
        : write(runId, added),
    end: (runId, status, totals, why) => end(runId, status, totals, why),
    requestCancel: (runId) =>
      Effect.suspend(() => {
        const run = runs.get(runId)
        if (run === undefined || isOver(run) && !isResumable(run)) return Effect.succeed(false)
        canceled.add(runId)
        return run.status === "requested" ? Effect.as(end(runId, "canceled", {}), true) : Effect.succeed(true)
      }),
    isCancelRequested: (runId) =>
      Effect.suspend(() =>
        runs.get(runId)?.fenced === true
          ? takenOver("look for a cancel request", runId)
          : Effect.succeed(canceled.has(runId))
      ),
    list: ({ before, limit, status, tags }) =>
      Effect.sync(() => {
        const isOpen = before === undefined && status !== undefined && GOING.includes(status)
        const all = isOpen ? opened().reverse() : [...runs.values()].reverse()
        const from = before === undefined ? 0 : all.findIndex(({ runId }) => runId === before) + 1
        return all.slice(from).filter((run) => (status === undefined || run.status === status) && hasAll(run, tags))
          .slice(0, limit)
      }),
    find: (runId) => Effect.sync(() => runs.get(runId)),
    events: (runId) => Effect.sync(() => events.get(runId) ?? []),
    ends: (numbers) =>
      Effect.sync(() =>
        new Map(numbers.flatMap((number) => {
          const at = ended.get(number)
          return at === undefined ? [] : [[number, at] as const]
        }))
      ),
    endedSince: (number) =>
      Effect.sync(() => {
        const from = endings.findLastIndex(([, ended]) => ended <= number) + 1
        return endings.slice(from).map(([runId]) => runs.get(runId)!)
      }),
    atomically: (effect) => effect,
    recover: Effect.succeed([]),
    forget: (before) =>
      Effect.sync(() => {
        let count = 0
        for (const [runId, own] of events) {
          const kept = own.filter(({ at }) => at >= before)
          count += own.length - kept.length
          events.set(runId, kept)
        }
        return count
      })
  }
}
