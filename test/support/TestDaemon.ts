/** Daemons over the stores in memory, on a clock that jumps and stands still. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as Asset from "../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../src/runtime/asset/AssetGraph.ts"
import * as Freshness from "../../src/runtime/asset/Freshness.ts"
import * as Daemon from "../../src/runtime/automation/Daemon.ts"
import type { Automation, Project } from "../../src/runtime/automation/Project.ts"
import * as Watch from "../../src/runtime/automation/Watch.ts"
import { AutomationStore } from "../../src/runtime/store/AutomationStore.ts"
import { RunStore } from "../../src/runtime/store/RunStore.ts"
import * as Testing from "../../src/runtime/testing/Testing.ts"

/** With few looks: where the clock does not jump, nothing is missed by them. */
export const engine = Layer.mergeAll(Testing.layer, Logger.layer([]), Layer.succeed(Watch.Patience, 86_400_000))

/** With as many looks as a daemon has. */
export const patient = Layer.merge(Testing.layer, Logger.layer([]))

export const iso = (millis: number): string => new Date(millis).toISOString()

/** An asset whose calls are noted when they begin, and when they end. */
export const counted = (calls: Array<string>, takes: Duration.Input = 0) =>
  Asset.make("counted", { freshness: Freshness.within("2 hours", { warn: "1 hour" }) }, () =>
    Effect.gen(function*() {
      calls.push(iso(yield* Clock.currentTimeMillis))
      yield* Effect.sleep(takes)
    }))

export const project = (
  asset: ReturnType<typeof counted>,
  automations: ReadonlyArray<Automation<never>>
): Project<never> => ({
  graph: AssetGraph.make(asset),
  automations,
  members: Effect.succeed({}),
  concurrency: 4,
  pools: {},
  limits: {}
})

/** `reloads` are the graphs that replace it. */
export const run = (
  one: Project<never>,
  options: Partial<Daemon.Options> = {},
  reloads: Stream.Stream<Project<never>> = Stream.never
) =>
  Daemon.run(Stream.concat(Stream.make(one), reloads), {
    ...Daemon.defaults,
    holder: "a",
    lease: Duration.days(1),
    // The clock does not go on when a test is over.
    drain: Duration.zero,
    leads: () => Effect.void,
    ...options
  })

export const start = (...given: Parameters<typeof run>) => Effect.forkChild(run(...given))

/** The oldest first. */
export const runs = Effect.flatMap(
  RunStore,
  (store) => Effect.map(store.list({ limit: 20_000 }), (all) => [...all].reverse())
)

/** Of one automation or of all, the oldest first: outcome, instant, how often. */
export const ticks = (name?: string) =>
  Effect.flatMap(
    AutomationStore,
    (store) =>
      Effect.map(store.ticks(name, 10_000), (all) =>
        [...all].reverse().map(({ count, due, outcome }) => `${iso(due).slice(11, 16)} ${outcome} ${count}`))
  )

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** So many turns are enough for everything that is awake to come to its next wait: nothing here waits for the world. */
const TURNS = 25

const settle = Effect.forEach(Array.from({ length: TURNS }), () => Effect.yieldNow, { discard: true })

/**
 * A clock that goes from one sleeper to the next, and on only when everybody sleeps. Its hands can be set: that wakes
 * nobody. It can be stopped for a process: whoever sleeps by it then, sleeps on.
 */
export const makeClock = (start: string) => {
  let [elapsed, ahead] = [0, Date.parse(start)]
  const sleepers: Array<Sleeper> = []
  const now = () => elapsed + ahead
  const nanos = () => BigInt(Math.round(now() * 1_000_000))
  const sleep = (duration: Duration.Duration) =>
    Duration.toMillis(duration) <= 0 ? Effect.yieldNow : Effect.callback<void>((resume) => {
      const one = { at: elapsed + Duration.toMillis(duration), wake: () => resume(Effect.void) }
      sleepers.push(one)
      return Effect.sync(() => {
        const at = sleepers.indexOf(one)
        if (at !== -1) sleepers.splice(at, 1)
      })
    })
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: now,
    currentTimeMillis: Effect.sync(now),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: () => BigInt(Math.round(elapsed * 1_000_000)),
    monotonicTimeNanos: Effect.sync(() => BigInt(Math.round(elapsed * 1_000_000))),
    sleep
  }
  const advance = (by: Duration.Input) =>
    Effect.gen(function*() {
      const end = elapsed + Duration.toMillis(by)
      while (true) {
        yield* settle
        const next = sleepers.reduce<Sleeper | undefined>((a, b) => a === undefined || b.at < a.at ? b : a, undefined)
        if (next === undefined || next.at > end) break
        elapsed = Math.max(elapsed, next.at)
        sleepers.splice(sleepers.indexOf(next), 1)
        next.wake()
      }
      elapsed = end
    })
  /** The clock of a process that can be made to stand still. */
  const process = () => {
    const going = Latch.makeUnsafe(true)
    const own: Clock.Clock = { ...clock, sleep: (duration) => Effect.andThen(sleep(duration), going.await) }
    return {
      on: Effect.provideService(Clock.Clock, own),
      stop: Effect.sync(() => going.closeUnsafe()),
      goOn: Effect.sync(() => going.openUnsafe())
    }
  }
  return {
    on: Effect.provideService(Clock.Clock, clock),
    advance,
    process,
    jump: (by: Duration.Input) => Effect.sync(() => void (ahead += Duration.toMillis(by)))
  }
}
