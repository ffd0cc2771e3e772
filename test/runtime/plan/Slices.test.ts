import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../../src/runtime/partition/PartitionSet.ts"
import * as Slices from "../../../src/runtime/plan/Slices.ts"
import * as TestGraph from "../../support/TestGraph.ts"

const cells = { row: Partitions.statics(["a", "b", "c"]), column: Partitions.statics(["1", "2", "3", "4", "5"]) }
const source = Asset.make("source", { partitions: cells }, () => Effect.void)
const between = Asset.make("between", { partitions: cells, deps: { source } }, () => Effect.void)
const copy = Asset.make("copy", { partitions: cells, deps: { between } }, () => Effect.void)
const other = Asset.make("other", { partitions: cells }, () => Effect.void)
const graph = AssetGraph.make(copy, other)

const cut = (assets: ReadonlyArray<string>, most: number, partition = "*") =>
  Effect.map(TestGraph.plan(graph, { assets, partition }), ({ plan, targets }) => ({
    slices: Slices.cut(graph, targets, plan, most),
    targets
  }))

it.effect.prop(
  "slices are disjoint, no larger than asked, in order, and together what is planned",
  { most: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 })) },
  ({ most }) =>
    Effect.gen(function*() {
      const { slices, targets } = yield* cut(["copy"], most, "row=a,row=c;column=2..4")
      const [{ set }] = targets as [(typeof targets)[number]]
      expect(slices.every((slice) => PartitionSet.size(slice.set) <= most)).toBe(true)
      expect(slices.flatMap((slice) => [...PartitionSet.texts(slice.set)])).toEqual([...PartitionSet.texts(set)])
    }).pipe(Effect.provide(TestGraph.layerMemory))
)

it.effect("an asset comes after the targets that it reads, however far away", () =>
  Effect.gen(function*() {
    const { slices } = yield* cut(["copy", "other", "source"], 100)
    expect(slices.map(({ asset, stage }) => [stage, asset])).toEqual([[0, "other"], [0, "source"], [1, "copy"]])
  }).pipe(Effect.provide(TestGraph.layerMemory)))

it.effect("what is up to date is in no slice", () =>
  Effect.gen(function*() {
    yield* TestGraph.materialize(graph, { assets: ["copy"], partition: "row=b" })
    const { slices } = yield* cut(["copy"], 5)
    expect(slices.map(({ set }) => PartitionSet.toText(set))).toEqual(["row=a,column=1..5", "row=c,column=1..5"])
  }).pipe(Effect.provide(TestGraph.layerMemory)))
