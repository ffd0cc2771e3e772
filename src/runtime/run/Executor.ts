/**
 * Runs a plan with fibers of this process.
 *
 * States of a step: waiting (for what it reads) -> ready -> claimed -> running -> materialized | skipped |
 * failed | blocked. A failed or blocked partition blocks those that read it; everything else goes on. Every transition
 * is in the store before an observer hears of it. Interruption ends the run as `interrupted`, a request of another
 * process as `canceled`; both free its claims.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as PartitionSet from "../partition/PartitionSet.ts"
import * as Plan from "../plan/Plan.ts"
import { CheckStore } from "../store/CheckStore.ts"
import { Claims, type RunClaims } from "../store/Claims.ts"
import { MaterializationStore } from "../store/MaterializationStore.ts"
import type { Materialization, Outcome, RunRef } from "../store/Outcome.ts"
import { RunStore } from "../store/RunStore.ts"
import { StoreError } from "../store/StoreError.ts"
import type * as Admission from "./Admission.ts"
import { message } from "./CauseText.ts"
import * as Checks from "./Checks.ts"
import type { Event, StepResult } from "./Event.ts"
import * as Frontier from "./Frontier.ts"
import * as Journal from "./Journal.ts"
import * as Pool from "./Pool.ts"
import * as RunId from "./RunId.ts"
import * as RunMetrics from "./RunMetrics.ts"
import { encodeOutput, prepare, type Work } from "./Step.ts"
import { memorableAt, outcomesOf } from "./StepOutcome.ts"
import * as Summary from "./Summary.ts"
import * as Turn from "./Turn.ts"

export interface Options {
  /** From `RunId.make`, where somebody must know it before the run begins. */
  readonly runId?: string | undefined
  /** Steps at a time. */
  readonly concurrency: number
  /** Slots of each pool, in all processes together. */
  readonly pools: Pool.Limits
  /** Which runs may go on at a time; any, when left out. */
  readonly limits?: Admission.Limits | undefined
  readonly tags?: Admission.Tags | undefined
  /** Among waiting runs, those of higher priority begin first; 0 when left out. */
  readonly priority?: number | undefined
  /** Longest time for the run, without waiting for its turn. */
  readonly timeout?: Duration.Duration | undefined
  /** Kept with the run: what was asked for. */
  readonly request: unknown
  /** Hears of every event, after it is in the store. */
  readonly observe: (event: Event) => Effect.Effect<void>
  /** Epoch milliseconds: what was forced and materialized since then is not forced again. */
  readonly forcedSince?: number | undefined
  /** Of the leader that runs it. */
  readonly term?: number | undefined
}

type Stores = RunStore | MaterializationStore | CheckStore | Claims

export class Executor extends Context.Service<Executor, {
  /** `R` is what the plan's assets need: the graph they are of says so. */
  readonly execute: <R>(
    plan: Plan.Plan<R>,
    options: Options
  ) => Effect.Effect<Summary.Summary, StoreError, R>
}>()("barograph/runtime/run/Executor") {
  static readonly layer = Layer.effect(
    Executor,
    Effect.map(Effect.context<Stores>(), (context) => {
      // The stores alone: the caller's clock and log stay the caller's.
      const stores = Context.pick(RunStore, MaterializationStore, CheckStore, Claims)(context)
      return {
        execute: <R>(plan: Plan.Plan<R>, options: Options) =>
          Effect.provideContext(execute(plan, options), stores) as Effect.Effect<Summary.Summary, StoreError, R>
      }
    })
  )
}

/** Everything the steps of one run share. */
interface Running {
  readonly run: RunRef
  readonly options: Options
  readonly claims: RunClaims
  readonly pools: Pool.Pools
  readonly journal: Journal.Journal
  /** `asset/partition` to why nothing can be read from it. */
  readonly obstacles: Map<string, string>
  readonly summary: Summary.Builder
}

type Step = Frontier.Step

const record = Effect.fnUntraced(function*(
  running: Running,
  events: ReadonlyArray<Event>,
  outcomes?: ReadonlyArray<Outcome>
) {
  if (events.length === 0) return
  yield* running.journal.write(events, outcomes)
  yield* RunMetrics.record(events)
  for (const event of events) {
    running.summary.add(event)
    yield* running.options.observe(event)
  }
})

const tagOf = (error: unknown): string | undefined =>
  Predicate.hasProperty(error, "_tag") && typeof error._tag === "string" ? error._tag : undefined

/** What an error is called, and its reason where it has one. */
interface Names {
  readonly tag: string | undefined
  readonly reason?: string | undefined
}

const namesOf = (error: unknown): Names => {
  const reason = Predicate.hasProperty(error, "reason") ? tagOf(error.reason) : undefined
  return { tag: tagOf(error), ...(reason === undefined ? {} : { reason }) }
}

const call = (running: Running, step: Step, work: ReadonlyArray<Work>) => {
  const { asset } = step.of
  const leased = running.pools.withLease(asset.pool, Effect.scoped(asset.materialize(work.map(({ item }) => item))))
  const timed = asset.timeout === undefined ? leased : Effect.timeout(leased, asset.timeout)
  if (asset.retry === undefined) return timed
  const noticed = Schedule.tap(asset.retry as Schedule.Schedule<unknown, unknown>, ({ attempt, input }) => {
    const error = message(Cause.fail(input))
    return record(running, [{ type: "StepRetrying", step: step.id, asset: asset.name, attempt, error }])
  })
  return Effect.retry(timed, noticed)
}

/** Nothing was tried: something upstream is not there. */
const block = (running: Running, step: Step, partition: string, why: string) => {
  running.obstacles.set(`${step.of.asset.name}/${partition}`, "is blocked")
  return record(running, [{
    type: "Failed",
    step: step.id,
    asset: step.of.asset.name,
    partitions: [partition],
    error: `blocked: ${why}`,
    blocked: true
  }])
}

const fail = (
  running: Running,
  step: Step,
  partitions: ReadonlyArray<string>,
  error: string,
  names: Names
) => {
  const asset = step.of.asset.name
  for (const partition of partitions) running.obstacles.set(`${asset}/${partition}`, "failed")
  const failed = partitions.map((partition) => ({ partition, error }))
  return record(
    running,
    [{ type: "Failed", step: step.id, asset, partitions, error, ...names, blocked: false }],
    outcomesOf(step.of, { failed })
  )
}

const succeed = Effect.fnUntraced(function*(
  running: Running,
  step: Step,
  done: ReadonlyArray<Work & { readonly output: unknown }>,
  seconds: number
) {
  const { asset, checks, codeVersion } = step.of
  const items = () => done.map(({ output, partition }) => ({ partition, output: Effect.succeed(output) }))
  const checked = checks.length === 0 ? [] : yield* Checks.run(checks, items(), running.options.concurrency)
  const rejections = Checks.rejections(checked)
  for (const partition of rejections.keys()) running.obstacles.set(`${asset.name}/${partition}`, "failed")
  const now = yield* Clock.currentTimeMillis
  const succeeded: Array<Materialization> = []
  const results: Array<StepResult> = []
  for (const { output, ...work } of done) {
    const { before, inputs, partition } = work
    const encoding = yield* Effect.result(encodeOutput(asset, codeVersion, work, output))
    if (Result.isFailure(encoding)) {
      const error = encoding.failure
      yield* fail(running, step, [partition], message(Cause.fail(error)), namesOf(error))
      continue
    }
    const { dataVersion, encoded } = encoding.success
    const changed = dataVersion !== before
    const at = memorableAt(step.of, partition, now)
    const rejected = rejections.get(partition)
    succeeded.push({ partition, dataVersion, inputs, output: encoded, seconds, changed, at, rejected })
    results.push({ partition, dataVersion, output: encoded, changed })
  }
  if (results.length === 0) return
  yield* record(
    running,
    [
      { type: "Materialized", step: step.id, asset: asset.name, seconds, results },
      ...Checks.events(step.id, asset.name, checked)
    ],
    outcomesOf(step.of, { succeeded, checked })
  )
})

const takeAnswers = Effect.fnUntraced(function*(
  running: Running,
  step: Step,
  work: ReadonlyArray<Work>,
  answers: ReadonlyArray<Result.Result<unknown, unknown>>,
  seconds: number
) {
  if (answers.length !== work.length) {
    const error = `${step.of.asset.name} answered ${answers.length} results for ${work.length} partitions`
    return yield* fail(running, step, work.map(({ partition }) => partition), error, { tag: undefined })
  }
  const done: Array<Work & { readonly output: unknown }> = []
  for (const [at, answer] of answers.entries()) {
    const own = work[at]!
    if (Result.isSuccess(answer)) done.push({ ...own, output: answer.success })
    else yield* fail(running, step, [own.partition], message(Cause.fail(answer.failure)), namesOf(answer.failure))
  }
  if (done.length > 0) yield* succeed(running, step, done, seconds)
})

const perform = Effect.fnUntraced(function*(running: Running, step: Step) {
  const { id, of: { asset: { name } } } = step
  yield* running.claims.claim(name, step.partitions)
  const obstacle = (upstream: string, text: string) => running.obstacles.get(`${upstream}/${text}`)
  const since = running.options.forcedSince ?? Number.POSITIVE_INFINITY
  const { blocked, skipped, work } = yield* prepare(step, obstacle, since)
  for (const [partition, why] of blocked) yield* block(running, step, partition, why)
  if (skipped.length > 0) {
    yield* record(
      running,
      [{
        type: "Skipped",
        step: id,
        asset: name,
        partitions: skipped.map(({ partition }) => partition),
        why: "nothing changed"
      }],
      outcomesOf(step.of, {
        verified: skipped.map(({ materializedAt, partition }) => ({
          partition,
          at: memorableAt(step.of, partition, materializedAt)
        }))
      })
    )
  }
  if (work.length === 0) return
  const started: Event = { type: "StepStarted", step: id, asset: name, partitions: work.length }
  running.journal.note(started, running.options.observe(started))
  const startedAt = yield* Clock.currentTimeMillis
  const called = yield* Effect.exit(call(running, step, work))
  const seconds = ((yield* Clock.currentTimeMillis) - startedAt) / 1000
  if (Exit.isSuccess(called)) yield* takeAnswers(running, step, work, called.value, seconds)
  else yield* failAll(running, step, work.map(({ partition }) => partition), called.cause)
}, Effect.scoped)

/** Said of a cause that says nothing but that somebody was interrupted. */
const errorOf = (cause: Cause.Cause<unknown>): string =>
  Cause.hasInterruptsOnly(cause) ? "was interrupted from within" : message(cause)

/**
 * A failure of the asset is the step's; a failure of the store, such as a lost connection, is the run's. A fiber that is
 * interrupted does not come here, so an interruption is that of a fiber which the asset waited for. It may be another step
 * of a run that is being interrupted: then the next turn does not come either.
 */
const failAll = (running: Running, step: Step, partitions: ReadonlyArray<string>, cause: Cause.Cause<unknown>) =>
  Cause.squash(cause) instanceof StoreError
    ? Effect.failCause(cause as Cause.Cause<StoreError>)
    : Effect.andThen(Effect.yieldNow, fail(running, step, partitions, errorOf(cause), namesOf(Cause.squash(cause))))

const attributesOf = ({ id, of, partitions }: Step) => ({
  asset: of.asset.name,
  step: id,
  partitions: partitions.length,
  partition: partitions[0]
})

/** A mistake of the engine's own fails the step, too. */
const contained = (running: Running, step: Step) =>
  perform(running, step).pipe(
    Effect.catchCause((cause) => failAll(running, step, step.partitions, cause)),
    Effect.annotateLogs({ run: running.run.runId, asset: step.of.asset.name }),
    Effect.withSpan(`materialize ${step.of.asset.name}`, { attributes: attributesOf(step) })
  )

/** Workers take what can be done now, and sleep until a step ends when there is nothing. */
const runSteps = (running: Running, plan: Plan.Plan) =>
  Effect.gen(function*() {
    const frontier = Frontier.make(plan)
    const workers = Math.min(running.options.concurrency, Plan.partitionCount(plan))
    const moved = Latch.makeUnsafe(false)
    const worker: Effect.Effect<void, StoreError, unknown> = Effect.gen(function*() {
      while (!frontier.isDone()) {
        const step = frontier.take()
        if (step === undefined) {
          yield* moved.await
          continue
        }
        yield* contained(running, step)
        frontier.finish(step)
        // Left open at the end: a worker that found nothing to do may not be waiting yet.
        yield* frontier.isDone() ? moved.open : moved.release
      }
    })
    yield* Effect.all(Array.from({ length: workers }, () => worker), { concurrency: "unbounded", discard: true })
  })

/** So many of the partitions that a plan blocks are named in its event. */
const NAMED = 10

const blockedEvents = (plan: Plan.Plan): ReadonlyArray<Event> =>
  plan.assets.flatMap(({ asset, blocked }) =>
    blocked.map(({ set, why }): Event => ({
      type: "Blocked",
      asset: asset.name,
      count: PartitionSet.size(set),
      partitions: [...PartitionSet.texts(PartitionSet.slice(set, 0, NAMED))],
      error: `blocked: ${why}`
    }))
  )

const work = Effect.fnUntraced(function*(running: Running, plan: Plan.Plan) {
  const runs = yield* RunStore
  const { options, run: { runId }, summary } = running
  yield* record(running, [
    { type: "RunStarted", partitions: Plan.partitionCount(plan) },
    ...blockedEvents(plan)
  ])
  const cut = yield* Effect.as(runSteps(running, plan), undefined).pipe(
    Effect.raceFirst(Turn.canceled(runId)),
    Effect.raceFirst(Turn.timedOut(options.timeout))
  )
  const result = summary.build(yield* Clock.currentTimeMillis, cut)
  yield* runs.end(runId, result.status, result.assets, result.why)
  yield* RunMetrics.runEnded(result.status, result.seconds)
  // The server may notice only now that the process of an earlier run is gone.
  yield* runs.recover
  yield* options.observe({ type: "RunEnded", status: result.status, why: result.why })
  return result
})

const begin = Effect.fnUntraced(function*(run: RunRef, options: Options, claims: RunClaims, plan: Plan.Plan) {
  const summary = Summary.builder(run.runId, yield* Clock.currentTimeMillis)
  const journal = yield* Journal.make(run)
  const pools = Pool.make(options.pools, claims)
  const running: Running = { run, options, claims, pools, journal, obstacles: new Map(), summary }
  const interrupted = (why?: string) =>
    Effect.flatMap(RunStore, (runs) => Effect.ignore(runs.end(run.runId, "interrupted", summary.build(0).assets, why)))
      .pipe(
        Effect.andThen(RunMetrics.runEnded("interrupted"))
      )
  return yield* work(running, plan).pipe(
    Effect.onInterrupt(() => interrupted()),
    // Cut off, not failed: what is not in the store has not been done.
    Effect.tapError(({ message }) => interrupted(message))
  )
})

const executeAs = (runId: string, plan: Plan.Plan, options: Options) =>
  Effect.scoped(Effect.gen(function*() {
    const runs = yield* RunStore
    const claims = yield* (yield* Claims).hold(runId)
    const { priority = 0, request, tags = {}, term } = options
    yield* runs.enqueue({ runId, request, tags, priority, term })
    const queued = options.observe({ type: "RunQueued" })
    const number = yield* Turn.turn(runId, options.limits ?? {}, queued).pipe(
      Effect.raceFirst(Effect.as(Turn.canceled(runId), undefined)),
      Effect.onInterrupt(() => Effect.ignore(runs.end(runId, "interrupted", {})))
    )
    if (number !== undefined) return yield* begin({ runId, number }, options, claims, plan)
    yield* runs.end(runId, "canceled", {})
    return Summary.builder(runId, yield* Clock.currentTimeMillis).build(0, "canceled")
  })).pipe(Effect.withSpan("run", { root: true, attributes: { run: runId, ...options.tags } }))

/** A run is a trace, its steps are spans of it. */
const execute = (plan: Plan.Plan, options: Options) =>
  Effect.flatMap(
    options.runId === undefined ? RunId.make : Effect.succeed(options.runId),
    (runId) => executeAs(runId, plan, options)
  )
