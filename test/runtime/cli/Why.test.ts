import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Condition from "../../../src/runtime/asset/Condition.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as CommandLine from "../../support/CommandLine.ts"
import * as TestConditions from "../../support/TestConditions.ts"
import * as TestGraph from "../../support/TestGraph.ts"

const letters = { letter: Partitions.statics(["a", "b", "c"]) }
const Content = Schema.Struct({ v: Schema.Finite })

const bars = Asset.make("bars", { partitions: letters, output: Content }, () => Effect.succeed({ v: 1 }))
const table = Asset.make(
  "table",
  { partitions: letters, deps: { bars }, automation: Condition.eager },
  () => Effect.void
)
const plain = Asset.make("plain", {}, () => Effect.void)
const graph = AssetGraph.make(table, plain)

it.effect("why something was asked for, and why the rest was not", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-03-04T12:00:00Z"))
    const { inMemory, run } = yield* CommandLine.make(graph)
    expect((yield* run("asset", "why", "table")).stdout).toContain("not evaluated so far: barograph daemon does")
    yield* inMemory(TestGraph.materialize(graph, { assets: ["bars"], partition: "letter=a,letter=b" }))
    yield* inMemory(TestConditions.daemon(graph))
    const lines = (text: string) => text.split("\n").map((line) => line.replaceAll(/ +/g, " ").trim())
    const latest = lines((yield* run("asset", "why", "table")).stdout)
    // What was asked for is in progress; what is left waits for its input.
    expect(latest).toContain("no eager 0 of 3 2026-03-04 12:00Z")
    expect(latest).toContain("some every input is there and settled 2 of 3 2026-03-04 12:00Z")
    expect(latest).toContain("some bars: never materialized 1 of 3 2026-03-04 12:00Z until it is materialized")
    const asking = lines((yield* run("asset", "why", "table", "--asked")).stdout)
    expect(asking).toContain("some eager 2 of 3 2026-03-04 12:00Z")
    expect(asking).toContain("yes it is new 3 of 3 2026-03-04 12:00Z")
    expect(asking.at(-1)).toMatch(/^2026-03-04 12:00Z 2 20260304-120000-\w+ letter=a,letter=b$/)
    const one = JSON.parse((yield* run("asset", "why", "table", "-p", "letter=c", "--json")).stdout)
    expect(one).toMatchObject({ asset: "table", condition: "eager", isCurrent: true, requests: [] })
    const settled = one.tree.parts.find(({ said }: { said: string }) => said.startsWith("every input"))
    expect(settled).toMatchObject({ held: 0, of: 1 })
    const [any] = settled.parts
    expect(any.parts[0].parts[0]).toMatchObject({ said: "never materialized", asset: "bars", held: 1, of: 1 })
    const asked = JSON.parse((yield* run("asset", "why", "table", "-p", "letter=a", "--json")).stdout)
    expect(asked.requests).toMatchObject([{ count: 2, partitions: "letter=a,letter=b" }])
  }).pipe(Effect.scoped))

it.effect("what would be asked for again after it failed says until when it waits", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-03-04T12:00:00Z"))
    const broken = Asset.make("broken", { automation: Condition.missing }, () => Effect.fail("no"))
    const graph = AssetGraph.make(broken)
    const { inMemory, run } = yield* CommandLine.make(graph)
    const daemon = yield* inMemory(TestConditions.daemon(graph))
    yield* daemon.settle
    expect((yield* run("asset", "why", "broken")).stdout).toContain(
      "waits after a run that failed, until 2026-03-04 12:00:02Z"
    )
    yield* TestClock.adjust("2 seconds")
    yield* daemon.settle
    const { waits } = JSON.parse((yield* run("asset", "why", "broken", "--json")).stdout)
    expect(waits).toEqual({ failures: 2, until: "2026-03-04T12:00:06.000Z" })
  }).pipe(Effect.scoped))

it.effect("an asset without a condition, and partitions that are not there, are told in a sentence", () =>
  Effect.gen(function*() {
    const { run } = yield* CommandLine.make(graph)
    const none = yield* run("asset", "why", "plain")
    expect(none.code).toBe(2)
    expect(none.stderr).toContain("declares no condition")
    expect(none.stderr).toContain("automation: Condition.eager")
    const lost = yield* run("asset", "why", "table", "-p", "letter=x")
    expect(lost.code).toBe(2)
    expect(lost.stderr).toContain("There is no partition letter=x")
  }).pipe(Effect.scoped))
