/**
 * What a daemon would do in the coming days: the daemon's own code on a clock that is turned, with stores in memory.
 *
 * It assumes that everything that exists by now is materialized, that vendors restate nothing, and that every call
 * succeeds and takes `CALL`. Sensors are not asked, since what they look at is not simulated; checks are left out.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type * as Asset from "../asset/Asset.ts"
import * as AssetGraph from "../asset/AssetGraph.ts"
import * as Partitions from "../partition/Partitions.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import { Executor } from "../run/Executor.ts"
import * as Situation from "../run/Situation.ts"
import { AutomationStore } from "../store/AutomationStore.ts"
import { type Run, RunStore } from "../store/RunStore.ts"
import type { Tick } from "../store/Tick.ts"
import * as Testing from "../testing/Testing.ts"
import * as AlertChannels from "./AlertChannels.ts"
import * as Daemon from "./Daemon.ts"
import type { Project } from "./Project.ts"
import * as Watch from "./Watch.ts"

const CALL = Duration.seconds(1)

/** A run that the daemon would make. */
export interface SimulatedRun {
  readonly run: Run
  /** Asset to how many of its partitions were materialized. */
  readonly materialized: { readonly [asset: string]: number }
}

export interface Simulated {
  /** Epoch milliseconds. */
  readonly from: number
  readonly to: number
  /** Partitions that were taken for materialized at the start. */
  readonly assumed: number
  readonly runs: ReadonlyArray<SimulatedRun>
  /** Ticks that asked for nothing, newest last. */
  readonly idle: ReadonlyArray<Tick>
  /** Pool to date (UTC) to calls. */
  readonly calls: { readonly [pool: string]: { readonly [date: string]: number } }
}

const Output = Schema.Struct({ version: Schema.String })

/** Answers at once what is always the same: only what is missing, or asked for by force, is ever made. */
const stub = (called: (pool: string) => Effect.Effect<void>) => (asset: Asset.Any): Asset.Any => ({
  ...asset,
  output: Output,
  dataVersion: "version",
  codeVersion: Effect.succeed("simulated"),
  retry: undefined,
  timeout: undefined,
  materialize: (items) =>
    Effect.gen(function*() {
      if (asset.pool !== undefined) yield* called(asset.pool)
      yield* Effect.sleep(CALL)
      return items.map(() => Result.succeed({ version: "simulated" }))
    })
})

const simulated = (graph: AssetGraph.Any, called: (pool: string) => Effect.Effect<void>) => {
  const found: AssetGraph.Any = { ...AssetGraph.mapAssets(graph, stub(called)), checks: new Map() }
  // Nothing in it needs a service any more.
  return found as AssetGraph.AssetGraph<string, never>
}

/** Everything that exists by now is made, so that what comes is all that is new. Answers how many partitions that is. */
const settle = (project: Project<never>, concurrency: number) =>
  Effect.gen(function*() {
    const now = yield* Situation.settled(project.members)
    const targets = [...project.graph.assets.values()].filter(({ external }) => !external).map((
      { dimensions, name }
    ) => ({
      asset: name,
      set: PartitionSet.all(Partitions.space(dimensions, now))
    }))
    const plan = yield* Situation.plan(project.graph, { targets, ancestors: false, force: false }, now)
    const summary = yield* (yield* Executor).execute(plan, {
      concurrency,
      pools: {},
      request: {},
      observe: () => Effect.void
    })
    return Object.values(summary.assets).reduce((all, { materialized }) => all + materialized, 0)
  })

const Totals = Schema.Record(Schema.String, Schema.Struct({ materialized: Schema.Finite }))
const decodeTotals = Schema.decodeUnknownOption(Totals)

const madeBy = (run: Run): { readonly [asset: string]: number } =>
  Record.filter(
    Record.map(Option.getOrElse(decodeTotals(run.totals), () => ({})), ({ materialized }) => materialized),
    (count) => count > 0
  )

const report = Effect.gen(function*() {
  const all = (yield* (yield* RunStore).list({ limit: Infinity })).filter(({ runKey }) => runKey !== undefined)
    .reverse()
  const runs = all.map((run): SimulatedRun => ({ run, materialized: madeBy(run) }))
  const ticks = yield* (yield* AutomationStore).ticks(undefined, Infinity)
  return { runs, idle: ticks.filter(({ outcome }) => outcome !== "requested").reverse() }
})

const options: Daemon.Options = {
  ...Daemon.defaults,
  holder: "a simulation",
  lease: Duration.days(36_500),
  // Whoever interrupts it turns the clock no further.
  drain: Duration.zero,
  leads: () => Effect.void
}

/** Nobody jumps a clock that is turned, and nobody else wants the lead. */
const world = Layer.mergeAll(
  Testing.layer,
  Layer.succeed(Watch.Patience, Number.POSITIVE_INFINITY),
  Layer.succeed(AlertChannels.AlertChannels, []),
  Logger.layer([])
)

/** Hears now and then how much of the time is over, in milliseconds; by a clock that nobody turns. */
export type Observe = (elapsed: number) => Effect.Effect<void>

/** Between two words to whoever observes. */
const STEP = Duration.toMillis("1 hour")

/** Turns the clock to its end. */
const turn = (from: number, end: number, observe: Observe) =>
  Effect.gen(function*() {
    let now = yield* Clock.currentTimeMillis
    while (now < end) {
      yield* TestClock.adjust(Math.min(STEP, end - now))
      now = yield* Clock.currentTimeMillis
      yield* TestClock.withLive(observe(now - from))
    }
  })

const inWorld = (project: Project, from: number, span: number, observe: Observe) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(from)
    yield* TestClock.withLive(observe(0))
    const calls: { [pool: string]: { [date: string]: number } } = {}
    const called = (pool: string) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const date = new Date(now).toISOString().slice(0, 10)
        const days = calls[pool] ??= {}
        days[date] = (days[date] ?? 0) + 1
      })
    let isSettled = false
    const graph = simulated(project.graph, (pool) => isSettled ? called(pool) : Effect.void)
    const own: Project<never> = {
      ...project,
      graph,
      automations: project.automations.filter((one) => one._tag === "Schedule"),
      // Those of now stay: whoever lists them answers by a clock that nobody turns.
      members: Effect.succeed({})
    }
    const settling = yield* Effect.forkChild(settle({ ...own, members: project.members }, 1000))
    while (settling.pollUnsafe() === undefined) yield* TestClock.adjust(CALL)
    const assumed = yield* Fiber.join(settling)
    isSettled = true
    // Woken by the clock, which waits for all that a sleeper does when it wakes up.
    const daemon = Daemon.run(Stream.concat(Stream.make(own), Stream.never), options)
    yield* Effect.forkScoped(Effect.andThen(Effect.sleep(1), daemon))
    yield* turn(from, from + span, observe)
    return { from, to: from + span, assumed, calls, ...(yield* report) } satisfies Simulated
  })

/** The days from now on. Looks at nothing and writes nothing outside of this process. */
export const run = (project: Project, span: Duration.Duration, observe: Observe = () => Effect.void) =>
  Effect.flatMap(
    Clock.currentTimeMillis,
    (from) =>
      Effect.scoped(inWorld(project, from, Duration.toMillis(span), observe)).pipe(
        Effect.provide(Layer.provideMerge(world, TestClock.layer({ warningDelay: "1 day" })))
      )
  )
