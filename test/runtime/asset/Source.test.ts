import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as PartitionMapping from "../../../src/runtime/partition/PartitionMapping.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../../src/runtime/partition/PartitionSet.ts"
import * as Situation from "../../../src/runtime/run/Situation.ts"
import { MaterializationStore } from "../../../src/runtime/store/MaterializationStore.ts"
import * as TestGraph from "../../support/TestGraph.ts"

const letters = { letter: Partitions.statics(["a", "b", "c"]) }
const Text = Schema.Struct({ text: Schema.String })

class Broken extends Schema.TaggedError<Broken>()("Broken", { message: Schema.String }) {}

it.effect("what somebody else makes is read without being planned, and is never missing", () =>
  Effect.gen(function*() {
    const feed = Asset.external("feed", { partitions: letters, description: "Files of the vendor" })
    const handed: Array<undefined> = []
    const copy = Asset.make(
      "copy",
      { partitions: letters, deps: { feed } },
      ({ feed }) => Effect.sync(() => void handed.push(feed))
    )
    const graph = AssetGraph.make(copy)
    const { plan, summary } = yield* TestGraph.materialize(graph, { assets: ["copy", "feed"], force: true })
    expect(plan.assets.map(({ asset }) => asset.name)).toEqual(["copy"])
    expect(summary).toMatchObject({ status: "succeeded", assets: { copy: { materialized: 3 } } })
    expect(handed).toEqual([undefined, undefined, undefined])
    const again = yield* TestGraph.plan(graph, { assets: ["copy"] })
    expect(TestGraph.planned(again.plan)).toEqual([])
    const alone = yield* TestGraph.plan(graph, { assets: ["feed"] })
    expect(alone.plan.assets).toEqual([])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("an external partition that does not exist blocks what reads it", () =>
  Effect.gen(function*() {
    const feed = Asset.external("feed", { partitions: letters })
    const copy = Asset.make(
      "copy",
      {
        partitions: { letter: Partitions.statics(["a", "d"]) },
        deps: { feed: Asset.mapped(feed, { letter: PartitionMapping.from("letter") }) }
      },
      () => Effect.void
    )
    const { plan } = yield* TestGraph.plan(AssetGraph.make(copy), { assets: ["copy"] })
    expect(TestGraph.planned(plan).map(({ partition }) => partition)).toEqual(["letter=a"])
    expect(plan.assets.flatMap(({ blocked }) => blocked.map(({ why }) => why))).toEqual([
      "feed letter=d does not exist"
    ])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

/** A file of somebody else's that holds for an hour, and what is made of it. */
const project = () => {
  const versions: { [letter: string]: string } = { a: "1", b: "1", c: "1" }
  const calls = { observed: 0, copied: 0 }
  const broken = new Set<string>()
  const file = Asset.observed(
    "file",
    { partitions: letters, every: "1 hour" },
    ({ partition: { letter } }) =>
      Effect.suspend(() => {
        calls.observed++
        return broken.has(letter) ? new Broken({ message: "not there" }) : Effect.succeed(versions[letter]!)
      })
  )
  const copy = Asset.make(
    "copy",
    { partitions: letters, deps: { file }, output: Text },
    ({ file }) => Effect.sync(() => (calls.copied++, { text: file.dataVersion }))
  )
  return { versions, calls, broken, graph: AssetGraph.make(copy) }
}

const reasons = <R>(graph: AssetGraph.AssetGraph<string, R>, asked: TestGraph.Asked) =>
  Effect.map(
    TestGraph.plan(graph, asked),
    ({ plan }) => TestGraph.planned(plan).map(({ asset, partition, reason }) => `${asset} ${partition} ${reason._tag}`)
  )

it.effect("an observation is made again when it is old and somebody asks, and equal versions change nothing", () =>
  Effect.gen(function*() {
    const { calls, graph } = project()
    yield* TestGraph.materialize(graph, { assets: ["copy"] })
    expect(calls).toEqual({ observed: 3, copied: 3 })
    yield* TestClock.adjust("59 minutes")
    expect(yield* reasons(graph, { assets: ["copy"] })).toEqual([])
    yield* TestClock.adjust("1 minute")
    expect(yield* reasons(graph, { assets: ["copy"], partition: "letter=b" })).toEqual([
      "file letter=b Unobserved",
      "copy letter=b InputPlanned"
    ])
    const { summary } = yield* TestGraph.materialize(graph, { assets: ["copy"] })
    expect(summary.assets).toMatchObject({
      file: { materialized: 3, changed: 0 },
      copy: { materialized: 0, skipped: 3 }
    })
    expect(calls).toEqual({ observed: 6, copied: 3 })
    expect(yield* reasons(graph, { assets: ["copy"] })).toEqual([])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a version that is another one brings its readers up to date, and no others", () =>
  Effect.gen(function*() {
    const { calls, graph, versions } = project()
    yield* TestGraph.materialize(graph, { assets: ["copy"] })
    yield* TestClock.adjust("2 hours")
    versions["b"] = "2"
    const { summary } = yield* TestGraph.materialize(graph, { assets: ["copy"] })
    expect(summary.assets).toMatchObject({ file: { changed: 1 }, copy: { materialized: 1, skipped: 2 } })
    expect(calls.copied).toBe(4)
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("named itself it is asked when it is old, forced it is asked at once, without its readers", () =>
  Effect.gen(function*() {
    const { calls, graph } = project()
    yield* TestGraph.materialize(graph, { assets: ["file"] })
    expect(yield* reasons(graph, { assets: ["file"] })).toEqual([])
    yield* TestGraph.materialize(graph, { assets: ["file"], force: true })
    expect(calls).toEqual({ observed: 6, copied: 0 })
    yield* TestClock.adjust("1 hour")
    yield* TestGraph.materialize(graph, { assets: ["file"] })
    expect(calls.observed).toBe(9)
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a failing observation is a failure like any other: it blocks, and is taken up before it is old", () =>
  Effect.gen(function*() {
    const { broken, graph } = project()
    broken.add("b")
    const { summary } = yield* TestGraph.materialize(graph, { assets: ["copy"] })
    expect(summary.status).toBe("failed")
    expect(summary.failures.map(({ error }) => error)).toEqual(["not there", "blocked: file letter=b failed"])
    broken.clear()
    expect(yield* reasons(graph, { assets: ["copy"] })).toEqual([
      "file letter=b Failed",
      "copy letter=b NeverMaterialized"
    ])
    expect((yield* TestGraph.materialize(graph, { assets: ["copy"] })).summary.status).toBe("succeeded")
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("an observation that failed after others is made again, and what was read of it before stays", () =>
  Effect.gen(function*() {
    const { broken, calls, graph } = project()
    yield* TestGraph.materialize(graph, { assets: ["copy"] })
    yield* TestClock.adjust("1 hour")
    broken.add("a")
    yield* TestGraph.materialize(graph, { assets: ["copy"] })
    broken.clear()
    expect(yield* reasons(graph, { assets: ["copy"] })).toEqual(["file letter=a Failed", "copy letter=a InputPlanned"])
    const { summary } = yield* TestGraph.materialize(graph, { assets: ["copy"] })
    expect(summary).toMatchObject({ status: "succeeded", assets: { copy: { materialized: 0, skipped: 1 } } })
    expect(calls.copied).toBe(3)
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a step that another process went before is skipped, and the observation is still due in time", () =>
  Effect.gen(function*() {
    const { calls, graph } = project()
    yield* TestGraph.materialize(graph, { assets: ["copy"] })
    yield* TestClock.adjust("1 hour")
    const universe = yield* Situation.universe
    const stale = yield* TestGraph.plan(graph, { assets: ["copy"] })
    yield* TestGraph.materialize(graph, { assets: ["copy"] })
    const { summary } = yield* TestGraph.execute(stale.plan)
    expect(summary.assets).toMatchObject({ file: { skipped: 3 }, copy: { skipped: 3 } })
    expect(calls.observed).toBe(6)
    expect(stale.plan.universe.now).toBe(universe.now)
    yield* TestClock.adjust("1 hour")
    expect(yield* reasons(graph, { assets: ["file"] })).toHaveLength(3)
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("observations of one run stand as one, however long the run takes", () =>
  Effect.gen(function*() {
    const many = { n: Partitions.statics(Array.from({ length: 300 }, (_, n) => `${n}`)) }
    const slow = Asset.observed(
      "slow",
      { partitions: many, every: "1 day" },
      ({ partition }) => Effect.as(Effect.sleep("10 millis"), partition.n)
    )
    const graph = AssetGraph.make(slow)
    const running = TestGraph.materialize(graph, { assets: ["slow"] })
    yield* Effect.all([running, TestClock.adjust("1 minute")], { concurrency: 2 })
    const space = Partitions.space(many, yield* Situation.universe)
    const classes = yield* (yield* MaterializationStore).classes(new Map([["slow", space]]))
    expect(classes.get("slow")!.map(({ set }) => PartitionSet.size(set))).toEqual([300])
  }).pipe(Effect.provide(TestGraph.layerMemory)))
