/** What the engine's stores must do, whatever they are made of. Each test has assets of its own: the store is shared. */
import { expect, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../../src/runtime/partition/PartitionSet.ts"
import type { Executor } from "../../../src/runtime/run/Executor.ts"
import { Claims } from "../../../src/runtime/store/Claims.ts"
import { DynamicPartitions } from "../../../src/runtime/store/DynamicPartitions.ts"
import { MaterializationStore } from "../../../src/runtime/store/MaterializationStore.ts"
import type { Outcome } from "../../../src/runtime/store/Outcome.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as TestGraph from "../../support/TestGraph.ts"

class Failed extends Schema.TaggedError<Failed>()("Failed", { message: Schema.String }) {}

type Stores = RunStore | MaterializationStore | Claims | DynamicPartitions | Executor

const DAY = 86_400_000
const Counted = Schema.Struct({ rows: Schema.Finite })
const counted = () => Effect.succeed({ rows: 3 })

/** Successes of these partitions, as a run records them. */
const outcome = (asset: string, space: Partitions.Space, partitions: ReadonlyArray<string>): Outcome => ({
  asset,
  space,
  codeVersion: "1",
  dependencies: "",
  succeeded: partitions.map((partition) => ({
    partition,
    dataVersion: `version of ${partition}`,
    inputs: {},
    output: { rows: 1 },
    seconds: 0.5,
    changed: true,
    at: 0
  })),
  failed: [],
  verified: []
})

/** A run that has begun, with its number. */
const begun = Effect.fnUntraced(function*(runId: string, tags: { readonly [tag: string]: string } = {}) {
  const runs = yield* RunStore
  yield* runs.enqueue({ runId, request: {}, tags, priority: 0 })
  return { runId, number: (yield* runs.begin(runId, {}))! }
})

/** Number of the run by which each existing partition stands; "suspect" and "never" for the others. */
const standings = Effect.fnUntraced(function*(asset: string, space: Partitions.Space) {
  const classes = (yield* (yield* MaterializationStore).classes(new Map([[asset, space]]))).get(asset) ?? []
  const found: { [partition: string]: number | string } = {}
  for (const text of PartitionSet.texts(PartitionSet.all(space))) found[text] = "never"
  for (const { set, standing } of classes) {
    for (const text of PartitionSet.texts(set)) found[text] = standing?.asOf ?? "suspect"
  }
  return found
})

const spaceOf = (dimensions: Partitions.Dimensions, now: number, members: ReadonlyArray<string> = []) =>
  Partitions.space(dimensions, { now, members: { suite: members.map((value) => ({ value })) } })

export const suite = <E>(name: string, stores: Layer.Layer<Stores, E>) =>
  layer(stores, { timeout: "60 seconds", excludeTestServices: true })(`the engine's stores ${name}`, (it) => {
    it.effect("runs that are not over are counted, and the oldest request that could begin is known", () =>
      Effect.gen(function*() {
        const runs = yield* RunStore
        const before = yield* runs.waiting
        const asked = (runId: string, notBefore?: number) => ({
          runId,
          runKey: runId,
          request: {},
          tags: {},
          priority: 0,
          attempts: 1,
          notBefore
        })
        const now = yield* Clock.currentTimeMillis
        yield* runs.request([asked("waiting-a", now + DAY), asked("waiting-b")])
        yield* begun("waiting-c")
        const { oldestRequest, ...counts } = yield* runs.waiting
        expect(counts).toEqual({
          requested: before.requested + 2,
          queued: before.queued,
          running: before.running + 1
        })
        expect(oldestRequest).toBeLessThan(now + DAY / 2)
        yield* runs.end("waiting-b", "canceled", {})
        expect((yield* runs.waiting).oldestRequest).toBe(now + DAY)
        yield* runs.end("waiting-a", "canceled", {})
        yield* runs.end("waiting-c", "succeeded", {})
        expect(yield* runs.waiting).toEqual({ ...before, oldestRequest: undefined })
      }))

    it.effect("a run leaves its events, its materializations and the state of each partition", () =>
      Effect.gen(function*() {
        const dimensions = { odd: Partitions.statics(["a,b=c", "x"]) }
        const graph = AssetGraph.make(Asset.make("counted", { partitions: dimensions, output: Counted }, counted))
        const { summary } = yield* TestGraph.materialize(graph, { assets: ["counted"] })
        expect(summary.status).toBe("succeeded")
        const runs = yield* RunStore
        const run = yield* runs.find(summary.runId)
        expect(run).toMatchObject({ status: "succeeded", totals: { counted: { materialized: 2, sums: { rows: 6 } } } })
        const types = (yield* runs.events(summary.runId)).map(({ event }) => event.type)
        expect([types[0], types.at(-1)]).toEqual(["RunStarted", "RunEnded"])
        expect(types.slice(1, -1).sort()).toEqual(["Materialized", "Materialized", "StepStarted", "StepStarted"])
        const asked = new Map([["counted", ["odd=x", "odd=a%2cb%3dc", "odd=no"]], ["nobody", ["odd=x"]]])
        const states = yield* (yield* MaterializationStore).states(asked)
        expect([...states.get("counted")!.keys()].sort()).toEqual(["odd=a%2cb%3dc", "odd=x"])
        expect(states.get("nobody")?.size ?? 0).toBe(0)
        expect(states.get("counted")!.get("odd=x")).toMatchObject({ failure: undefined, output: { rows: 3 } })
        const again = yield* TestGraph.materialize(graph, { assets: ["counted"] })
        expect(again.plan.assets.map(({ upToDate }) => upToDate)).toEqual([2])
      }))

    it.effect("a failure is kept until the next success, which keeps what was before until then", () =>
      Effect.gen(function*() {
        const store = yield* MaterializationStore
        const space = spaceOf({ letter: Partitions.statics(["a", "b"]) }, 0)
        const run = yield* begun("with failures")
        const failed = [{ partition: "letter=a", error: "boom" }, { partition: "letter=b", error: "bang" }]
        yield* store.apply(run, [outcome("failing", space, ["letter=a"])])
        yield* store.apply(run, [{ ...outcome("failing", space, []), failed }])
        const asked = new Map([["failing", ["letter=a", "letter=b"]]])
        const before = (yield* store.states(asked)).get("failing")!
        expect(before.get("letter=a")).toMatchObject({
          failure: "boom",
          latest: { dataVersion: "version of letter=a" }
        })
        expect(before.get("letter=b")).toMatchObject({ failure: "bang", latest: undefined })
        const classes = (yield* store.classes(new Map([["failing", space]]))).get("failing")!
        expect(classes.map(({ standing }) => [standing!.failure, standing!.asOf]).sort())
          .toEqual([["bang", 0], ["boom", run.number]])
        yield* store.apply(run, [outcome("failing", space, ["letter=a"])])
        expect((yield* store.states(asked)).get("failing")!.get("letter=a")!.failure).toBeUndefined()
      }))

    it.effect("texts of assets are kept, whatever characters are in them", () =>
      Effect.gen(function*() {
        const odd = "nul \u0000, half \ud83d"
        const clean = "nul \ufffd, half \ufffd"
        const long = `${"x".repeat(299)}\u{1f600}`
        const Said = Schema.Struct({
          said: Schema.String,
          all: Schema.Record(Schema.String, Schema.Array(Schema.String))
        })
        const says = Asset.make("suite_says", { output: Said, dataVersion: "said", codeVersion: odd }, () =>
          Effect.succeed({ said: odd, all: { [odd]: [odd] } }))
        const fails = ["nul \u0000", "half \ud83d", long].map((text, at) =>
          Asset.make(`suite_fails_${at}`, {}, () =>
            Effect.fail(new Failed({ message: text })))
        )
        const graph = AssetGraph.make(says, ...fails)
        const assets = [...graph.assets.keys()]
        const { summary } = yield* TestGraph.materialize(graph, { assets })
        expect(
          summary.failures.map(({ error }) =>
            error
          ).sort()
        ).toEqual(["half \ufffd", "nul \ufffd", long])
        const [entry] = yield* (yield* MaterializationStore).history({
          asset: "suite_says",
          partition: undefined,
          before: undefined,
          limit: 1
        })
        expect(entry).toMatchObject({ codeVersion: clean, dataVersion: clean, metadata: { said: clean } })
        const { plan } = yield* TestGraph.plan(graph, { assets: ["suite_says"] })
        expect(TestGraph.planned(plan)).toEqual([])
      }))

    it.effect("runs are numbered in the order in which they begin and end, and listed page by page", () =>
      Effect.gen(function*() {
        const runs = yield* RunStore
        const tags = { suite: "pages" }
        const numbers: Array<number> = []
        for (const runId of ["page 1", "page 2", "page 3", "page 4", "page 5"]) {
          const run = yield* begun(runId, tags)
          numbers.push(run.number)
          if (runId !== "page 5") {
            yield* runs.end(runId, runId === "page 2" ? "failed" : "succeeded", {})
            numbers.push((yield* runs.ends([run.number])).get(run.number)!)
          }
          yield* Effect.sleep("5 millis")
        }
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
        expect(new Set(numbers).size).toBe(9)
        expect((yield* runs.ends([numbers.at(-1)!])).has(numbers.at(-1)!)).toBe(false)
        const page = (before?: string) =>
          Effect.map(runs.list({ limit: 2, before, tags }), (found) => found.map(({ runId }) => runId))
        expect(yield* page()).toEqual(["page 5", "page 4"])
        expect(yield* page("page 4")).toEqual(["page 3", "page 2"])
        expect(yield* page("page 2")).toEqual(["page 1"])
        expect((yield* runs.list({ limit: 9, status: "failed", tags })).map(({ runId }) => runId)).toEqual(["page 2"])
        yield* runs.end("page 5", "succeeded", {})
      }))

    it.effect("dynamic sets are replaced whole and keep their order", () =>
      Effect.gen(function*() {
        const dynamic = yield* DynamicPartitions
        yield* dynamic.replace("symbols", [{ value: "SPY" }, { value: "AAPL", from: "2014-06-05", to: "2014-06-09" }])
        yield* dynamic.replace("symbols", [{ value: "IBM" }, { value: "AAPL", from: "2014-06-05" }])
        expect((yield* dynamic.all)["symbols"]).toEqual([
          { value: "IBM" },
          { value: "AAPL", from: "2014-06-05" }
        ])
      }))

    it.effect("members that move, go and come back are not materialized again", () =>
      Effect.gen(function*() {
        const dynamic = yield* DynamicPartitions
        const partitions = { member: Partitions.dynamic("suite") }
        const graph = AssetGraph.make(Asset.make("moving", { partitions, output: Counted }, counted))
        const replace = (...values: ReadonlyArray<string>) =>
          dynamic.replace("suite", values.map((value) => ({ value })))
        const left = Effect.map(
          TestGraph.plan(graph, { assets: ["moving"] }),
          ({ plan }) => TestGraph.planned(plan).map(({ partition, reason }) => `${partition} ${reason._tag}`)
        )
        yield* replace("a", "b", "c", "d")
        yield* TestGraph.materialize(graph, { assets: ["moving"] })
        for (const order of ["dcba", "bad", "c", "bacd", "dba"]) {
          yield* replace(...order)
          expect(yield* left).toEqual([])
        }
        yield* replace("b", "new", "a")
        expect(yield* left).toEqual(["member=new NeverMaterialized"])
        yield* TestGraph.materialize(graph, { assets: ["moving"] })
        yield* replace("d", "new", "c", "b", "a")
        expect(yield* left).toEqual([])
      }))

    it.effect("a window that an exclusion has moved to is not taken for one that was made", () =>
      Effect.gen(function*() {
        const store = yield* MaterializationStore
        const now = Date.parse("2024-01-09T00:00:00Z")
        const space = (exclude: string) =>
          spaceOf({ day: Partitions.daily({ start: "2024-01-01", exclude: [exclude] }) }, now)
        const before = space("2024-01-04")
        const run = yield* begun("excluding")
        yield* store.apply(run, [outcome("excluding", before, [...PartitionSet.texts(PartitionSet.all(before))])])
        expect(yield* standings("excluding", before)).toMatchObject({ "day=2024-01-03": run.number })
        expect(yield* standings("excluding", space("2024-01-06"))).toMatchObject({ "day=2024-01-04": "suspect" })
      }))

    it.effect("an asset whose dimensions were others before is judged by its history", () =>
      Effect.gen(function*() {
        const store = yield* MaterializationStore
        const letter = Partitions.statics(["a", "b"])
        const run = yield* begun("reshaping")
        const before = spaceOf({ one: letter, two: letter }, 0)
        yield* store.apply(run, [outcome("reshaped", before, ["one=a,two=a", "one=a,two=b"])])
        expect(yield* standings("reshaped", spaceOf({ two: letter }, 0))).toEqual({
          "two=a": "suspect",
          "two=b": "suspect"
        })
      }))

    it.effect("writers of one line at once lose nothing", () =>
      Effect.gen(function*() {
        const store = yield* MaterializationStore
        const n = Partitions.statics(Array.from({ length: 60 }, (_, at) => String(at)))
        const space = spaceOf({ n }, 0)
        const runs = [yield* begun("writer one"), yield* begun("writer two"), yield* begun("writer three")]
        yield* Effect.forEach(
          n.values,
          (value) => store.apply(runs[Number(value) % 3]!, [outcome("crowded", space, [`n=${value}`])]),
          { concurrency: 12, discard: true }
        )
        const expected = n.values.map((value) => [`n=${value}`, runs[Number(value) % 3]!.number])
        expect(yield* standings("crowded", space)).toEqual(Object.fromEntries(expected))
      }))

    it.effect("what a process writes whose clock is a day ahead is understood, and kept by the others", () =>
      Effect.gen(function*() {
        const store = yield* MaterializationStore
        const now = (yield* Clock.currentTimeMillis) + 1000
        const day = Partitions.daily({ start: new Date(now - 9 * DAY).toISOString().slice(0, 10) })
        const [ours, ahead] = [spaceOf({ day }, now), spaceOf({ day }, now + DAY)]
        const texts = [...PartitionSet.texts(PartitionSet.all(ahead))]
        const [first, second] = [yield* begun("ahead"), yield* begun("behind")]
        yield* store.apply(first, [outcome("skewed", ahead, texts)])
        const expected = Object.fromEntries(texts.map((text) => [text, first.number]))
        const { [texts.at(-1)!]: _, ...existing } = expected
        expect(yield* standings("skewed", ours)).toEqual(existing)
        yield* store.apply(second, [outcome("skewed", ours, [texts[3]!])])
        expect(yield* standings("skewed", ahead)).toEqual({ ...expected, [texts[3]!]: second.number })
      }))

    it.effect("what succeeds in one transaction is there, with its time", () =>
      Effect.gen(function*() {
        const [runs, store] = [yield* RunStore, yield* MaterializationStore]
        const space = spaceOf({}, 0)
        const run = yield* begun("in one")
        const before = yield* Clock.currentTimeMillis
        yield* runs.atomically(store.apply(run, [outcome("single", space, [""])]))
        expect(yield* standings("single", space)).toEqual({ "": run.number })
        expect((yield* store.latest).get("single")).toBeGreaterThanOrEqual(before)
      }))
  })
