import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Check from "../../../src/runtime/asset/Check.ts"
import * as Freshness from "../../../src/runtime/asset/Freshness.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import { CheckStore } from "../../../src/runtime/store/CheckStore.ts"
import * as CommandLine from "../../support/CommandLine.ts"
import * as TestGraph from "../../support/TestGraph.ts"

const letters = { letter: Partitions.statics(["a", "b", "c"]) }
const Value = Schema.Struct({ text: Schema.String, rows: Schema.Finite, many: Schema.Array(Schema.Finite) })

/** `bars` has as many rows as the test says, and two checks of which one looks at them. */
const project = () => {
  const rows: { [letter: string]: number } = { a: 1, b: 1, c: 1 }
  const limit = { most: 10 }
  const bars = Asset.make(
    "bars",
    { partitions: letters, output: Value, description: "Some bars", freshness: Freshness.within("2 hours") },
    ({ partition }) => Effect.succeed({ text: partition.letter, rows: rows[partition.letter]!, many: [1] })
  )
  const few = Check.make(
    "few_rows",
    { asset: bars },
    ({ output }) => Effect.succeed({ passed: output.rows <= limit.most, description: `${output.rows} rows` })
  )
  const text = Check.make(
    "has_text",
    { asset: bars, severity: "warn" },
    ({ output }) => Effect.succeed({ passed: output.text !== "" })
  )
  return { rows, limit, graph: AssetGraph.make(few, text) }
}

const json = (ended: CommandLine.Ended) => JSON.parse(ended.stdout)

it.effect("checks are asked about what is materialized, and an error that is found ends with 1", () =>
  Effect.gen(function*() {
    const { graph, limit, rows } = project()
    const { inMemory, run } = yield* CommandLine.make(graph)
    rows["b"] = 5
    expect((yield* run("asset", "check", "bars")).stdout).toContain("Nothing of this is materialized")
    yield* inMemory(TestGraph.materialize(graph, { assets: ["bars"], partition: "letter=a,letter=b" }))
    expect(yield* run("asset", "check", "bars")).toMatchObject({ code: 0, stderr: "" })
    limit.most = 2
    const found = yield* run("asset", "check", "bars", "--json")
    expect(found).toMatchObject({ code: 1 })
    expect(found.stderr).toContain("not passed: few_rows by 1")
    expect(json(found)).toEqual({
      asset: "bars",
      partitions: 2,
      checks: [
        {
          check: "few_rows",
          severity: "error",
          blocking: false,
          passed: 1,
          failed: 1,
          failing: [{ partition: "letter=b", description: "5 rows" }]
        },
        { check: "has_text", severity: "warn", blocking: false, passed: 2, failed: 0, failing: [] }
      ]
    })
    expect((yield* run("asset", "check", "bars")).stdout).toContain("few_rows: letter=b: 5 rows")
    expect((yield* run("asset", "check", "bars", "-p", "letter=a")).code).toBe(0)
    expect((yield* run("asset", "check", "bars", "--check", "has_text")).code).toBe(0)
    const kept = yield* inMemory(Effect.flatMap(CheckStore, (store) => store.failing("bars", "few_rows", 5)))
    expect(kept).toMatchObject([{ partition: "letter=b", runId: undefined }])
  }))

it.effect("more partitions than are held at a time are all asked about, once each", () =>
  Effect.gen(function*() {
    const names = Array.from({ length: 450 }, (_, n) => `${n}`)
    const many = Asset.make(
      "many",
      { partitions: { n: Partitions.statics(names) }, batch: { max: 450 } },
      ({ items }) => Effect.succeed(items.map(() => Result.succeed(undefined)))
    )
    const asked: Array<string> = []
    const check = Check.make("counted", { asset: many }, ({ partition }) =>
      Effect.sync(() => ({ passed: asked.push(partition.n) > 0 })))
    const { inMemory, run } = yield* CommandLine.make(AssetGraph.make(check))
    yield* inMemory(TestGraph.materialize(AssetGraph.make(many), { assets: ["many"] }))
    expect(json(yield* run("asset", "check", "many", "--json"))).toMatchObject({
      partitions: 450,
      checks: [{ passed: 450 }]
    })
    expect(asked).toEqual(names)
  }))

it.effect("a check that does not pass with a warning ends with 0", () =>
  Effect.gen(function*() {
    const { graph } = project()
    const odd = Check.make("odd", { asset: graph.assets.get("bars")!, severity: "warn" }, () =>
      Effect.succeed({ passed: false, description: "odd" }))
    const { inMemory, run } = yield* CommandLine.make(AssetGraph.make(odd) as AssetGraph.AssetGraph<string, never>)
    yield* inMemory(TestGraph.materialize(graph, { assets: ["bars"] }))
    const found = yield* run("asset", "check", "bars")
    expect(found.code).toBe(0)
    expect(found.stdout).toContain("odd: letter=a: odd")
  }))

it.effect("what an asset, a check or a partition is mistaken for is said", () =>
  Effect.gen(function*() {
    const { run } = yield* CommandLine.make(project().graph)
    expect(yield* run("asset", "check", "bar")).toMatchObject({
      code: 2,
      stderr: "There is no asset \"bar\". Did you mean \"bars\"?\nbarograph asset list"
    })
    expect((yield* run("asset", "check", "bars", "--check", "few_row")).stderr)
      .toContain("Asset \"bars\" has no check \"few_row\". Did you mean \"few_rows\"?")
    expect((yield* run("asset", "history", "bars", "-p", "letter=a,letter=b")).stderr)
      .toContain("\"letter=a,letter=b\" names 2 partitions: name one.")
    expect((yield* run("asset", "history", "bars", "-p", "letter=z")).code).toBe(2)
  }))

it.effect("an asset shows its checks with their latest results, counted and with an example", () =>
  Effect.gen(function*() {
    const { graph, limit, rows } = project()
    const { inMemory, run } = yield* CommandLine.make(graph)
    expect((yield* run("asset", "show", "bars")).stdout).toContain("check       few_rows (error): never asked")
    Object.assign(rows, { a: 3, b: 3, c: 1 })
    limit.most = 2
    yield* inMemory(TestGraph.materialize(graph, { assets: ["bars"] }))
    const shown = (yield* run("asset", "show", "bars")).stdout
    expect(shown).toContain(
      "check       few_rows (error): 1 passed, 2 not, latest 1970-01-01 00:00Z\n    letter=a: 3 rows"
    )
    expect(shown).toContain("check       has_text (warn): 3 passed, 0 not")
    expect(json(yield* run("asset", "show", "bars", "--json"))).toMatchObject({
      checks: [{ name: "few_rows", passed: 1, failed: 2 }, { name: "has_text", passed: 3, failed: 0 }]
    })
  }))

it.effect("of an asset with one partition the result itself is shown", () =>
  Effect.gen(function*() {
    const one = Asset.make("one", { output: Schema.Finite }, () => Effect.succeed(7))
    const check = Check.make("odd", { asset: one }, ({ output }) =>
      Effect.succeed({ passed: output % 2 === 1, description: `${output} is odd`, metadata: { output } }))
    const graph = AssetGraph.make(check)
    const { inMemory, run } = yield* CommandLine.make(graph)
    yield* inMemory(TestGraph.materialize(graph, { assets: ["one"] }))
    expect((yield* run("asset", "show", "one")).stdout)
      .toContain("check       odd (error): passed: 7 is odd, latest 1970-01-01 00:00Z")
    expect(json(yield* run("asset", "show", "one", "--json")).checks[0].result).toMatchObject({
      metadata: { output: 7 }
    })
    expect((yield* run("asset", "history", "one")).stdout).toContain("value 7")
  }))

it.effect("freshness is a column where some asset has a policy, and a sentence of the asset", () =>
  Effect.gen(function*() {
    const { graph } = project()
    const { inMemory, run } = yield* CommandLine.make(graph)
    expect((yield* run("asset", "list")).stdout).toMatch(/freshness.*\n.*unknown/)
    yield* inMemory(TestGraph.materialize(graph, { assets: ["bars"] }))
    expect((yield* run("asset", "list")).stdout).toMatch(/\bfresh\b/)
    yield* TestClock.adjust("3 hours")
    expect((yield* run("asset", "list")).stdout).toContain("overdue")
    expect((yield* run("asset", "show", "bars")).stdout)
      .toContain(
        "freshness   overdue: latest success 1970-01-01 00:00Z, was due again by 1970-01-01 02:00Z (within 2h)"
      )
    const plain = yield* CommandLine.make(AssetGraph.make(Asset.make("plain", {}, () => Effect.void)))
    expect((yield* plain.run("asset", "list")).stdout).not.toContain("freshness")
  }))

it.effect("the history pages through the materializations of an asset or a partition, newest first", () =>
  Effect.gen(function*() {
    const { graph, rows } = project()
    const { inMemory, run } = yield* CommandLine.make(graph)
    expect((yield* run("asset", "history", "bars")).stdout).toContain("Nothing was materialized so far.")
    yield* inMemory(TestGraph.materialize(graph, { assets: ["bars"] }))
    yield* TestClock.adjust("1 hour")
    rows["b"] = 2
    yield* inMemory(TestGraph.materialize(graph, { assets: ["bars"], force: true, partition: "letter=b" }))
    const first = yield* run("asset", "history", "bars", "--limit", "2", "--json")
    expect(json(first)).toMatchObject([
      { partition: "letter=b", materializedAt: "1970-01-01T01:00:00.000Z", metadata: { rows: 2, text: "b" } },
      { materializedAt: "1970-01-01T00:00:00.000Z" }
    ])
    expect(json(first)[0].metadata).not.toHaveProperty("many")
    const before = String(json(first)[1].id)
    expect(json(yield* run("asset", "history", "bars", "--before", before, "--json"))).toHaveLength(2)
    const one = yield* run("asset", "history", "bars", "-p", "letter=b", "--limit", "1")
    expect(one.stdout).toContain("rows 2")
    expect(one.stderr).toMatch(/^older ones: --before \d+$/)
  }))

it.effect("what somebody else makes is shown as such and never missing", () =>
  Effect.gen(function*() {
    const feed = Asset.external("feed", { partitions: letters, description: "Files of the vendor" })
    const page = Asset.observed("page", { every: "90 minutes" }, () => Effect.succeed("1"))
    const copy = Asset.make("copy", { partitions: letters, deps: { feed, page } }, () => Effect.void)
    const checked = Check.make("there", { asset: feed }, ({ output, partition }) =>
      Effect.succeed({ passed: partition.letter !== "c", description: String(output) }))
    const { run } = yield* CommandLine.make(AssetGraph.make(copy, checked))
    expect((yield* run("asset", "list")).stdout).toMatch(/feed +3 +external/)
    expect((yield* run("asset", "show", "feed")).stdout).toContain("made by     somebody else: external")
    expect((yield* run("asset", "show", "page")).stdout).toContain("observed every 1h 30m")
    expect((yield* run("partition", "list", "feed")).stdout).toMatch(/letter=a +external/)
    expect((yield* run("partition", "list", "feed", "--status", "missing")).stdout).toContain("No partition")
    expect(yield* run("asset", "check", "feed")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("there by 1")
    })
    expect((yield* run("materialize", "--asset", "feed")).stderr)
      .toContain("\"feed\": made by somebody else, so read and never materialized")
    expect((yield* run("materialize", "--select", "*")).code).toBe(0)
  }))
