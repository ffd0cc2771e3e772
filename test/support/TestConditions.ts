/** The concern with conditions in a test: in memory, on the test's clock, with runs launched as a daemon does. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as AssetGraph from "../../src/runtime/asset/AssetGraph.ts"
import * as Conditions from "../../src/runtime/automation/Conditions.ts"
import * as Launcher from "../../src/runtime/automation/Launcher.ts"
import type { Executor } from "../../src/runtime/run/Executor.ts"
import type { AlertStore } from "../../src/runtime/store/AlertStore.ts"
import type { ConditionStore } from "../../src/runtime/store/ConditionStore.ts"
import type { DynamicPartitions } from "../../src/runtime/store/DynamicPartitions.ts"
import type { MaterializationStore } from "../../src/runtime/store/MaterializationStore.ts"
import type { RunStore } from "../../src/runtime/store/RunStore.ts"
import { Signals } from "../../src/runtime/store/Signals.ts"

/** What was asked for, with the time. */
export interface Asked {
  readonly at: string
  readonly targets: { readonly [asset: string]: string }
  readonly force: boolean
}

export interface Daemon {
  readonly asked: ReadonlyArray<Asked>
  /** How many conditions each look evaluated that evaluated any. */
  readonly evaluated: ReadonlyArray<number>
  /** Lets everything go on until nothing does. */
  readonly settle: Effect.Effect<void>
  /** Ends the concern; runs go on. */
  readonly stop: Effect.Effect<void>
  /** Without signals it looks now and then only. */
  readonly start: (options?: { readonly hears: boolean }) => Effect.Effect<void>
}

type Needs =
  | Executor
  | RunStore
  | MaterializationStore
  | DynamicPartitions
  | ConditionStore
  | AlertStore
  | Signals
  | Scope.Scope

/** Lets other fibers go on until they wait for something that does not come by itself. */
export const yieldMany = Effect.forEach(Array.from({ length: 400 }), () => Effect.yieldNow, { discard: true })

export const daemon = Effect.fnUntraced(function*<R>(graph: AssetGraph.AssetGraph<string, R>) {
  const context = yield* Effect.context<Needs | R>()
  const signals = yield* Signals
  const asked: Array<Asked> = []
  const evaluated: Array<number> = []
  const project = { graph, automations: [], members: Effect.succeed({}), concurrency: 2, pools: {}, limits: {} }
  const launch = { term: 1, slots: 4, ended: () => Effect.void }
  yield* Effect.forkScoped(Launcher.run(project, yield* Launcher.running, launch))
  const concern = Conditions.run(
    graph,
    (effect) => effect,
    ({ evaluated: count, requested }) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        evaluated.push(count)
        for (const { request: { force, targets } } of requested) {
          asked.push({
            at: new Date(now).toISOString(),
            targets: Object.fromEntries(targets!.map(({ asset, partitions }) => [asset, partitions])),
            force: force === true
          })
        }
      })
  )
  let fiber: Fiber.Fiber<unknown, unknown> | undefined
  const start: Daemon["start"] = (options = { hears: true }) =>
    Effect.gen(function*() {
      const own = options.hears ? signals : { ...signals, changes: Stream.never }
      fiber = yield* Effect.forkScoped(Effect.provideService(concern, Signals, own))
      yield* yieldMany
    }).pipe(Effect.provideContext(context))
  yield* start()
  const stop = Effect.suspend(() => fiber === undefined ? Effect.void : Fiber.interrupt(fiber))
  return { asked, evaluated, settle: yieldMany, stop, start } satisfies Daemon
})
