/** What a run does with any plan: each partition once, upstream first, and a failure stops what reads it and no more. */
import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as PartitionKey from "../../../src/runtime/partition/PartitionKey.ts"
import * as PartitionMapping from "../../../src/runtime/partition/PartitionMapping.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import type * as Plan from "../../../src/runtime/plan/Plan.ts"
import { DynamicPartitions } from "../../../src/runtime/store/DynamicPartitions.ts"
import * as RandomProject from "../../support/RandomProject.ts"
import * as TestGraph from "../../support/TestGraph.ts"

const CASES = Number(process.env["LAWS"] ?? 60)
const number = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 }))

/** Per planned partition, as asset/partition, those that it reads. */
const readsOf = (plan: Plan.Plan): ReadonlyMap<string, ReadonlyArray<string>> =>
  new Map(
    plan.assets.flatMap(({ asset, demanded, planned: _ }) =>
      TestGraph.planned(plan).filter((one) => one.asset === asset.name).map(({ partition }) =>
        [
          `${asset.name}/${partition}`,
          Object.values(asset.dependencies).flatMap(({ asset: upstream, mapping }) => {
            const up = Partitions.space(upstream.dimensions, demanded.space.universe)
            return PartitionMapping.upstreamOf(mapping, up, demanded.space, PartitionKey.fromText(partition))
              .map((key) => `${upstream.name}/${PartitionKey.toText(key)}`)
          })
        ] as const
      )
    )
  )

const descendantsOf = (reads: ReadonlyMap<string, ReadonlyArray<string>>, failed: string): ReadonlySet<string> => {
  const found = new Set([failed])
  // Upstream first, as the plan has them.
  for (const [id, inputs] of reads) if (inputs.some((input) => found.has(input))) found.add(id)
  return found
}

describe("a run of a random plan", () => {
  it.effect.prop(
    "does each partition once and upstream first; one that fails stops exactly its descendants",
    {
      declared: Arbitrary.array(Arbitrary.schema(RandomProject.Declared), { minLength: 2, maxLength: 5 }),
      members: number,
      failing: number,
      concurrency: number
    },
    ({ concurrency, declared, failing, members }) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(RandomProject.BEGIN)
        yield* (yield* DynamicPartitions).replace("members", RandomProject.membersOf(members))
        const world = RandomProject.makeWorld()
        const graph = RandomProject.graphOf(declared, world) as AssetGraph.AssetGraph<string, never>
        const { plan } = yield* TestGraph.plan(graph, { assets: [...graph.assets.keys()] })
        const reads = readsOf(plan)
        const all = [...reads.keys()]
        const failed = all[failing % Math.max(1, all.length)]
        if (failed !== undefined && failing % 2 === 0) world.failing.add(failed)
        const { summary } = yield* TestGraph.materialize(graph, {
          assets: [...graph.assets.keys()],
          concurrency: 1 + concurrency % 5
        })
        const stopped = world.failing.size === 0 ? new Set<string>() : descendantsOf(reads, failed!)
        const called = all.filter((id) => id === failed || !stopped.has(id))
        expect([...world.calls].sort()).toEqual([...called].sort())
        const at = new Map(world.calls.map((id, index) => [id, index]))
        for (const id of world.calls) {
          for (const input of reads.get(id)!) expect(at.get(input)!).toBeLessThan(at.get(id)!)
        }
        const totals = Object.values(summary.assets)
        const blockedByPlan = plan.assets.reduce(
          (sum, { blocked }) => sum + blocked.reduce((own, { set }) => own + set.cells.size, 0),
          0
        )
        expect(totals.reduce((sum, { materialized }) => sum + materialized, 0)).toBe(all.length - stopped.size)
        expect(totals.reduce((sum, one) => sum + one.failed, 0)).toBe(stopped.size + blockedByPlan)
      }).pipe(Effect.provide(TestGraph.layerMemory)) as Effect.Effect<void>,
    { arbitrary: { runs: CASES }, timeout: 20_000 + CASES * 1000 }
  )
})

const numbered = (count: number) => Partitions.statics(Array.from({ length: count }, (_, at) => String(at)))
const Out = Schema.Struct({ v: Schema.String })

describe("a run of a large plan", () => {
  it.effect("one partition reads 5,000, and each of 5,000 reads its own", () =>
    Effect.gen(function*() {
      const calls: Array<string> = []
      const parts = { n: numbered(5000) }
      const one = Asset.make("one", { partitions: parts, output: Out }, ({ partition }) =>
        Effect.sync(() => {
          calls.push(`one ${partition.n}`)
          return { v: partition.n }
        }))
      const own = Asset.make("own", { partitions: parts, deps: { one }, output: Out }, ({ one, partition }) =>
        Effect.sync(() => {
          calls.push(`own ${partition.n}`)
          return { v: one.v }
        }))
      const total = Asset.make(
        "total",
        { deps: { own: Asset.mapped(own, { n: PartitionMapping.all }) }, output: Out },
        ({ own }) =>
          Effect.sync(() => {
            calls.push(`total of ${own.length}`)
            return { v: String(own.length) }
          })
      )
      const { summary } = yield* TestGraph.materialize(AssetGraph.make(total), { assets: ["total"], concurrency: 8 })
      expect(summary.status).toBe("succeeded")
      expect(calls).toHaveLength(10_001)
      expect(new Set(calls).size).toBe(10_001)
      expect(calls.at(-1)).toBe("total of 5000")
    }).pipe(Effect.provide(TestGraph.layerMemory)), 60_000)

  it.effect(
    "priorities and batches over more steps than are made ahead, in the worst order",
    () =>
      Effect.gen(function*() {
        const count = 1200
        const done = new Set<string>()
        const reversed = PartitionMapping.custom("n", "1", (n) => [String(count - 1 - Number(n))])
        const source = Asset.make(
          "source",
          { partitions: { n: numbered(count) }, output: Out, batch: { max: 2 } },
          ({ items }) =>
            Effect.sync(() =>
              items.map(({ partition }) => {
                done.add(partition.n)
                return Result.succeed({ v: partition.n })
              })
            )
        )
        // Needs at first what the source makes last, and would go first.
        const eager = Asset.make(
          "eager",
          {
            partitions: { n: numbered(count) },
            deps: { source: Asset.mapped(source, { n: reversed }) },
            priority: 9,
            output: Out
          },
          ({ partition, source }) =>
            Effect.sync(() => {
              expect(source).toHaveLength(1)
              expect(done.has(String(count - 1 - Number(partition.n)))).toBe(true)
              return { v: source[0]!.output.v }
            })
        )
        const { summary } = yield* TestGraph.materialize(AssetGraph.make(eager), { assets: ["eager"], concurrency: 3 })
        expect(summary.assets).toMatchObject({ source: { materialized: count }, eager: { materialized: count } })
      }).pipe(Effect.provide(TestGraph.layerMemory)),
    60_000
  )
})

describe("a batch", () => {
  const letters = { letter: Partitions.statics(["a", "b", "c"]) }

  it.effect("that fails as a whole leaves alone what was up to date in it", () =>
    Effect.gen(function*() {
      const content: { [letter: string]: string } = { a: "1", b: "1", c: "1" }
      let code = "1"
      let broken = false
      const source = Asset.make(
        "source",
        { partitions: letters, output: Out, dataVersion: "v", codeVersion: Effect.sync(() => code) },
        ({ partition }) => Effect.succeed({ v: content[partition.letter]! })
      )
      const table = Asset.make(
        "table",
        { partitions: letters, deps: { source }, output: Out, batch: { max: 3 } },
        ({ items }) =>
          broken ? Effect.fail("no connection") : Effect.succeed(items.map(({ source }) => Result.succeed(source)))
      )
      const graph = AssetGraph.make(table)
      yield* TestGraph.materialize(graph, { assets: ["table"] })
      code = "2"
      content["b"] = "2"
      broken = true
      const { summary } = yield* TestGraph.materialize(graph, { assets: ["table"] })
      expect(summary.assets["table"]).toMatchObject({ skipped: 2, failed: 1 })
      const { plan } = yield* TestGraph.plan(graph, { assets: ["table"] })
      expect(TestGraph.planned(plan)).toEqual([
        { asset: "table", partition: "letter=b", reason: { _tag: "Failed", error: "no connection" } }
      ])
    }).pipe(Effect.provide(TestGraph.layerMemory)))

  it.effect("keeps the answers that fit the schema when one does not", () =>
    Effect.gen(function*() {
      const table = Asset.make(
        "table",
        { partitions: letters, output: Schema.Struct({ rows: Schema.Finite }), batch: { max: 3 } },
        ({ items }) =>
          Effect.succeed(items.map(({ partition }) => Result.succeed({ rows: partition.letter === "b" ? NaN : 1 })))
      )
      const { summary } = yield* TestGraph.materialize(AssetGraph.make(table), { assets: ["table"] })
      expect(summary.assets["table"]).toMatchObject({ materialized: 2, failed: 1 })
      expect(summary.failures.map(({ partitions }) => partitions)).toEqual([["letter=b"]])
    }).pipe(Effect.provide(TestGraph.layerMemory)))
})
