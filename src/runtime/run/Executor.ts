/**
 * Runs a plan with fibers of this process.
 *
 * States of a step: waiting (for the steps it comes after) -> ready -> claimed -> running -> materialized | skipped |
 * failed | blocked. A failed or blocked partition blocks those that read it; everything else goes on. Every transition
 * is in the store before an observer hears of it. Interruption ends the run as `interrupted`, a request of another
 * process as `canceled`; both free its claims.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Asset from "../asset/Asset.ts"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import type { Universe } from "../partition/Partitions.ts"
import * as Plan from "../plan/Plan.ts"
import { Claims, type RunClaims } from "../store/Claims.ts"
import { type Materialization, MaterializationStore } from "../store/MaterializationStore.ts"
import { RunStore } from "../store/RunStore.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Event, StepResult } from "./Event.ts"
import type * as Pool from "./Pool.ts"
import { encodeOutput, prepare, type Work } from "./Step.ts"
import * as Summary from "./Summary.ts"

export interface Options {
  /** Steps at a time. */
  readonly concurrency: number
  readonly pools: Pool.Pools
  readonly universe: Universe
  /** Kept with the run: what was asked for. */
  readonly request: unknown
  /** Hears of every event, after it is in the store. */
  readonly observe: (event: Event) => Effect.Effect<void>
}

type Stores = RunStore | MaterializationStore | Claims

export class Executor extends Context.Service<Executor, {
  readonly execute: <R>(
    graph: AssetGraph.AssetGraph<string, R>,
    plan: Plan.Plan,
    options: Options
  ) => Effect.Effect<Summary.Summary, StoreError, R>
}>()("barograph/runtime/run/Executor") {
  static readonly layer = Layer.effect(
    Executor,
    Effect.map(Effect.context<Stores>(), (stores) => ({
      execute: <R>(graph: AssetGraph.AssetGraph<string, R>, plan: Plan.Plan, options: Options) =>
        Effect.provideContext(execute(graph, plan, options), stores) as Effect.Effect<Summary.Summary, StoreError, R>
    }))
  )
}

/** Everything the steps of one run share. */
interface Running {
  readonly runId: string
  readonly graph: AssetGraph.Any
  readonly plan: Plan.Plan
  readonly options: Options
  readonly claims: RunClaims
  /** `asset/partition` to why nothing can be read from it. */
  readonly obstacles: Map<string, string>
  readonly summary: Summary.Builder
}

const record = Effect.fnUntraced(function*(running: Running, events: ReadonlyArray<Event>) {
  if (events.length === 0) return
  const runs = yield* RunStore
  yield* runs.append(running.runId, events)
  for (const event of events) {
    running.summary.add(event)
    yield* running.options.observe(event)
  }
})

/** One line; the cause of a failure as a person would say it. */
const message = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message || error.name : String(error)
}

const tagOf = (error: unknown): string | undefined =>
  Predicate.hasProperty(error, "_tag") && typeof error._tag === "string" ? error._tag : undefined

const call = (running: Running, asset: Asset.Any, step: Plan.Step, work: ReadonlyArray<Work>) => {
  const { pools } = running.options
  const leased = pools.withLease(asset.pool, Effect.scoped(asset.materialize(work.map(({ item }) => item))))
  const timed = asset.timeout === undefined ? leased : Effect.timeout(leased, asset.timeout)
  if (asset.retry === undefined) return timed
  const noticed = Schedule.tap(asset.retry as Schedule.Schedule<unknown, unknown>, ({ attempt, input }) => {
    const error = message(Cause.fail(input))
    return record(running, [{ type: "StepRetrying", step: step.id, asset: asset.name, attempt, error }])
  })
  return Effect.retry(timed, noticed)
}

const fail = Effect.fnUntraced(function*(
  running: Running,
  step: Plan.Step,
  partitions: ReadonlyArray<string>,
  error: string,
  kind: "failed" | "is blocked",
  tag?: string | undefined
) {
  const store = yield* MaterializationStore
  for (const partition of partitions) running.obstacles.set(`${step.asset}/${partition}`, kind)
  if (kind === "failed") yield* store.fail(running.runId, step.asset, partitions, error)
  const blocked = kind === "is blocked"
  yield* record(running, [{ type: "Failed", step: step.id, asset: step.asset, partitions, error, tag, blocked }])
})

const succeed = Effect.fnUntraced(function*(
  running: Running,
  step: Plan.Step,
  done: ReadonlyArray<Work & { readonly output: unknown }>,
  seconds: number
) {
  const store = yield* MaterializationStore
  const asset = running.graph.assets.get(step.asset)!
  const codeVersion = running.plan.codeVersions[step.asset]!
  const materializations: Array<Materialization> = []
  const results: Array<StepResult> = []
  for (const { output, ...work } of done) {
    const { dataVersion, encoded } = yield* encodeOutput(asset, codeVersion, work, output)
    const { before, inputs, partition } = work
    materializations.push({ asset: asset.name, partition, codeVersion, dataVersion, inputs, output: encoded, seconds })
    results.push({ partition, dataVersion, output: encoded, changed: dataVersion !== before })
  }
  yield* store.record(running.runId, materializations)
  yield* record(running, [{ type: "Materialized", step: step.id, asset: asset.name, seconds, results }])
})

const takeAnswers = Effect.fnUntraced(function*(
  running: Running,
  step: Plan.Step,
  work: ReadonlyArray<Work>,
  answers: ReadonlyArray<Result.Result<unknown, unknown>>,
  seconds: number
) {
  if (answers.length !== work.length) {
    const error = `${step.asset} answered ${answers.length} results for ${work.length} partitions`
    return yield* fail(running, step, work.map(({ partition }) => partition), error, "failed")
  }
  const done: Array<Work & { readonly output: unknown }> = []
  for (const [at, answer] of answers.entries()) {
    if (Result.isSuccess(answer)) done.push({ ...work[at]!, output: answer.success })
    else {yield* fail(
        running,
        step,
        [work[at]!.partition],
        message(Cause.fail(answer.failure)),
        "failed",
        tagOf(answer.failure)
      )}
  }
  if (done.length > 0) yield* succeed(running, step, done, seconds)
})

const perform = Effect.fnUntraced(function*(running: Running, step: Plan.Step) {
  const { id, asset: name } = step
  const asset = running.graph.assets.get(name)!
  yield* running.claims.claim(name, step.partitions.map(({ partition }) => partition))
  const obstacle = (upstream: string, text: string) => running.obstacles.get(`${upstream}/${text}`)
  const codeVersion = running.plan.codeVersions[name]!
  const { blocked, skipped, work } = yield* prepare(
    running.graph,
    step,
    codeVersion,
    running.options.universe,
    obstacle
  )
  for (const [partition, why] of blocked) yield* fail(running, step, [partition], `blocked: ${why}`, "is blocked")
  if (skipped.length > 0) {
    yield* record(running, [{ type: "Skipped", step: id, asset: name, partitions: skipped, why: "nothing changed" }])
  }
  if (work.length === 0) return
  yield* record(running, [{ type: "StepStarted", step: id, asset: name, partitions: work.length }])
  const startedAt = yield* Clock.currentTimeMillis
  const answers = yield* call(running, asset, step, work)
  const seconds = ((yield* Clock.currentTimeMillis) - startedAt) / 1000
  yield* takeAnswers(running, step, work, answers, seconds)
}, Effect.scoped)

/** A failure of the asset is the step's; a failure of the store is the run's. */
const contained = (running: Running, step: Plan.Step) =>
  perform(running, step).pipe(
    Effect.catchCause((cause) => {
      if (Cause.hasInterrupts(cause)) return Effect.failCause(cause as Cause.Cause<never>)
      const partitions = step.partitions.map(({ partition }) => partition)
      return fail(running, step, partitions, message(cause), "failed", tagOf(Cause.squash(cause)))
    })
  )

/** Steps become ready when all those they come after are through; workers take them in that order. */
const runSteps = (running: Running) =>
  Effect.gen(function*() {
    const { steps } = running.plan
    if (steps.length === 0) return
    const waitsFor = steps.map((step) => step.after.length)
    const followers: Array<Array<number>> = steps.map(() => [])
    for (const step of steps) for (const before of step.after) followers[before]!.push(step.id)
    const ready = yield* Queue.unbounded<Plan.Step | undefined>()
    let left = steps.length
    const workers = Math.min(running.options.concurrency, steps.length)
    const finished = (step: Plan.Step) => {
      for (const next of followers[step.id]!) if (--waitsFor[next]! === 0) Queue.offerUnsafe(ready, steps[next])
      if (--left === 0) { for (let i = 0; i < workers; i++) Queue.offerUnsafe(ready, undefined) }
    }
    for (const step of steps) if (step.after.length === 0) Queue.offerUnsafe(ready, step)
    const worker: Effect.Effect<void, StoreError, unknown> = Effect.gen(function*() {
      for (let step = yield* Queue.take(ready); step !== undefined; step = yield* Queue.take(ready)) {
        yield* contained(running, step)
        finished(step)
      }
    })
    yield* Effect.all(Array.from({ length: workers }, () => worker), { concurrency: "unbounded", discard: true })
  })

/** How soon a run notices that another process asked it to stop: each look is one small query. */
const CANCEL_POLL = "500 millis"

/** Ends when somebody asks the run to stop. */
const canceled = (running: Running) =>
  Effect.flatMap(RunStore, (runs) => runs.isCancelRequested(running.runId)).pipe(
    Effect.repeat({ until: (requested) => requested, schedule: Schedule.spaced(CANCEL_POLL) })
  )

const newRunId = Effect.gen(function*() {
  const now = yield* Clock.currentTimeMillis
  const tail = yield* Random.nextIntBetween(0, 36 ** 4)
  return `${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}-${
    tail.toString(36).padStart(4, "0")
  }`
})

const execute = (graph: AssetGraph.Any, plan: Plan.Plan, options: Options) =>
  Effect.scoped(Effect.gen(function*() {
    const runs = yield* RunStore
    const runId = yield* newRunId
    const claims = yield* (yield* Claims).hold(runId)
    const summary = Summary.builder(runId, yield* Clock.currentTimeMillis)
    const running: Running = { runId, graph, plan, options, claims, obstacles: new Map(), summary }
    yield* runs.begin(runId, options.request)
    return yield* Effect.gen(function*() {
      yield* record(running, [
        { type: "RunStarted", steps: plan.steps.length, partitions: Plan.partitionCount(plan) },
        ...plan.blocked.map(({ asset, partition, why }): Event => (
          { type: "Failed", step: -1, asset, partitions: [partition], error: `blocked: ${why}`, blocked: true }
        ))
      ])
      const stopped = yield* Effect.raceFirst(Effect.as(runSteps(running), false), canceled(running))
      const result = summary.build(yield* Clock.currentTimeMillis, stopped)
      yield* runs.end(runId, result.status, result.assets)
      // The server may notice only now that the process of an earlier run is gone.
      yield* runs.recover
      yield* options.observe({ type: "RunEnded", status: result.status })
      return result
    }).pipe(
      Effect.onInterrupt(() => Effect.ignore(runs.end(runId, "interrupted", summary.build(0).assets))),
      Effect.tapError(() => Effect.ignore(runs.end(runId, "failed", summary.build(0).assets)))
    )
  }))
