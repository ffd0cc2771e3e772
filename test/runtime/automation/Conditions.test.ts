import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Condition from "../../../src/runtime/asset/Condition.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as TestConditions from "../../support/TestConditions.ts"
import * as TestGraph from "../../support/TestGraph.ts"

const Content = Schema.Struct({ v: Schema.Finite })
const day = Partitions.daily({ start: "2026-03-01" })

/** Three assets in a row and one that reads the first and the last of them; `source` has the content that the test says. */
const project = (automation: Condition.Condition) => {
  const world = { content: 1, failing: new Set<string>() }
  const source = Asset.make(
    "source",
    { partitions: { day }, output: Content, dataVersion: "v" as never },
    () => Effect.sync(() => ({ v: world.content }))
  )
  const make = (name: string, deps: { readonly [name: string]: Asset.Any }) =>
    Asset.make(name, { partitions: { day }, output: Content, deps, automation } as {}, () =>
      world.failing.has(name) ? Effect.fail(`${name} is broken`) : Effect.succeed({ v: 1 } as never)
    ) as Asset.Any
  const middle = make("middle", { source })
  const last = make("last", { middle })
  const both = make("both", { source, middle })
  return { world, graph: AssetGraph.make(source, last, both) }
}

const targets = (asked: ReadonlyArray<TestConditions.Asked>) => asked.map((one) => one.targets)

it.effect("what reads a source follows it, one generation after the other, and once", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-03-04T12:00:00Z"))
    const { graph, world } = project(Condition.eager)
    const daemon = yield* TestConditions.daemon(graph)
    expect(daemon.asked).toEqual([])
    yield* TestGraph.materialize(graph, { assets: ["source"] })
    yield* daemon.settle
    const days = "day=2026-03-01..2026-03-03"
    expect(targets(daemon.asked)).toEqual([{ middle: days }, { last: days, both: days }])
    yield* daemon.settle
    expect(daemon.asked).toHaveLength(2)
    world.content = 2
    yield* TestGraph.materialize(graph, { assets: ["source"], partition: "day=2026-03-02", force: true })
    yield* daemon.settle
    expect(targets(daemon.asked).slice(2)).toEqual([
      { middle: "day=2026-03-02" },
      { last: "day=2026-03-02", both: "day=2026-03-02" }
    ])
  }).pipe(Effect.scoped, Effect.provide(TestGraph.layerMemory)))
