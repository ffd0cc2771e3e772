import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { Quota, take } from "../../../../src/layers/market-data/Quota.ts"
import * as Memory from "../../../../src/layers/market-data/quota/Memory.ts"
import { suite } from "./QuotaSuite.ts"

suite("quotas in memory", Memory.layerMemory, Quota)

it.effect("twelve fibers start a second apart, and those that the day has no room for fail at once", () =>
  Effect.gen(function*() {
    const started: Array<number> = []
    const call = Effect.andThen(
      take("turn", { perSecond: 1, perDay: 10 }),
      Effect.map(Clock.currentTimeMillis, (now) => void started.push(now))
    )
    const fibers = yield* Effect.forEach(Array.from({ length: 12 }), () => Effect.forkChild(Effect.result(call)))
    yield* TestClock.adjust(0)
    assert.deepStrictEqual(started, [0])
    const failed = yield* Effect.forEach(fibers.slice(10), Fiber.join)
    assert.deepStrictEqual(failed.map(({ _tag }) => _tag), ["Failure", "Failure"])
    yield* TestClock.adjust("20 seconds")
    assert.strictEqual(started.length, 10)
    for (let at = 1; at < started.length; at++) assert.isAtLeast(started[at]! - started[at - 1]!, 1000)
  }).pipe(Effect.provide(Memory.layerMemory)))
