import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type { Reloaded } from "../../../src/runtime/cli/Application.ts"
import { configuration, type Failure } from "../../../src/runtime/cli/Failure.ts"
import { projects } from "../../../src/runtime/cli/handlers/daemon.ts"
import { AlertStore } from "../../../src/runtime/store/AlertStore.ts"
import * as TestDaemon from "../../support/TestDaemon.ts"

/** Graphs are told apart by their concurrency. */
const numbered = (concurrency: number) => ({
  ...TestDaemon.project(TestDaemon.counted([]), []),
  concurrency
})

const empty = Effect.succeed(Context.empty() as Context.Context<unknown>)

const read = (concurrency: number, services: typeof empty = empty): Result.Result<Reloaded, Failure> =>
  Result.succeed({ project: numbered(concurrency), layer: Layer.effectContext(services) })

it.effect("a term begins with the latest graph that could be read, also when nobody led meanwhile", () =>
  Effect.scoped(Effect.gen(function*() {
    const reads = yield* Queue.unbounded<Result.Result<Reloaded, Failure>>()
    const all = yield* projects({ ...numbered(1), reloads: Stream.fromQueue(reads) })
    const next = (count: number) =>
      Effect.map(
        Stream.runCollect(Stream.take(all, count)),
        (found) => Array.from(found).map(({ concurrency }) => concurrency)
      )
    expect(yield* next(1)).toEqual([1])
    yield* Queue.offerAll(reads, [read(2), Result.fail(configuration("broken", "mend it")), read(3)])
    yield* Effect.repeat(next(1), { until: ([first]) => first === 3 })
    const term = yield* Effect.forkChild(next(2))
    yield* Effect.yieldNow
    yield* Queue.offer(reads, read(4))
    expect(yield* Fiber.join(term)).toEqual([3, 4])
    expect(yield* next(1)).toEqual([4])
  })).pipe(Effect.provide(TestDaemon.engine)))

it.effect("a daemon that begins anew with definitions that can be read has mended what the one before told of", () =>
  Effect.scoped(Effect.gen(function*() {
    const reads = yield* Queue.unbounded<Result.Result<Reloaded, Failure>>()
    const { find } = yield* AlertStore
    const isTold = Effect.map(find("definitions"), (incident) => incident?.status)
    const first = yield* projects({ ...numbered(1), reloads: Stream.fromQueue(reads) })
    yield* Queue.offer(reads, Result.fail(configuration("broken", "mend it")))
    yield* Effect.repeat(isTold, { until: (status) => status === "open" })
    yield* TestClock.adjust("1 second")
    const second = yield* projects(numbered(1))
    expect(second).not.toBe(first)
    expect(yield* isTold).toBe("resolved")
  })).pipe(Effect.provide(TestDaemon.engine)))

it.effect("a layer that is never built is told, and keeps no later graph from being used", () =>
  Effect.scoped(Effect.gen(function*() {
    const reads = yield* Queue.unbounded<Result.Result<Reloaded, Failure>>()
    const { find } = yield* AlertStore
    const all = yield* projects({ ...numbered(1), reloads: Stream.fromQueue(reads) })
    const latest = Effect.map(Stream.runHead(all), (found) => Option.getOrThrow(found).concurrency)
    yield* Queue.offerAll(reads, [read(2, Effect.never), read(3)])
    yield* TestClock.adjust("59 seconds")
    expect(yield* latest).toBe(1)
    yield* TestClock.adjust("1 second")
    yield* Effect.repeat(latest, { until: (concurrency) => concurrency === 3 })
    expect((yield* find("definitions"))!.episode).toBe(1)
  })).pipe(Effect.provide(TestDaemon.engine)))

it.effect("nor does one whose building cannot even be interrupted", () =>
  Effect.scoped(Effect.gen(function*() {
    const reads = yield* Queue.unbounded<Result.Result<Reloaded, Failure>>()
    const all = yield* projects({ ...numbered(1), reloads: Stream.fromQueue(reads) })
    const latest = Effect.map(Stream.runHead(all), (found) => Option.getOrThrow(found).concurrency)
    // As whatever acquires a resource is built.
    yield* Queue.offerAll(reads, [read(2, Effect.uninterruptible(Effect.never)), read(3)])
    yield* TestClock.adjust("1 minute")
    yield* Effect.repeat(latest, { until: (concurrency) => concurrency === 3 })
  })).pipe(Effect.provide(TestDaemon.engine)))
