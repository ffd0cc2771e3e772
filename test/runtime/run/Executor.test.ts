import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as TestGraph from "../../support/TestGraph.ts"

const letters = { letter: Partitions.statics(["a", "b", "c"]) }
const Value = Schema.Struct({ text: Schema.String, rows: Schema.Finite })

class Broken extends Schema.TaggedError<Broken>()("Broken", { message: Schema.String }) {}

/** A source whose content the test changes, and two branches that read it. */
const project = () => {
  const content: { [letter: string]: string } = { a: "1", b: "1", c: "1" }
  const calls: Array<string> = []
  const source = Asset.make(
    "source",
    { partitions: letters, output: Value, dataVersion: "text" },
    ({ partition }) =>
      Effect.sync(() => {
        calls.push(`source ${partition.letter}`)
        return { text: content[partition.letter]!, rows: 2 }
      })
  )
  const copy = Asset.make(
    "copy",
    { partitions: letters, deps: { source }, output: Value, dataVersion: "text" },
    ({ partition, source }) =>
      Effect.sync(() => {
        calls.push(`copy ${partition.letter}`)
        return { text: `copy of ${source.text}`, rows: source.rows }
      })
  )
  const table = Asset.make(
    "table",
    { partitions: letters, deps: { source }, output: Value, batch: { max: 10 } },
    ({ items }) =>
      Effect.sync(() => {
        calls.push(`table ${items.map(({ partition }) => partition.letter).join("")}`)
        return items.map(({ source }) => Result.succeed({ text: source.text, rows: source.rows }))
      })
  )
  return { content, calls, graph: AssetGraph.make(copy, table) }
}

it.effect("everything is materialized once, upstream first, and a second run has nothing to do", () =>
  Effect.gen(function*() {
    const { calls, graph } = project()
    const first = yield* TestGraph.materialize(graph, { assets: ["copy", "table"] })
    expect(first.summary.status).toBe("succeeded")
    expect(first.summary.assets.table).toMatchObject({ materialized: 3, changed: 3, sums: { rows: 6 } })
    expect(calls).toHaveLength(7)
    expect(calls).toContain("table abc")
    const second = yield* TestGraph.materialize(graph, { assets: ["copy", "table"] })
    expect(TestGraph.planned(second.plan)).toEqual([])
    expect(second.plan.assets.map(({ asset, upToDate }) => [asset.name, upToDate]))
      .toEqual([["source", 3], ["copy", 3], ["table", 3]])
    expect(calls).toHaveLength(7)
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a source that is read again touches only what comes out different", () =>
  Effect.gen(function*() {
    const { calls, content, graph } = project()
    yield* TestGraph.materialize(graph, { assets: ["copy", "table"] })
    calls.length = 0
    content["b"] = "2"
    yield* TestGraph.materialize(graph, { assets: ["source"], force: true })
    const next = yield* TestGraph.plan(graph, { assets: ["copy", "table"] })
    expect(TestGraph.planned(next.plan)).toMatchObject([
      { partition: "letter=b", reason: { _tag: "InputChanged", dependency: "source" } },
      { partition: "letter=b", reason: { _tag: "InputChanged", dependency: "source" } }
    ])
    yield* TestGraph.materialize(graph, { assets: ["copy", "table"] })
    expect(calls).toEqual(["source a", "source b", "source c", "copy b", "table b"])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("when the source is refreshed in the same run, unchanged partitions are skipped downstream", () =>
  Effect.gen(function*() {
    let version = "1"
    const content = ["1", "1", "1"]
    const source = Asset.make(
      "source",
      { partitions: letters, output: Value, dataVersion: "text", codeVersion: Effect.sync(() => version) },
      ({ partition }) => Effect.succeed({ text: content["abc".indexOf(partition.letter)]!, rows: 1 })
    )
    const copy = Asset.make(
      "copy",
      { partitions: letters, deps: { source }, output: Value },
      ({ source }) => Effect.succeed(source)
    )
    const graph = AssetGraph.make(copy)
    yield* TestGraph.materialize(graph, { assets: ["copy"] })
    version = "2"
    content[2] = "2"
    const { plan, summary } = yield* TestGraph.materialize(graph, { assets: ["copy"] })
    expect(TestGraph.planned(plan).filter(({ asset }) => asset === "copy").map(({ reason }) => reason._tag))
      .toEqual(["InputPlanned", "InputPlanned", "InputPlanned"])
    expect(summary.assets).toMatchObject({
      source: { materialized: 3, changed: 1 },
      copy: { materialized: 1, changed: 1, skipped: 2 }
    })
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a failed partition blocks what reads it, the rest goes on, and the next run takes up the failed one", () =>
  Effect.gen(function*() {
    let broken = true
    const source = Asset.make(
      "source",
      { partitions: letters, output: Value, dataVersion: "text" },
      ({ partition }) =>
        broken && partition.letter === "b"
          ? Effect.fail(new Broken({ message: "the b is broken" }))
          : Effect.succeed({ text: "x", rows: 1 })
    )
    const copy = Asset.make(
      "copy",
      { partitions: letters, deps: { source }, output: Value },
      ({ source }) => Effect.succeed(source)
    )
    const graph = AssetGraph.make(copy)
    const { summary } = yield* TestGraph.materialize(graph, { assets: ["copy"] })
    expect(summary.status).toBe("failed")
    expect(summary.assets).toMatchObject({
      source: { materialized: 2, failed: 1 },
      copy: { materialized: 2, failed: 1 }
    })
    expect(summary.failures.map((failure) => failure.error)).toEqual([
      "the b is broken",
      "blocked: source letter=b failed"
    ])
    broken = false
    const again = yield* TestGraph.materialize(graph, { assets: ["copy"] })
    expect(TestGraph.planned(again.plan).map(({ reason }) => reason._tag)).toEqual(["Failed", "NeverMaterialized"])
    expect(again.summary.status).toBe("succeeded")
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a retry schedule is followed, told and given up", () =>
  Effect.gen(function*() {
    let tries = 0
    const flaky = Asset.make(
      "flaky",
      { retry: Schedule.max([Schedule.spaced("1 minute"), Schedule.recurs(2)]) },
      () => Effect.suspend(() => ++tries < 3 ? Effect.fail(new Broken({ message: "not yet" })) : Effect.void)
    )
    const fiber = yield* Effect.forkChild(TestGraph.materialize(AssetGraph.make(flaky), { assets: ["flaky"] }))
    yield* TestClock.adjust("2 minutes")
    const { events, summary } = yield* Fiber.join(fiber)
    expect(summary.status).toBe("succeeded")
    expect(events.filter((event) => event.type === "StepRetrying")).toMatchObject([
      { asset: "flaky", error: "not yet" },
      { asset: "flaky", error: "not yet" }
    ])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a call that takes longer than the timeout fails", () =>
  Effect.gen(function*() {
    const slow = Asset.make("slow", { timeout: "1 second" }, () => Effect.never)
    const fiber = yield* Effect.forkChild(TestGraph.materialize(AssetGraph.make(slow), { assets: ["slow"] }))
    yield* TestClock.adjust("1 second")
    const { summary } = yield* Fiber.join(fiber)
    expect(summary.status).toBe("failed")
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a pool bounds how many calls run at a time, and concurrency bounds the rest", () =>
  Effect.gen(function*() {
    const peak = { pooled: 0, free: 0 }
    const now = { pooled: 0, free: 0 }
    const busy = (name: "pooled" | "free", pool: { readonly pool: string } | {}) =>
      Asset.make(name, { partitions: letters, ...pool }, () =>
        Effect.acquireUseRelease(
          Effect.sync(() => (peak[name] = Math.max(peak[name], ++now[name]))),
          () => Effect.sleep("1 second"),
          () => Effect.sync(() => now[name]--)
        ))
    const graph = AssetGraph.make(busy("pooled", { pool: "one" }), busy("free", {}))
    const fiber = yield* Effect.forkChild(TestGraph.materialize(graph, { assets: ["pooled", "free"], concurrency: 5 }))
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(fiber)
    expect(peak).toEqual({ pooled: 1, free: 3 })
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a run that is asked to stop ends as canceled, soon, and keeps what it finished", () =>
  Effect.gen(function*() {
    const quick = Asset.make("quick", {}, () => Effect.void)
    const slow = Asset.make("slow", { deps: { quick } }, () => Effect.never)
    const fiber = yield* Effect.forkChild(TestGraph.materialize(AssetGraph.make(slow), { assets: ["slow"] }))
    yield* TestClock.adjust("1 second")
    const runs = yield* RunStore
    const [run] = yield* runs.list({ limit: 1 })
    expect(yield* runs.requestCancel("another")).toBe(false)
    expect(yield* runs.requestCancel(run!.runId)).toBe(true)
    yield* TestClock.adjust("500 millis")
    const { summary } = yield* Fiber.join(fiber)
    expect(summary.status).toBe("canceled")
    expect(summary.assets).toMatchObject({ quick: { materialized: 1 } })
    expect((yield* runs.find(run!.runId))!.status).toBe("canceled")
    expect(yield* runs.requestCancel(run!.runId)).toBe(false)
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("an interrupted run is marked so", () =>
  Effect.gen(function*() {
    const slow = Asset.make("slow", {}, () => Effect.never)
    const fiber = yield* Effect.forkChild(TestGraph.materialize(AssetGraph.make(slow), { assets: ["slow"] }))
    yield* TestClock.adjust("1 second")
    yield* Fiber.interrupt(fiber)
    const runs = yield* RunStore
    expect((yield* runs.list({ limit: 5 })).map((run) => run.status)).toEqual(["interrupted"])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a call that is interrupted from within is a failed one, and the run goes on", () =>
  Effect.gen(function*() {
    const joins = Asset.make("joins", {}, () =>
      Effect.gen(function*() {
        const child = yield* Effect.forkChild(Effect.never)
        yield* Fiber.interrupt(child)
        return yield* Fiber.join(child)
      }))
    const reads = Asset.make("reads", { deps: { joins } }, () => Effect.void)
    const other = Asset.make("other", {}, () => Effect.void)
    const { events, summary } = yield* TestGraph.materialize(AssetGraph.make(reads, other), {
      assets: ["reads", "other"]
    })
    expect(summary).toMatchObject({ status: "failed", assets: { other: { materialized: 1 } } })
    expect(events.flatMap((event) => event.type === "Failed" ? [`${event.asset} ${event.error}`] : [])).toEqual([
      "joins was interrupted from within",
      "reads blocked: joins (unpartitioned) failed"
    ])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("of a run that is interrupted no call counts as failed, not even one that waits for what another one does", () =>
  Effect.gen(function*() {
    const answer = yield* Deferred.make<void>()
    const slow = Asset.make("slow", { partitions: letters }, ({ partition }) =>
      partition.letter === "a"
        ? Effect.onInterrupt(Effect.never, () => Deferred.interrupt(answer))
        : Deferred.await(answer))
    const fiber = yield* Effect.forkChild(TestGraph.materialize(AssetGraph.make(slow), { assets: ["slow"] }))
    yield* TestClock.adjust("1 second")
    yield* Fiber.interrupt(fiber)
    const runs = yield* RunStore
    const [run] = yield* runs.list({ limit: 5 })
    expect(run!.status).toBe("interrupted")
    const types = (yield* runs.events(run!.runId)).map(({ event }) => event.type)
    expect(types.filter((type) => type === "StepStarted").length).toBeGreaterThan(1)
    expect(types).not.toContain("Failed")
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a run that takes longer than its timeout fails and says so", () =>
  Effect.gen(function*() {
    const slow = Asset.make("slow", {}, () => Effect.never)
    const asked = { assets: ["slow"], options: { timeout: Duration.minutes(10), tags: { team: "etl" } } }
    const fiber = yield* Effect.forkChild(TestGraph.materialize(AssetGraph.make(slow), asked))
    yield* TestClock.adjust("10 minutes")
    const { summary } = yield* Fiber.join(fiber)
    expect(summary).toMatchObject({ status: "failed", why: "took longer than 10m" })
    const [run] = yield* (yield* RunStore).list({ limit: 1, tags: { team: "etl" } })
    expect(run).toMatchObject({ runId: summary.runId, status: "failed", why: "took longer than 10m" })
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("waiting runs begin by priority, and one that is canceled while it waits never begins", () =>
  Effect.gen(function*() {
    const runs = yield* RunStore
    const begun: Array<string> = []
    const start = (name: string, priority: number) => {
      const asset = Asset.make(
        name,
        {},
        () => Effect.andThen(Effect.sync(() => begun.push(name)), Effect.sleep("1 minute"))
      )
      const options = { limits: { runs: 1 }, priority, tags: { name } }
      return Effect.forkChild(TestGraph.materialize(AssetGraph.make(asset), { assets: [name], options }))
    }
    const fibers = [yield* start("first", 0)]
    yield* TestClock.adjust("1 second")
    for (const [name, priority] of [["low", 1], ["unwanted", 9], ["high", 5]] as const) {
      fibers.push(yield* start(name, priority))
      yield* TestClock.adjust("1 second")
    }
    const [unwanted] = yield* runs.list({ limit: 5, tags: { name: "unwanted" } })
    expect(unwanted!.status).toBe("queued")
    expect(yield* runs.requestCancel(unwanted!.runId)).toBe(true)
    yield* TestClock.adjust("5 minutes")
    const ended = yield* Effect.forEach(fibers, Fiber.join)
    expect(begun).toEqual(["first", "high", "low"])
    expect(ended.map(({ summary }) => summary.status)).toEqual(["succeeded", "succeeded", "canceled", "succeeded"])
    expect(ended[1]!.events[0]).toEqual({ type: "RunQueued" })
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("steps of higher priority go first, and a line of work is finished before the next is begun", () =>
  Effect.gen(function*() {
    const calls: Array<string> = []
    const note = (name: string) => ({ partition }: { readonly partition: { readonly letter: string } }) =>
      Effect.sync(() => void calls.push(`${name} ${partition.letter}`))
    const source = Asset.make("source", { partitions: letters }, note("source"))
    const copy = Asset.make("copy", { partitions: letters, deps: { source } }, note("copy"))
    const urgent = Asset.make("urgent", { partitions: letters, priority: 1 }, note("urgent"))
    const graph = AssetGraph.make(copy, urgent)
    yield* TestGraph.materialize(graph, { assets: ["copy", "urgent"], concurrency: 1 })
    const lines = ["source a", "copy a", "source b", "copy b", "source c", "copy c"]
    expect(calls).toEqual(["urgent a", "urgent b", "urgent c", ...lines])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

class Full extends Schema.TaggedClass<Full>()("Full", {}) {}

class StoreRefused extends Schema.TaggedError<StoreRefused>()("StoreRefused", { reason: Full }) {}

it.effect("a failure is known by its error's tag and, where it has one, by that of the reason", () =>
  Effect.gen(function*() {
    const reasoned = Asset.make("reasoned", {}, () => Effect.fail(new StoreRefused({ reason: new Full() })))
    const plain = Asset.make("plain", {}, () => Effect.fail(new Broken({ message: "no" })))
    const graph = AssetGraph.make(reasoned, plain)
    const { events, summary } = yield* TestGraph.materialize(graph, { assets: ["reasoned", "plain"] })
    const names = ({ asset, reason, tag }: { asset: string; reason?: string | undefined; tag?: string | undefined }) =>
      [asset, tag, reason].join(" ")
    expect(summary.failures.map(names).sort()).toEqual(["plain Broken ", "reasoned StoreRefused Full"])
    expect(events.flatMap((event) => event.type === "Failed" ? [names(event)] : []).sort()).toEqual([
      "plain Broken ",
      "reasoned StoreRefused Full"
    ])
  }).pipe(Effect.provide(TestGraph.layerMemory)))
