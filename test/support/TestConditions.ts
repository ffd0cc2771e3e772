/** The concern with conditions in a test: in memory, on the test's clock, with a worker that executes what is asked for. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as AssetGraph from "../../src/runtime/asset/AssetGraph.ts"
import * as Conditions from "../../src/runtime/automation/Conditions.ts"
import * as RunRequest from "../../src/runtime/plan/RunRequest.ts"
import { Executor } from "../../src/runtime/run/Executor.ts"
import * as Situation from "../../src/runtime/run/Situation.ts"
import type { ConditionStore } from "../../src/runtime/store/ConditionStore.ts"
import type { DynamicPartitions } from "../../src/runtime/store/DynamicPartitions.ts"
import type { MaterializationStore } from "../../src/runtime/store/MaterializationStore.ts"
import { RunStore } from "../../src/runtime/store/RunStore.ts"

/** What was asked for, with the time. */
export interface Asked {
  readonly at: string
  readonly targets: { readonly [asset: string]: string }
  readonly force: boolean
  readonly runId: string
  readonly runKey: string
}

export interface Daemon {
  readonly asked: ReadonlyArray<Asked>
  /** How many conditions each look evaluated. */
  readonly evaluated: ReadonlyArray<number>
  /** Says that something changed, and lets everything go on until nothing does. */
  readonly settle: Effect.Effect<void>
  /** Ends the concern; the worker goes on. */
  readonly stop: Effect.Effect<void>
  readonly start: Effect.Effect<void>
}

const execute = Effect.fnUntraced(function*<R>(
  graph: AssetGraph.AssetGraph<string, R>,
  { request, runId, tags }: Conditions.Requested
) {
  const universe = yield* Situation.universe
  const resolved = RunRequest.resolve(graph, request, universe)
  const asked = Result.isSuccess(resolved) ? resolved.success : expectNever(resolved.failure.message)
  const plan = yield* Situation.plan(graph, asked, universe)
  yield* (yield* Executor).execute(plan, {
    runId,
    request,
    tags,
    concurrency: 2,
    pools: {},
    observe: () => Effect.void
  })
})

const expectNever = (message: string): never => {
  throw new Error(`a condition asked for what cannot be: ${message}`)
}

/** Lets other fibers go on until they wait for something that does not come by itself. */
export const yieldMany = Effect.forEach(Array.from({ length: 400 }), () => Effect.yieldNow, { discard: true })

export const daemon = Effect.fnUntraced(function*<R>(graph: AssetGraph.AssetGraph<string, R>) {
  const runs = yield* RunStore
  const context = yield* Effect.context<R | Scope.Scope | RunStore | MaterializationStore | DynamicPartitions | ConditionStore>()
  const asked: Array<Asked> = []
  const evaluated: Array<number> = []
  const keys = new Set<string>()
  const signals = yield* PubSub.unbounded<string>()
  const work = yield* Queue.unbounded<Conditions.Requested>()
  const request = (requested: ReadonlyArray<Conditions.Requested>) =>
    Effect.forEach(requested, (one) =>
      Effect.gen(function*() {
        if (keys.has(one.runKey)) throw new Error(`asked for ${one.runKey} twice`)
        keys.add(one.runKey)
        yield* runs.enqueue({ runId: one.runId, request: one.request, tags: one.tags, priority: one.priority })
        const targets = Object.fromEntries(one.request.targets!.map(({ asset, partitions }) => [asset, partitions]))
        const at = new Date(yield* Clock.currentTimeMillis).toISOString()
        asked.push({ at, targets, force: one.request.force === true, runId: one.runId, runKey: one.runKey })
        yield* Queue.offer(work, one)
        yield* PubSub.publish(signals, "requested")
      }), { discard: true })
  yield* Effect.forkScoped(Effect.forever(Effect.gen(function*() {
    yield* execute(graph, yield* Queue.take(work))
    yield* PubSub.publish(signals, "ended")
  })))
  const concern = Conditions.run({
    graph,
    signals: Stream.fromPubSub(signals),
    request,
    fenced: (effect) => effect,
    observe: (looked) => Effect.sync(() => void evaluated.push(looked.evaluated))
  })
  let fiber: Fiber.Fiber<unknown, unknown> | undefined
  const self: Daemon = {
    asked,
    evaluated,
    settle: Effect.andThen(PubSub.publish(signals, "look"), yieldMany),
    stop: Effect.suspend(() => fiber === undefined ? Effect.void : Fiber.interrupt(fiber)),
    start: Effect.andThen(
      Effect.map(Effect.provideContext(Effect.forkScoped(concern), context), (forked) => {
        fiber = forked
      }),
      yieldMany
    )
  }
  yield* self.start
  return self
})
