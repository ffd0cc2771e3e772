import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Memory from "../../../src/layers/alerts/Memory.ts"
import { AlertChannels } from "../../../src/runtime/automation/AlertChannels.ts"
import * as AlertPolicy from "../../../src/runtime/automation/AlertPolicy.ts"
import * as Notifier from "../../../src/runtime/automation/Notifier.ts"
import * as RunWatch from "../../../src/runtime/automation/RunWatch.ts"
import type { RunStatus } from "../../../src/runtime/run/Event.ts"
import { AlertStore } from "../../../src/runtime/store/AlertStore.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import { said } from "../../support/TestAlerts.ts"

const stores = Layer.merge(AlertStore.layerMemory, RunStore.layerMemory)

/** A run of the schedule `weekly`. */
const begin = Effect.fnUntraced(function*(runId: string, attempts = 1) {
  const runs = yield* RunStore
  const tags = { automation: "schedule/weekly" }
  yield* runs.request([{ runId, runKey: runId, request: {}, tags, priority: 0, attempts }])
  yield* runs.enqueue({ runId, request: {}, tags, priority: 0 })
  yield* runs.begin(runId, {})
  return runs
})

/** One that ends so. */
const ran = Effect.fnUntraced(function*(runId: string, status: RunStatus, attempts?: number) {
  const runs = yield* begin(runId, attempts)
  yield* runs.end(runId, status, {})
})

/** Watches runs and tells; answers what was heard. */
const watching = Effect.gen(function*() {
  const channel = Memory.make()
  const notifier = yield* Notifier.make({ fenced: (effect) => effect, policy: AlertPolicy.standard }).pipe(
    Effect.provideService(AlertChannels, [channel])
  )
  yield* Effect.forkScoped(notifier.run)
  yield* Effect.forkScoped(RunWatch.run(notifier.runsEnded))
  yield* TestClock.adjust(1)
  return () => channel.heard.map(({ message }) => said(message))
})

it.effect("a run that ends is told of at once, whoever ran it", () =>
  Effect.gen(function*() {
    const heard = yield* watching
    yield* ran("r1", "failed")
    yield* TestClock.adjust(1)
    expect(heard()).toEqual(["opened run/schedule/weekly"])
    yield* TestClock.adjust("5 minutes")
    yield* ran("r2", "succeeded")
    yield* TestClock.adjust(1)
    expect(heard()).toEqual(["opened run/schedule/weekly", "resolved run/schedule/weekly"])
    yield* TestClock.adjust("1 day")
    expect(heard()).toHaveLength(2)
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("after a downtime it is told what stands badly now, and not what was over meanwhile", () =>
  Effect.gen(function*() {
    for (const status of ["failed", "succeeded", "failed", "failed"] as const) {
      yield* ran(`${status} ${yield* Clock.currentTimeMillis}`, status)
      yield* TestClock.adjust("1 hour")
    }
    const heard = yield* watching
    yield* TestClock.adjust("1 second")
    expect(heard()).toEqual(["opened run/schedule/weekly x2"])
  }).pipe(Effect.scoped, Effect.provide(stores)))

it.effect("a run that was cut off is told when it is not taken up again, and only then", () =>
  Effect.gen(function*() {
    const runs = yield* RunStore
    const heard = yield* watching
    yield* ran("taken up", "interrupted", 2)
    yield* TestClock.adjust("30 seconds")
    expect(yield* runs.resume).toEqual(["taken up.2"])
    yield* TestClock.adjust("10 minutes")
    expect(heard()).toEqual([])
    yield* ran("lost", "interrupted")
    yield* TestClock.adjust("1 minute")
    expect(heard()).toEqual([])
    yield* TestClock.adjust("2 minutes")
    expect(heard()).toEqual(["opened run/schedule/weekly"])
  }).pipe(Effect.scoped, Effect.provide(stores)))

for (const when of ["while it is watched", "before"]) {
  it.effect(`a run that was cut off ${when} is told however many began after it`, () =>
    Effect.gen(function*() {
      const early = when === "before" ? undefined : yield* watching
      const runs = yield* begin("long")
      for (let at = 0; at < 300; at++) {
        yield* TestClock.adjust("1 second")
        yield* ran(`short ${at}`, "succeeded")
      }
      yield* runs.end("long", "interrupted", undefined, "gone")
      const heard = early ?? (yield* watching)
      yield* TestClock.adjust("1 minute")
      expect(heard()).toEqual([])
      for (let at = 300; at < 900; at++) {
        if (at % 10 === 0) yield* TestClock.adjust("1 second")
        yield* ran(`short ${at}`, "canceled")
      }
      yield* TestClock.adjust("30 seconds")
      expect(heard()).toEqual(["opened run/schedule/weekly"])
    }).pipe(Effect.scoped, Effect.provide(stores)))
}
