import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Definitions from "../../../src/runtime/asset/Definitions.ts"
import * as Validate from "../../../src/runtime/asset/Validate.ts"
import * as PartitionMapping from "../../../src/runtime/partition/PartitionMapping.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"

const nothing = () => Effect.void

type Plain = Asset.Asset<string, unknown, Partitions.Dimensions, never>

const plain = (name: string, deps: { readonly [name: string]: Plain } = {}): Plain =>
  Asset.make(name, { deps }, nothing)

/** What the compiler would not let through: an object changed after it was made. */
const rewire = (asset: Asset.Any, dependencies: { readonly [name: string]: unknown }): Asset.Any =>
  Object.defineProperty(asset, "dependencies", { value: dependencies })

const problemsOf = (...roots: ReadonlyArray<unknown>) => Validate.collect(roots).problems

const month = Partitions.monthly({ zone: "UTC", start: "2024-01" })
const letter = Partitions.statics(["a", "b"])

describe("a sentence for each mistake", () => {
  it("a circle is named along its path", () => {
    const a = plain("a")
    const b = plain("b", { a })
    const c = plain("c", { b })
    rewire(a, { c: { asset: c, mapping: {} } })
    expect(problemsOf(plain("above", { c }))).toEqual([
      "Assets depend on each other in a circle: \"c\" reads \"b\" reads \"a\" reads \"c\". Take one of these dependencies out."
    ])
  })

  it("an asset that reads itself is the smallest circle", () => {
    const a = plain("a")
    rewire(a, { a: { asset: a, mapping: {} } })
    expect(problemsOf(a)).toEqual([
      "Assets depend on each other in a circle: \"a\" reads \"a\". Take one of these dependencies out."
    ])
  })

  it("two assets of one name, wherever they are", () => {
    expect(problemsOf(plain("top", { one: plain("twin") }), plain("twin"))).toEqual([
      "Two assets are named \"twin\": rename one of them."
    ])
  })

  it("a dependency that is not there, as when files import each other", () => {
    const missing: { readonly [name: string]: Plain } = { days: undefined as never, hours: "hours" as never }
    expect(problemsOf(plain("report", missing))).toEqual([
      "Dependency \"days\" of \"report\" is undefined, which is no asset: give one made by Asset.make, and see that files do not import each other's assets in a circle.",
      "Dependency \"hours\" of \"report\" is \"hours\", which is no asset: give one made by Asset.make, and see that files do not import each other's assets in a circle."
    ])
  })

  it("a name that is no name, and a batch that takes nothing", () => {
    expect(problemsOf(Asset.make("Daily Report", { batch: { max: 0 } }, () => Effect.succeed([])))[0])
      .toBe("Asset name \"Daily Report\" must be lower case letters, digits and \"_\", beginning with a letter.")
    expect(problemsOf(Asset.make("daily", { batch: { max: 0 } }, () => Effect.succeed([]))))
      .toEqual(["The batch of \"daily\" takes 0 partitions at most: write a whole number from 1 on."])
  })

  it("a dependency without a mapping where the partitions differ", () => {
    const read: Asset.Any = Asset.make("by_month", { partitions: { month } }, nothing)
    const report = Asset.make("report", { partitions: { letter }, deps: { read } }, nothing)
    expect(problemsOf(report)).toEqual([
      "\"report\" reads \"by_month\" (as \"read\"), which is partitioned by \"month\", which this asset is not: say with Asset.mapped(...) where its \"month\" comes from."
    ])
  })

  it("a mapping across dimensions that do not fit, of another kind or another set", () => {
    const read: Asset.Any = Asset.make("read", { partitions: { when: month } }, nothing)
    const mapped = (entry: PartitionMapping.DimensionMapping) =>
      problemsOf(Asset.make(
        "report",
        { partitions: { letter }, deps: { read: Asset.mapped(read, { when: entry } as never) } } as object,
        nothing
      ))[0]
    expect(mapped(PartitionMapping.from("letter"))).toContain(
      "has dimension \"when\", which is monthly partitions there and static partitions here"
    )
    expect(mapped(PartitionMapping.containing("letter"))).toContain(
      "is mapped by \"containing\", which needs time windows on both sides, not static partitions and monthly partitions"
    )
    expect(mapped(PartitionMapping.from("day"))).toContain(
      "is mapped from dimension \"day\", which this asset does not have"
    )
    const coins: Asset.Any = Asset.make("coins", { partitions: { name: Partitions.dynamic("coins") } }, nothing)
    const stocks = Asset.make(
      "stocks",
      { partitions: { name: Partitions.dynamic("stocks") }, deps: { coins } },
      nothing
    )
    expect(problemsOf(stocks)[0]).toContain(
      "is the dynamic set \"coins\" there and the dynamic set \"stocks\" here"
    )
  })

  it("all of them at once, and the graph is refused with all of them", () => {
    const roots = [plain("twin"), plain("twin"), plain("Bad")]
    expect(problemsOf(...roots)).toHaveLength(2)
    expect(() => AssetGraph.make(...roots)).toThrow(problemsOf(...roots).join("\n"))
  })

  it("numbers of the definitions", () => {
    const definitions = Definitions.make({ graph: AssetGraph.make(plain("a")), concurrency: 0, pools: { api: 1.5 } })
    expect(Definitions.problems(definitions)).toEqual([
      "The concurrency is 0: write a whole number from 1 on.",
      "Pool \"api\" is 1.5: write a whole number from 1 on."
    ])
  })
})

describe("whatever a dependency does, there is an end and a sentence", () => {
  it("a getter that throws", () => {
    const asset = Object.defineProperty(plain("a"), "dependencies", {
      get: () => {
        throw new Error("not yet")
      }
    })
    expect(problemsOf(asset)).toEqual(["The dependencies of \"a\" cannot be read: not yet."])
  })

  it("a getter that makes another asset of the same name each time", () => {
    const endless = (): Plain =>
      Object.defineProperty(plain("endless"), "dependencies", {
        get: () => ({ up: { asset: endless(), mapping: {} } })
      })
    expect(problemsOf(endless())).toEqual(["Two assets are named \"endless\": rename one of them."])
  })

  it("a getter that makes another asset of another name each time", () => {
    const one = plain("one")
    const endless = (at: number): Asset.Any =>
      Object.create(one, {
        name: { value: `a${at}` },
        dependencies: { get: () => ({ up: { asset: endless(at + 1), mapping: {} } }) }
      })
    expect(problemsOf(endless(0))).toEqual([
      "There are more than 100,000 assets: the dependencies of \"a100000\" seem to be made anew whenever they are read."
    ])
  })

  it("a circle longer than the stack is deep", () => {
    const first = plain("a0")
    let last = first
    for (let at = 1; at < 20_000; at++) last = plain(`a${at}`, { up: last })
    rewire(first, { up: { asset: last, mapping: {} } })
    expect(problemsOf(last)).toEqual([
      "Assets depend on each other in a circle: \"a19999\" reads \"a19998\" reads \"a19997\" reads \"a19996\" reads 19993 more reads \"a2\" reads \"a1\" reads \"a0\" reads \"a19999\". Take one of these dependencies out."
    ])
  })
})

/** Per asset, numbers that pick what it reads among the assets before it: no circle can come of it. */
const Wanted = Schema.NonEmptyArray(Schema.Array(Schema.Natural).check(Schema.isMaxLength(4)))

const acyclic = (wanted: typeof Wanted.Type): ReadonlyArray<Plain> => {
  const made: Array<Plain> = []
  for (const reads of wanted) {
    const upstream = made.length === 0 ? [] : [...new Set(reads.map((at) => made[at % made.length]!))]
    made.push(plain(`a${made.length}`, Object.fromEntries(upstream.map((asset) => [asset.name, asset]))))
  }
  return made
}

it.prop("a graph without circles has no problems and stands upstream first", { wanted: Wanted }, ({ wanted }) => {
  const assets = acyclic(wanted)
  const found = Validate.collect(assets.toReversed())
  expect(found.problems).toEqual([])
  expect(found.assets.size).toBe(assets.length)
  const position = new Map([...found.assets.keys()].map((name, at) => [name, at]))
  for (const asset of assets) {
    for (const name of Object.keys(asset.dependencies)) {
      expect(position.get(name)).toBeLessThan(position.get(asset.name)!)
    }
  }
})

it.prop(
  "an edge back from what an asset reads is a circle, whatever else there is",
  { wanted: Wanted, pick: Schema.Natural },
  ({ pick, wanted }) => {
    const assets = acyclic(wanted)
    const reader = assets[pick % assets.length]!
    const end = Object.values(reader.dependencies)[0]?.asset ?? reader
    rewire(end, { back: { asset: reader, mapping: {} } })
    const circles = problemsOf(...assets).filter((problem) => problem.includes("in a circle"))
    expect(circles.some((problem) => problem.includes(`"${reader.name}"`) && problem.includes(`"${end.name}"`)))
      .toBe(true)
  }
)

it("only a graph or definitions are taken for an export", () => {
  const graph = AssetGraph.make(plain("a"))
  expect(Definitions.fromExport(graph)?.graph).toBe(graph)
  expect(Definitions.fromExport(Definitions.make({ graph, pools: { api: 1 } }))?.pools).toEqual({ api: { slots: 1 } })
  for (const other of [undefined, null, plain("a"), [plain("a")], Schema.String, () => graph]) {
    expect(Definitions.fromExport(other)).toBeUndefined()
  }
})
