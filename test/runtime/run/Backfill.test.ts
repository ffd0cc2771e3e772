import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as PartitionMapping from "../../../src/runtime/partition/PartitionMapping.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as Backfill from "../../../src/runtime/run/Backfill.ts"
import { BackfillStore } from "../../../src/runtime/store/BackfillStore.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as TestBackfill from "../../support/TestBackfill.ts"
import * as TestGraph from "../../support/TestGraph.ts"

const letters = { letter: Partitions.statics(["a", "b", "c", "d", "e"]) }
const Value = Schema.Struct({ text: Schema.String })

class Broken extends Schema.TaggedError<Broken>()("Broken", { message: Schema.String }) {}

/** A source and what reads it; the test says what each call does. */
const project = (onCall: (call: string) => Effect.Effect<void, Broken> = () => Effect.void) => {
  const calls: Array<string> = []
  const called = (call: string) => Effect.andThen(Effect.sync(() => void calls.push(call)), onCall(call))
  const source = Asset.make(
    "source",
    { partitions: letters, output: Value },
    ({ partition }) => Effect.as(called(`source ${partition.letter}`), { text: partition.letter })
  )
  const copy = Asset.make(
    "copy",
    { partitions: letters, deps: { source }, output: Value },
    ({ partition, source }) => Effect.as(called(`copy ${partition.letter}`), source)
  )
  return { calls, graph: AssetGraph.make(copy) }
}

const times = (calls: ReadonlyArray<string>, name: string) => calls.filter((call) => call.startsWith(name)).sort()

it.effect("a backfill brings every partition of its set up to date, ancestors first, each once", () =>
  Effect.gen(function*() {
    const { calls, graph } = project()
    const { backfillId, slices } = yield* TestBackfill.create(graph, { assets: ["copy"] })
    expect(slices.map(({ asset, stage }) => [asset, stage])).toEqual([["copy", 0], ["copy", 0], ["copy", 0]])
    const { backfill } = yield* TestBackfill.work(graph, backfillId)
    expect(backfill).toMatchObject({ status: "succeeded", slices: 3, over: 3, partitions: 5, done: 5, failed: 0 })
    expect(times(calls, "copy")).toEqual(["copy a", "copy b", "copy c", "copy d", "copy e"])
    expect(times(calls, "source")).toHaveLength(5)
    const runs = yield* (yield* RunStore).list({ limit: 10 })
    expect(runs.map(({ request }) => request)).toMatchObject([
      { backfill: backfillId, slice: 2, assets: ["copy"], partition: "letter=e" },
      { backfill: backfillId, slice: 1 },
      { backfill: backfillId, slice: 0 }
    ])
    const next = yield* TestBackfill.create(graph, { assets: ["copy"] })
    expect(next.slices).toEqual([])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("several targets are worked in stages, upstream first", () =>
  Effect.gen(function*() {
    const { calls, graph } = project()
    const { backfillId, slices } = yield* TestBackfill.create(graph, { assets: ["copy", "source"], ancestors: false })
    expect(slices.map(({ asset, stage }) => `${stage} ${asset}`)).toEqual([
      "0 source",
      "0 source",
      "0 source",
      "1 copy",
      "1 copy",
      "1 copy"
    ])
    const { backfill } = yield* TestBackfill.work(graph, backfillId)
    expect(backfill).toMatchObject({ status: "succeeded", done: 10 })
    expect(calls.slice(0, 5).every((call) => call.startsWith("source"))).toBe(true)
    expect(calls).toHaveLength(10)
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a stage begins only when all slices before it are over, also those of another worker", () =>
  Effect.gen(function*() {
    const gate = Latch.makeUnsafe(false)
    const { calls, graph } = project((call) => call === "source a" ? gate.await : Effect.void)
    const { backfillId } = yield* TestBackfill.create(graph, { assets: ["source", "copy"], ancestors: false })
    const workers = yield* Effect.forEach(
      [1, 2],
      () => Effect.forkChild(TestBackfill.work(graph, backfillId))
    )
    yield* TestClock.adjust("5 seconds")
    expect(times(calls, "source")).toHaveLength(5)
    expect(times(calls, "copy")).toEqual([])
    yield* gate.open
    yield* TestClock.adjust("5 seconds")
    const ends = yield* Effect.forEach(workers, (worker) => Fiber.join(worker))
    expect(ends.map(({ backfill }) => backfill.status)).toEqual(["succeeded", "succeeded"])
    expect([...new Set(calls)]).toHaveLength(10)
    expect(calls).toHaveLength(10)
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("failures are grouped, the other slices go on, and taking it up again does only what failed", () =>
  Effect.gen(function*() {
    let broken = true
    const { calls, graph } = project((call) =>
      broken && (call === "source b" || call === "source d")
        ? Effect.fail(new Broken({ message: "the vendor is away" }))
        : Effect.void
    )
    const { backfillId } = yield* TestBackfill.create(graph, { assets: ["copy"] })
    const first = yield* TestBackfill.work(graph, backfillId)
    expect(first.backfill).toMatchObject({ status: "failed", over: 3, partitions: 5, done: 3, failed: 2 })
    const store = yield* BackfillStore
    expect(Backfill.failuresOf(yield* store.slices(backfillId))).toMatchObject([
      { asset: "source", error: "the vendor is away", tag: "Broken", count: 2, partitions: ["letter=b", "letter=d"] },
      { asset: "copy", error: "blocked: source letter=b failed", blocked: true, count: 2 }
    ])
    expect((yield* TestBackfill.work(graph, backfillId)).heard).toEqual([])
    broken = false
    calls.length = 0
    yield* store.reopen(backfillId)
    const second = yield* TestBackfill.work(graph, backfillId)
    expect(second.backfill).toMatchObject({ status: "succeeded", done: 5, failed: 0 })
    expect(Backfill.failuresOf(yield* store.slices(backfillId))).toEqual([])
    expect(calls.sort()).toEqual(["copy b", "copy d", "source b", "source d"])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a worker that is interrupted gives its slice back, and what was forced is not made again", () =>
  Effect.gen(function*() {
    const gate = Latch.makeUnsafe(true)
    const { calls, graph } = project((call) => call === "copy b" ? gate.await : Effect.void)
    yield* TestGraph.materialize(graph, { assets: ["copy"] })
    yield* TestClock.adjust("1 minute")
    calls.length = 0
    const { backfillId } = yield* TestBackfill.create(graph, { assets: ["copy"], force: true, slice: 3 })
    gate.closeUnsafe()
    const worker = yield* Effect.forkChild(TestBackfill.work(graph, backfillId))
    yield* TestClock.adjust("1 second")
    expect(calls.sort()).toEqual(["copy a", "copy b", "copy c"])
    yield* Fiber.interrupt(worker)
    const store = yield* BackfillStore
    expect((yield* store.slices(backfillId)).map(({ status }) => status)).toEqual(["pending", "pending"])
    expect(yield* store.find(backfillId)).toMatchObject({ status: "running", done: 0 })
    gate.openUnsafe()
    const { backfill } = yield* TestBackfill.work(graph, backfillId)
    expect(backfill).toMatchObject({ status: "succeeded", done: 5 })
    expect(calls.sort()).toEqual(["copy a", "copy b", "copy b", "copy c", "copy d", "copy e"])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a backfill is canceled while a run of it goes on: the run stops, nothing is begun, and it can be taken up", () =>
  Effect.gen(function*() {
    const gate = Latch.makeUnsafe(false)
    const { calls, graph } = project((call) => call === "copy b" ? gate.await : Effect.void)
    const { backfillId } = yield* TestBackfill.create(graph, { assets: ["copy"] })
    const worker = yield* Effect.forkChild(TestBackfill.work(graph, backfillId))
    yield* TestClock.adjust("1 second")
    const canceling = yield* Effect.forkChild(Backfill.cancel(backfillId))
    yield* TestClock.adjust("1 second")
    expect(yield* Fiber.join(canceling)).toBe(true)
    expect((yield* Fiber.join(worker)).backfill).toMatchObject({ status: "canceled", over: 0 })
    expect((yield* (yield* RunStore).list({ limit: 5 })).map(({ status }) => status)).toEqual(["canceled"])
    expect(times(calls, "copy")).toEqual(["copy a", "copy b"])
    const store = yield* BackfillStore
    expect((yield* store.slices(backfillId)).map(({ status }) => status)).toEqual(["pending", "pending", "pending"])
    expect(yield* Backfill.cancel(backfillId)).toBe(false)
    expect(yield* Backfill.cancel("unknown")).toBe(false)
    gate.openUnsafe()
    yield* store.reopen(backfillId)
    expect((yield* TestBackfill.work(graph, backfillId)).backfill).toMatchObject({ status: "succeeded", done: 5 })
    expect(times(calls, "copy a")).toHaveLength(1)
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a run that is canceled alone is a failure of its slice, and the rest goes on", () =>
  Effect.gen(function*() {
    const { graph } = project((call) => call === "copy b" ? Effect.never : Effect.void)
    const { backfillId } = yield* TestBackfill.create(graph, { assets: ["copy"] })
    const worker = yield* Effect.forkChild(TestBackfill.work(graph, backfillId))
    yield* TestClock.adjust("1 second")
    const runs = yield* RunStore
    const [run] = yield* runs.list({ limit: 1 })
    yield* runs.requestCancel(run!.runId)
    yield* TestClock.adjust("1 second")
    expect((yield* Fiber.join(worker)).backfill).toMatchObject({ status: "failed", over: 3, done: 4, failed: 1 })
    const slices = yield* (yield* BackfillStore).slices(backfillId)
    expect(Backfill.failuresOf(slices)).toMatchObject([{ asset: "copy", error: "the run was canceled", count: 1 }])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("--only chooses which partitions the backfill is over; what fails meanwhile is taken up again all the same", () =>
  Effect.gen(function*() {
    let broken = "copy a"
    const { calls, graph } = project((call) =>
      call === broken ? Effect.fail(new Broken({ message: "no" })) : Effect.void
    )
    yield* TestGraph.materialize(graph, { assets: ["copy"], partition: "letter=a,letter=b" })
    calls.length = 0
    broken = "copy c"
    const { backfillId } = yield* TestBackfill.create(graph, { assets: ["copy"], only: "missing" })
    expect((yield* TestBackfill.work(graph, backfillId)).backfill).toMatchObject({ partitions: 3, done: 2, failed: 1 })
    broken = ""
    yield* (yield* BackfillStore).reopen(backfillId)
    expect((yield* TestBackfill.work(graph, backfillId)).backfill).toMatchObject({ status: "succeeded", done: 3 })
    expect(times(calls, "copy")).toEqual(["copy c", "copy c", "copy d", "copy e"])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("partitions that are not what they were fail their slice with a sentence", () =>
  Effect.gen(function*() {
    const made = (values: ReadonlyArray<string>) =>
      AssetGraph.make(Asset.make("copy", { partitions: { letter: Partitions.statics(values) } }, () => Effect.void))
    const { backfillId } = yield* TestBackfill.create(made(["a", "b", "c", "d"]), { assets: ["copy"] })
    const { backfill } = yield* TestBackfill.work(made(["a", "new", "b", "c"]), backfillId)
    expect(backfill).toMatchObject({ status: "failed", done: 0, failed: 4 })
    const store = yield* BackfillStore
    expect((yield* store.slices(backfillId)).map(({ failures }) => failures[0]!.error)).toEqual([
      "letter=a..b was 2 partitions and is 3 by now: start another backfill",
      expect.stringContaining("There is no partition letter=d.")
    ])
    yield* store.reopen(backfillId)
    yield* TestBackfill.work(AssetGraph.make(Asset.make("other", {}, () => Effect.void)), backfillId)
    expect(Backfill.failuresOf(yield* store.slices(backfillId))).toMatchObject([
      { error: "the graph has no asset copy any more", count: 4 }
    ])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("months made of days, and days that share a month upstream: each is made once", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2024-04-01T00:00:00Z"))
    const calls: Array<string> = []
    const called = (call: string) => Effect.sync(() => void calls.push(call))
    const month = Partitions.monthly({ start: "2024-01-01" })
    const day = Partitions.daily({ start: "2024-01-01" })
    const raw = Asset.make("raw", { partitions: { month } }, ({ partition }) => called(`raw ${partition.month}`))
    const daily = Asset.make(
      "daily",
      {
        partitions: { day },
        deps: { raw: Asset.mapped(raw, { month: PartitionMapping.containing("day") }) }
      },
      ({ partition }) => called(`daily ${partition.day}`)
    )
    const report = Asset.make(
      "report",
      {
        partitions: { month },
        deps: { daily: Asset.mapped(daily, { day: PartitionMapping.overlapping("month") }) }
      },
      ({ daily, partition }) => called(`report ${partition.month} of ${daily.length}`)
    )
    const graph = AssetGraph.make(report)
    const { backfillId } = yield* TestBackfill.create(graph, { assets: ["report", "daily"], slice: 20 })
    expect((yield* TestBackfill.work(graph, backfillId)).backfill.status).toBe("succeeded")
    expect(times(calls, "report")).toEqual([
      "report 2024-01 of 31",
      "report 2024-02 of 29",
      "report 2024-03 of 31"
    ])
    expect(times(calls, "daily")).toHaveLength(91)
    expect(new Set(times(calls, "daily")).size).toBe(91)
    expect(times(calls, "raw")).toEqual(["raw 2024-01", "raw 2024-02", "raw 2024-03"])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

/** How often each partition was materialized by runs of the backfill, from their events. */
const history = (backfillId: string) =>
  Effect.gen(function*() {
    const runs = yield* RunStore
    const times = new Map<string, number>()
    for (const { request, runId } of yield* runs.list({ limit: 1000 })) {
      if ((request as { readonly backfill?: string }).backfill !== backfillId) continue
      for (const { event } of yield* runs.events(runId)) {
        if (event.type !== "Materialized") continue
        for (const { partition } of event.results) {
          const name = `${event.asset} ${partition}`
          times.set(name, (times.get(name) ?? 0) + 1)
        }
      }
    }
    return times
  })

it.effect.prop(
  "wherever its workers are stopped, a backfill that is taken up again materializes each partition once",
  { stops: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12 }))), force: Schema.Boolean },
  ({ force, stops }) =>
    Effect.gen(function*() {
      const { graph } = project(() => Effect.yieldNow)
      if (force) yield* TestGraph.materialize(graph, { assets: ["copy"] })
      yield* TestClock.adjust("1 minute")
      const { backfillId } = yield* TestBackfill.create(graph, { assets: ["copy"], force })
      for (const stop of stops) {
        const reached = yield* Deferred.make<void>()
        let heard = 0
        const hear = () => ++heard === stop ? Deferred.succeed(reached, undefined) : Effect.succeed(false)
        yield* Effect.raceFirst(
          TestBackfill.work(graph, backfillId, () => Effect.asVoid(Effect.suspend(hear))),
          Deferred.await(reached)
        )
      }
      const { backfill } = yield* TestBackfill.work(graph, backfillId)
      expect(backfill).toMatchObject({ status: "succeeded", partitions: 5, done: 5 })
      const times = yield* history(backfillId)
      expect(times.size).toBe(force ? 5 : 10)
      expect([...times.values()].every((each) => each === 1)).toBe(true)
    }).pipe(Effect.provide(TestGraph.layerMemory))
)
