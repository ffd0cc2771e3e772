import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Check from "../../../src/runtime/asset/Check.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../../src/runtime/partition/PartitionSet.ts"
import { CheckStore } from "../../../src/runtime/store/CheckStore.ts"
import { MaterializationStore } from "../../../src/runtime/store/MaterializationStore.ts"
import * as TestGraph from "../../support/TestGraph.ts"

const letters = { letter: Partitions.statics(["a", "b", "c"]) }
const Value = Schema.Struct({ text: Schema.String, rows: Schema.Finite })

class Broken extends Schema.TaggedError<Broken>()("Broken", { message: Schema.String }) {}

/** A source whose rows the test sets, read by a copy. */
const project = () => {
  const rows: { [letter: string]: number } = { a: 1, b: 1, c: 1 }
  const source = Asset.make(
    "source",
    { partitions: letters, output: Value, batch: { max: 2 } },
    ({ items }) =>
      Effect.succeed(
        items.map(({ partition }) => Result.succeed({ text: partition.letter, rows: rows[partition.letter]! }))
      )
  )
  const copy = Asset.make(
    "copy",
    { partitions: letters, deps: { source }, output: Value },
    ({ source }) => Effect.succeed(source)
  )
  return { rows, source, copy }
}

const hasRows = (
  asset: Asset.Asset<"source", typeof Value.Type, Partitions.Dimensions, never>,
  options: { readonly severity?: "error" | "warn"; readonly blocking?: boolean }
) =>
  Check.make(
    "has_rows",
    { asset, ...options },
    ({ output: { rows } }) => Effect.succeed({ passed: rows > 0, description: `${rows} rows`, metadata: { rows } })
  )

const failedOf = (asset: { readonly failures: ReadonlyArray<{ readonly error: string }> }) =>
  asset.failures.map(({ error }) => error)

it.effect("a check is handed the output of every partition, and its results are events and are kept", () =>
  Effect.gen(function*() {
    const { copy, source } = project()
    const seen: Array<string> = []
    const check = Check.make("seen", { asset: source }, ({ output, partition }) =>
      Effect.sync(() => {
        seen.push(`${partition.letter}: ${output.text} ${output.rows}`)
        return { passed: true, metadata: { rows: output.rows, text: output.text } }
      }))
    const graph = AssetGraph.make(copy, check)
    const { events, summary } = yield* TestGraph.materialize(graph, { assets: ["copy"] })
    expect(summary).toMatchObject({ status: "succeeded", failedChecks: [] })
    expect(seen.sort()).toEqual(["a: a 1", "b: b 1", "c: c 1"])
    const checked = events.flatMap((event) => event.type === "Checked" ? event.results : [])
    expect(checked.map(({ partition }) => partition).sort()).toEqual(["letter=a", "letter=b", "letter=c"])
    const store = yield* CheckStore
    expect(yield* store.totals("source")).toEqual(new Map([["seen", { passed: 3, failed: 0, latestAt: 0 }]]))
    expect(yield* store.latest("source", "seen", ["letter=b", "letter=z"])).toMatchObject([
      { partition: "letter=b", passed: true, severity: "error", metadata: { rows: 1, text: "b" }, runId: summary.runId }
    ])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("what is up to date is not checked again by a run", () =>
  Effect.gen(function*() {
    const { source } = project()
    let asked = 0
    const check = Check.make("counted", { asset: source }, () => Effect.sync(() => ({ passed: ++asked > 0 })))
    const graph = AssetGraph.make(check)
    yield* TestGraph.materialize(graph, { assets: ["source"] })
    yield* TestGraph.materialize(graph, { assets: ["source"] })
    expect(asked).toBe(3)
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a check that is not blocking is told in the summary and leaves the run succeeded, whatever its severity", () =>
  Effect.gen(function*() {
    for (const severity of ["error", "warn"] as const) {
      const { copy, rows, source } = project()
      rows["b"] = 0
      const { summary } = yield* TestGraph.materialize(AssetGraph.make(copy, hasRows(source, { severity })), {
        assets: ["copy"]
      }).pipe(Effect.provide(TestGraph.layerMemory))
      expect(summary).toMatchObject({
        status: "succeeded",
        assets: { source: { materialized: 3, failed: 0 }, copy: { materialized: 3 } },
        failedChecks: [
          { asset: "source", check: "has_rows", severity, count: 1, partitions: ["letter=b"], description: "0 rows" }
        ]
      })
    }
  }))

it.effect("a blocking check keeps the success in the history and what reads it from being materialized", () =>
  Effect.gen(function*() {
    const { copy, rows, source } = project()
    rows["b"] = 0
    const graph = AssetGraph.make(copy, hasRows(source, { blocking: true }))
    const { summary } = yield* TestGraph.materialize(graph, { assets: ["copy"] })
    expect(summary).toMatchObject({
      status: "failed",
      assets: { source: { materialized: 2, failed: 1 }, copy: { materialized: 2, failed: 1 } }
    })
    expect(failedOf(summary)).toEqual(["check has_rows: 0 rows", "blocked: source letter=b failed"])
    const states = yield* (yield* MaterializationStore).states(new Map([["source", ["letter=b"]]]))
    expect(states.get("source")!.get("letter=b")).toMatchObject({
      failure: "check has_rows: 0 rows",
      latest: { rejected: "check has_rows: 0 rows" },
      output: { text: "b", rows: 0 }
    })
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a rejected partition blocks later plans that do not take it up, and the next run that does mends it", () =>
  Effect.gen(function*() {
    const { copy, rows, source } = project()
    rows["b"] = 0
    const graph = AssetGraph.make(copy, hasRows(source, { blocking: true }))
    yield* TestGraph.materialize(graph, { assets: ["copy"] })
    const alone = yield* TestGraph.plan(graph, { assets: ["copy"], ancestors: false })
    expect(TestGraph.planned(alone.plan)).toEqual([])
    expect(alone.plan.assets.flatMap(({ blocked }) => blocked.map(({ why }) => why))).toEqual([
      "source letter=b did not pass a blocking check: select it too (\"+copy\")"
    ])
    const next = yield* TestGraph.plan(graph, { assets: ["copy"] })
    expect(TestGraph.planned(next.plan).map(({ asset, partition, reason }) => [asset, partition, reason])).toEqual([
      ["source", "letter=b", { _tag: "Failed", error: "check has_rows: 0 rows" }],
      ["copy", "letter=b", { _tag: "NeverMaterialized" }]
    ])
    rows["b"] = 5
    const { summary } = yield* TestGraph.materialize(graph, { assets: ["copy"] })
    expect(summary).toMatchObject({ status: "succeeded", assets: { copy: { materialized: 1 } } })
    const after = yield* TestGraph.plan(graph, { assets: ["copy"] })
    expect(TestGraph.planned(after.plan)).toEqual([])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a success before, which passed, is not read in place of the one that was rejected", () =>
  Effect.gen(function*() {
    const { copy, rows, source } = project()
    const graph = AssetGraph.make(copy, hasRows(source, { blocking: true }))
    yield* TestGraph.materialize(graph, { assets: ["copy"] })
    rows["b"] = 0
    yield* TestGraph.materialize(graph, { assets: ["source"], force: true })
    const forced = yield* TestGraph.plan(graph, { assets: ["copy"], ancestors: false, force: true })
    expect(TestGraph.planned(forced.plan).map(({ partition }) => partition)).toEqual(["letter=a", "letter=c"])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a failure of another kind does not make a rejected partition readable", () =>
  Effect.gen(function*() {
    let broken = false
    const source = Asset.make(
      "source",
      { output: Value },
      () => Effect.suspend(() => broken ? new Broken({ message: "gone" }) : Effect.succeed({ text: "", rows: 0 }))
    )
    const copy = Asset.make("copy", { deps: { source } }, () => Effect.void)
    const graph = AssetGraph.make(copy, hasRows(source, { blocking: true }))
    yield* TestGraph.materialize(graph, { assets: ["source"] })
    broken = true
    const { summary } = yield* TestGraph.materialize(graph, { assets: ["source"] })
    expect(failedOf(summary)).toEqual(["gone"])
    const { plan } = yield* TestGraph.plan(graph, { assets: ["copy"], ancestors: false })
    expect(plan.assets.map(({ blocked }) => blocked.map(({ set }) => PartitionSet.size(set)))).toEqual([[1]])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a check that fails, dies or takes too long is not passed, and says why", () =>
  Effect.gen(function*() {
    const source = Asset.make("source", {}, () => Effect.void)
    const graph = AssetGraph.make(
      Check.make("fails", { asset: source }, () => Effect.fail(new Broken({ message: "no answer" }))),
      Check.make("dies", { asset: source }, () => Effect.die(new Error("a bug"))),
      Check.make("throws", { asset: source }, (): Effect.Effect<Check.Result> => {
        throw new Error("at once")
      }),
      Check.make("sleeps", { asset: source, timeout: "5 seconds" }, () => Effect.never)
    )
    const fiber = yield* Effect.forkChild(TestGraph.materialize(graph, { assets: ["source"] }))
    yield* TestClock.adjust("5 seconds")
    const { summary } = yield* Fiber.join(fiber)
    expect(summary.status).toBe("succeeded")
    expect(summary.failedChecks.map(({ check, description }) => [check, description])).toEqual([
      ["fails", "no answer"],
      ["dies", "a bug"],
      ["throws", "at once"],
      ["sleeps", "no answer within 5s"]
    ])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a run that is interrupted while a check goes on records neither the check nor the success", () =>
  Effect.gen(function*() {
    const source = Asset.make("source", {}, () => Effect.void)
    const graph = AssetGraph.make(Check.make("sleeps", { asset: source }, () => Effect.never))
    const fiber = yield* Effect.forkChild(TestGraph.materialize(graph, { assets: ["source"] }))
    yield* TestClock.adjust("5 seconds")
    yield* Fiber.interrupt(fiber)
    expect(yield* (yield* CheckStore).totals("source")).toEqual(new Map())
    const { plan } = yield* TestGraph.plan(graph, { assets: ["source"] })
    expect(TestGraph.planned(plan).map(({ reason }) => reason._tag)).toEqual(["NeverMaterialized"])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("what cannot be kept of a result is left out, and the run goes on", () =>
  Effect.gen(function*() {
    const source = Asset.make("source", {}, () => Effect.void)
    const graph = AssetGraph.make(
      Check.make("odd", { asset: source }, () =>
        Effect.succeed({
          passed: false,
          description: `nul \u0000 and half ${"\ud83d"}`,
          metadata: { count: Number.NaN, kept: 1 }
        }))
    )
    yield* TestGraph.materialize(graph, { assets: ["source"] })
    expect(yield* (yield* CheckStore).failing("source", "odd", 5)).toMatchObject([
      { description: "nul \ufffd and half \ufffd", metadata: { kept: 1 } }
    ])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("a long description is not cut into half a character", () =>
  Effect.gen(function*() {
    const source = Asset.make("source", {}, () => Effect.void)
    const description = `${"x".repeat(999)}\u{1f600}`
    const graph = AssetGraph.make(
      Check.make("long", { asset: source }, () => Effect.succeed({ passed: false, description }))
    )
    yield* TestGraph.materialize(graph, { assets: ["source"] })
    const [kept] = yield* (yield* CheckStore).failing("source", "long", 5)
    expect(kept!.description).toBe(`${"x".repeat(999)}\ufffd`)
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it("two checks of an asset with one name, and a name that is none, are refused with a sentence", () => {
  const source = Asset.make("source", {}, () => Effect.void)
  const check = (name: string) => Check.make(name, { asset: source }, () => Effect.succeed({ passed: true }))
  expect(() => AssetGraph.make(check("same"), check("same"))).toThrow(
    "Two checks of \"source\" are named \"same\": rename one of them."
  )
  expect(() => AssetGraph.make(check("No Name"))).toThrow("Check name \"No Name\" must be lower case letters")
  const one = check("one")
  expect(AssetGraph.make(source, one, one).checks.get("source")).toEqual([one])
})
