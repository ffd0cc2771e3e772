/**
 * Works on a stored backfill, slice by slice: claim the next one, plan it as things are now, execute it as an ordinary run,
 * write down what became of it. Stages keep the order of the dependencies.
 *
 * Any number of processes may work on one backfill, and any of them may be killed: a slice of a process that is gone is
 * claimed again, and what it had materialized is up to date by then, forced or not. Two slices may need the same upstream
 * partition: the claims of their runs see to it that one makes it and the other finds it made.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import * as Partitions from "../partition/Partitions.ts"
import * as PartitionSelector from "../partition/PartitionSelector.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import * as Plan from "../plan/Plan.ts"
import type * as Slices from "../plan/Slices.ts"
import {
  type Backfill,
  type BackfillRequest,
  BackfillStore,
  type Slice,
  type SliceResult
} from "../store/BackfillStore.ts"
import { Claims } from "../store/Claims.ts"
import { RunStore } from "../store/RunStore.ts"
import { StoreError } from "../store/StoreError.ts"
import type * as Admission from "./Admission.ts"
import { message } from "./CauseText.ts"
import type { Event } from "./Event.ts"
import { Executor } from "./Executor.ts"
import type * as Pool from "./Pool.ts"
import * as RunId from "./RunId.ts"
import * as Situation from "./Situation.ts"
import { type Failure, mergeFailures, type Summary } from "./Summary.ts"

/** What an observer hears of; what is said of the backfill counts the work of other processes too. */
export type BackfillEvent =
  /** A slice in which nothing is left to do ends without having started. */
  | { readonly type: "SliceStarted"; readonly slice: Slice; readonly backfill: Backfill }
  | { readonly type: "Step"; readonly slice: Slice; readonly event: Event }
  | { readonly type: "SliceEnded"; readonly slice: Slice; readonly result: SliceResult; readonly backfill: Backfill }

export interface Options {
  /** Steps at a time. */
  readonly concurrency: number
  /** Slots of each pool, in all processes together. */
  readonly pools: Pool.Limits
  /** Which runs may go on at a time. */
  readonly limits: Admission.Limits
  /** Of the leader that works on it. */
  readonly term?: number | undefined
  /** Asked before each slice; false leaves the rest to others. */
  readonly goesOn?: (() => boolean) | undefined
  readonly observe: (event: BackfillEvent) => Effect.Effect<void>
}

/** Stores the request with its slices, see `Slices.cut`; answers its id. */
export const create = Effect.fnUntraced(function*(request: BackfillRequest, slices: ReadonlyArray<Slices.Slice>) {
  const backfillId = `b${yield* RunId.make}`
  const texts = slices.map(({ asset, set, stage }) => ({
    stage,
    asset,
    partitions: PartitionSet.toText(set),
    count: PartitionSet.size(set)
  }))
  yield* (yield* BackfillStore).create(backfillId, request, texts)
  return backfillId
})

/** The partitions of a slice as they are called now; a sentence when they are not what they were. */
const partitionsOf = (
  graph: AssetGraph.Any,
  { asset, count, partitions }: Slice,
  universe: Partitions.Universe
): Result.Result<PartitionSet.PartitionSet, string> => {
  const found = graph.assets.get(asset)
  if (found === undefined) return Result.fail(`the graph has no asset ${asset} any more`)
  const set = PartitionSelector.toSet(partitions, Partitions.space(found.dimensions, universe))
  if (Result.isFailure(set) || PartitionSet.size(set.success) === count) return set
  const now = PartitionSet.size(set.success)
  return Result.fail(`${partitions} was ${count} partitions and is ${now} by now: start another backfill`)
}

const failure = (slice: Slice, error: string, count: number): Failure => ({
  asset: slice.asset,
  error,
  tag: undefined,
  blocked: false,
  count,
  partitions: [slice.partitions]
})

const upToDateIn = (plan: Plan.Plan, slice: Slice): number =>
  plan.assets.find(({ asset }) => asset.name === slice.asset)?.upToDate ?? 0

const resultOf = (slice: Slice, plan: Plan.Plan, summary: Summary): SliceResult => {
  if (summary.status === "succeeded") return { status: "done", done: slice.count, failures: [] }
  const totals = summary.assets[slice.asset]
  const done = upToDateIn(plan, slice) + (totals?.materialized ?? 0) + (totals?.skipped ?? 0)
  const why = summary.status === "canceled" ? "the run was canceled" : summary.why
  const cut = why === undefined ? [] : [failure(slice, why, slice.count - done)]
  return { status: "failed", done, failures: mergeFailures([...summary.failures, ...cut]) }
}

/** A run that is asked for again asks for the slice alone. */
const runRequest = ({ asset, backfillId, partitions, position }: Slice, { ancestors, force }: BackfillRequest) => ({
  assets: ancestors ? [asset] : [],
  select: ancestors ? null : asset,
  partition: partitions,
  force,
  backfill: backfillId,
  slice: position
})

const planOf = <R>(
  graph: AssetGraph.AssetGraph<string, R>,
  backfill: Backfill,
  { asset }: Slice,
  set: PartitionSet.PartitionSet
) => {
  const { ancestors, force } = backfill.request
  // What `--only` left out is in no slice; what is in one is brought up to date whatever becomes of it meanwhile.
  return Situation.plan(graph, { targets: [{ asset, set }], ancestors, force, only: "all" }, set.space.universe)
}

/** Undefined when the slice is not wanted any more. */
const execute = <R>(plan: Plan.Plan<R>, backfill: Backfill, slice: Slice, options: Options) =>
  Effect.gen(function*() {
    const runId = yield* RunId.make
    const done = upToDateIn(plan, slice)
    if (!(yield* (yield* BackfillStore).attach(slice, runId, done))) return undefined
    yield* options.observe({ type: "SliceStarted", slice: { ...slice, done, runId }, backfill })
    const summary = yield* (yield* Executor).execute(plan, {
      runId,
      concurrency: options.concurrency,
      pools: options.pools,
      limits: options.limits,
      term: options.term,
      tags: { ...backfill.request.tags, backfill: backfill.backfillId },
      request: runRequest(slice, backfill.request),
      observe: (event) => options.observe({ type: "Step", slice, event }),
      forcedSince: backfill.createdAt
    })
    return resultOf(slice, plan, summary)
  })

const failed = (slice: Slice, why: string): SliceResult => ({
  status: "failed",
  done: 0,
  failures: [failure(slice, why, slice.count)]
})

/** What cannot be planned fails its slice, with its reason: given back, it would hold up every other backfill for ever. */
const perform = <R>(graph: AssetGraph.AssetGraph<string, R>, backfill: Backfill, slice: Slice, options: Options) =>
  Effect.gen(function*() {
    const set = partitionsOf(graph, slice, yield* Situation.universe)
    if (Result.isFailure(set)) return failed(slice, set.failure)
    const plan = yield* planOf(graph, backfill, slice, set.success)
    if (Plan.isEmpty(plan)) return { status: "done", done: slice.count, failures: [] } satisfies SliceResult
    return yield* execute(plan, backfill, slice, options)
  }).pipe(Effect.catchCause((cause) => {
    const error = Cause.squash(cause)
    return error instanceof StoreError ? Effect.fail(error) : Effect.succeed(failed(slice, message(cause)))
  }))

/** Whatever happens to the worker, the slice is over or pending again. */
const takeUp = <R>(graph: AssetGraph.AssetGraph<string, R>, backfill: Backfill, slice: Slice, options: Options) =>
  Effect.gen(function*() {
    const store = yield* BackfillStore
    const result = yield* perform(graph, backfill, slice, options)
    const now = yield* store.find(backfill.backfillId)
    // A run that was stopped with its backfill is not to blame.
    const stopped = result?.status === "failed" && now?.status === "canceled"
    if (result === undefined || stopped) return yield* store.release(slice)
    yield* store.finish(slice, result)
    const after = yield* store.find(backfill.backfillId)
    yield* options.observe({ type: "SliceEnded", slice, result, backfill: after ?? backfill })
  }).pipe(Effect.onError(() => Effect.flatMap(BackfillStore, (store) => Effect.ignore(store.release(slice)))))

/** How soon a worker that has nothing to do looks again for slices of a stage that has begun, or of a worker that died. */
const IDLE = "500 millis"

/**
 * Works until the backfill is over, and answers how it stands then; undefined when it is gone or left to others. While
 * other processes hold the last slices of a stage it waits, and takes over from those that die.
 */
export const work = <R>(graph: AssetGraph.AssetGraph<string, R>, backfillId: string, options: Options) =>
  Effect.scoped(Effect.gen(function*() {
    const store = yield* BackfillStore
    const worker = `${backfillId}/${yield* RunId.make}`
    yield* (yield* Claims).hold(worker)
    while (options.goesOn?.() ?? true) {
      const slice = yield* store.claim(backfillId, worker, options.term)
      const backfill = yield* store.settle(backfillId)
      if (backfill === undefined) return undefined
      if (slice !== undefined) yield* takeUp(graph, backfill, slice, options)
      else if (backfill.status !== "running") return backfill
      else yield* Effect.sleep(IDLE)
    }
    return undefined
  }))

const ASK_AGAIN = Schedule.spaced("200 millis")

/** Asks the runs of the running slices to stop; true when each has been asked, or is over. */
const askRuns = Effect.fnUntraced(function*(backfillId: string, asked: Set<string>) {
  const store = yield* BackfillStore
  const runs = yield* RunStore
  yield* store.recover
  const running = (yield* store.slices(backfillId)).filter(({ status }) => status === "running")
  for (const { runId } of running) {
    if (runId !== undefined && (yield* runs.requestCancel(runId))) asked.add(runId)
  }
  return running.every(({ runId }) => runId !== undefined && asked.has(runId))
})

/**
 * Stops the backfill, whoever works on it. False when it is over already, or not known. A slice whose run has not begun
 * yet is given back by its worker, or its run is asked as soon as it has.
 */
export const cancel = Effect.fnUntraced(function*(backfillId: string) {
  if (!(yield* (yield* BackfillStore).cancel(backfillId))) return false
  const asked = new Set<string>()
  yield* Effect.repeat(askRuns(backfillId, asked), { until: (all) => all, schedule: ASK_AGAIN })
  return true
})

/** The failures of all slices, the most frequent first. */
export const failuresOf = (slices: ReadonlyArray<Slice>): ReadonlyArray<Failure> =>
  [...mergeFailures(slices.flatMap(({ failures }) => failures))].sort((a, b) => b.count - a.count)

/** How many partitions of the slice these events of its run bring through, those that failed left out. */
export const doneIn = ({ asset }: Slice, events: ReadonlyArray<Event>): number => {
  let done = 0
  for (const event of events) {
    if (event.type === "Materialized" && event.asset === asset) done += event.results.length
    if (event.type === "Skipped" && event.asset === asset) done += event.partitions.length
  }
  return done
}
