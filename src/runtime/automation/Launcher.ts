/**
 * Takes requested runs in their turn and executes them, each in a fiber of its own that outlives a change of the graph.
 *
 * What cannot be planned fails as a run, with its reason. A run that loses its database stays as it is: recovery marks it
 * and asks for its next attempt.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Latch from "effect/Latch"
import * as Record from "effect/Record"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as RunRequest from "../plan/RunRequest.ts"
import * as Admission from "../run/Admission.ts"
import { message } from "../run/CauseText.ts"
import { Executor } from "../run/Executor.ts"
import * as RunMetrics from "../run/RunMetrics.ts"
import * as Situation from "../run/Situation.ts"
import { type Run, RunStore } from "../store/RunStore.ts"
import { StoreError } from "../store/StoreError.ts"
import * as DaemonMetrics from "./DaemonMetrics.ts"
import { type Project, settled } from "./Project.ts"
import * as Watch from "./Watch.ts"

export interface Options {
  readonly term: number
  /** Runs at a time, of this daemon. */
  readonly slots: number
}

/** Runs that go on, by id, with their tags. */
export interface Running {
  readonly fibers: FiberMap.FiberMap<string, void, never>
  readonly tags: Map<string, Admission.Tags>
  /** Opened when a slot is free again, which is later than the signal that the run has ended. */
  readonly freed: Latch.Latch
}

export const running: Effect.Effect<Running, never, Scope.Scope> = Effect.map(
  FiberMap.make<string, void, never>(),
  (fibers) => ({ fibers, tags: new Map(), freed: Latch.makeUnsafe(true) })
)

/** Fails with what a person can act on. */
const planOf = <R>(project: Project<R>, run: Run) =>
  Effect.gen(function*() {
    const words = yield* Schema.decodeUnknownEffect(RunRequest.RunRequest)(run.request)
    const now = yield* settled(project)
    const request = RunRequest.resolve(project.graph, words, now)
    if (Result.isFailure(request)) return yield* Effect.fail(request.failure)
    return yield* Situation.plan(project.graph, request.success, now)
  })

const execute = <R>(project: Project<R>, run: Run, { term }: Options) =>
  Effect.gen(function*() {
    const { requestedAt, runId } = run
    const summary = yield* (yield* Executor).execute(yield* planOf(project, run), {
      runId,
      term,
      concurrency: project.concurrency,
      pools: Record.map(project.pools, ({ slots }) => slots),
      limits: project.limits,
      tags: run.tags,
      priority: run.priority,
      request: run.request,
      // What an earlier attempt forced and finished is not forced again.
      forcedSince: requestedAt,
      observe: () => Effect.void
    })
    yield* Effect.logInfo(`run ${runId} ${summary.status}`)
  }).pipe(Effect.annotateLogs({ run: run.runId, ...run.tags }))

const failed = (runId: string, why: string) =>
  Effect.gen(function*() {
    yield* Effect.logError(`run ${runId} failed: ${why}`)
    yield* (yield* RunStore).end(runId, "failed", {}, why)
    yield* RunMetrics.runEnded("failed")
  })

/** How long a run that the store kept from beginning has its slot: free at once, it would be taken again as fast as it fails. */
const AFTER_STORE = "5 seconds"

const perform = <R>(project: Project<R>, run: Run, options: Options) =>
  execute(project, run, options).pipe(
    Effect.catchCause((cause) => {
      const error = Cause.squash(cause)
      return error instanceof StoreError
        ? Effect.andThen(Effect.logError(`run ${run.runId} was cut off: ${error.message}`), Effect.sleep(AFTER_STORE))
        : Effect.ignore(failed(run.runId, message(cause)))
    })
  )

/**
 * Takes what may begin of the first that wait, and what was held back behind those whose tag has no place left now, here or
 * in another process: such a run would only wait in a slot that another can have. In one
 * look no run is taken twice and no more than there are slots: one that ends at once, unmarked, waits for the next look.
 */
const look = <R>(project: Project<R>, going: Running, options: Options) =>
  Effect.gen(function*() {
    const runs = yield* RunStore
    const limits = { runs: Math.min(options.slots, project.limits.runs ?? options.slots), tags: project.limits.tags }
    const elsewhere = Admission.isTagged(limits) ? yield* runs.going : []
    const taken = new Set<string>()
    while (taken.size < limits.runs) {
      const others = elsewhere.filter(({ runId }) => !going.tags.has(runId)).map(({ tags }) => tags)
      const requested = yield* runs.requested(Admission.full(limits, [...going.tags.values(), ...others]))
      const waiting = requested.filter(({ runId }) => !going.tags.has(runId) && !taken.has(runId))
      const admitted = Admission.admitted(limits, [...going.tags.values()], waiting, others)
      if (admitted.size === 0) break
      for (const run of waiting.filter(({ runId }) => admitted.has(runId))) {
        taken.add(run.runId)
        yield* begin(project, going, run, options)
      }
    }
    return yield* runs.nextRequested
  })

const begin = <R>(project: Project<R>, going: Running, run: Run, options: Options) =>
  Effect.gen(function*() {
    going.tags.set(run.runId, run.tags)
    yield* DaemonMetrics.waited((yield* Clock.currentTimeMillis) - run.startedAt)
    yield* Effect.logInfo(`run ${run.runId} begins`).pipe(Effect.annotateLogs({ run: run.runId, ...run.tags }))
    const done = Effect.sync(() => {
      going.tags.delete(run.runId)
      going.freed.openUnsafe()
    })
    yield* FiberMap.run(going.fibers, run.runId, Effect.ensuring(perform(project, run, options), done))
  })

/** A run that ends in any process lets others begin. */
export const run = <R>(project: Project<R>, going: Running, options: Options) =>
  Watch.watch(
    ({ _tag }) => _tag === "RunRequested" || _tag === "RunEnded" || _tag === "Connected",
    look(project, going, options),
    going.freed
  )
