import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Reloaded } from "../../../src/runtime/cli/Application.ts"
import { configuration, type Failure } from "../../../src/runtime/cli/Failure.ts"
import { projects } from "../../../src/runtime/cli/handlers/daemon.ts"
import * as TestDaemon from "../../support/TestDaemon.ts"

/** Graphs are told apart by their concurrency. */
const numbered = (concurrency: number) => ({
  ...TestDaemon.project(TestDaemon.counted([]), []),
  concurrency
})

const read = (concurrency: number): Result.Result<Reloaded, Failure> =>
  Result.succeed({
    project: numbered(concurrency),
    layer: Layer.effectContext(Effect.succeed(Context.empty() as Context.Context<unknown>))
  })

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
