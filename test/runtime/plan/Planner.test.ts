import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { nyse } from "../../../src/assets/nyse.ts"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as PartitionKey from "../../../src/runtime/partition/PartitionKey.ts"
import * as PartitionMapping from "../../../src/runtime/partition/PartitionMapping.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../../src/runtime/partition/PartitionSet.ts"
import * as Plan from "../../../src/runtime/plan/Plan.ts"
import * as Planner from "../../../src/runtime/plan/Planner.ts"
import * as Staleness from "../../../src/runtime/plan/Staleness.ts"
import * as TestGraph from "../../support/TestGraph.ts"

const symbol = Partitions.dynamic("symbols")
const month = Partitions.monthly({ zone: nyse.zone, start: "2013-01", endOffset: 1 })
const session = Partitions.sessions(nyse, { start: "2013-01-02" })
const Out = Schema.Struct({ rows: Schema.Finite })
const out = () => Effect.succeed({ rows: 1 })

const raw = Asset.make("raw", { partitions: { symbol, month }, output: Out, pool: "api" }, out)
const staged = Asset.make("staged", {
  partitions: { symbol, session },
  output: Out,
  deps: {
    raw: Asset.mapped(raw, { symbol: PartitionMapping.from("symbol"), month: PartitionMapping.containing("session") })
  },
  batch: {
    max: 31,
    by: (key: { readonly symbol: string; readonly session: string }) => key.symbol + key.session.slice(0, 7)
  }
}, ({ items }) => Effect.succeed(items.map(() => ({ _tag: "Success", success: { rows: 1 } }) as never)))
const loaded = Asset.make("loaded", { partitions: { symbol, session }, output: Out, deps: { staged } }, out)
const graph = AssetGraph.make(loaded)

const universe: Partitions.Universe = {
  now: Date.parse("2013-10-09T00:00:00Z"),
  members: { symbols: [{ value: "IBM", from: "2013-09-27", to: "2013-10-04" }, { value: "SPY", from: "2013-10-07" }] }
}

type States = { [assetAndPartition: string]: Staleness.PartitionState }

const space = (asset: string) => Partitions.space(graph.assets.get(asset)!.dimensions, universe)

/** Every partition with a state is judged by its own history. */
const situation = (states: States, versions: { [asset: string]: string } = {}): Planner.Situation => ({
  universe,
  codeVersions: { raw: "1", staged: "1", loaded: "1", ...versions },
  classes: (asset) => {
    const all = PartitionSet.all(space(asset))
    const keys = [...PartitionSet.keys(all)].filter((key) => `${asset}/${PartitionKey.toText(key)}` in states)
    return [{ standing: undefined, set: PartitionSet.fromKeys(space(asset), keys) }]
  },
  endOf: () => Number.POSITIVE_INFINITY,
  stateOf: (asset, partition) => states[`${asset}/${partition}`] ?? Staleness.unknown
})

const everything: Planner.Request = {
  targets: [{ asset: "loaded", set: PartitionSet.all(space("loaded")) }],
  ancestors: true,
  force: false
}

/** As if the plan had been run now: every partition has the version `v` of itself. */
const after = (plan: Plan.Plan, states: States, materializedAt = universe.now): States => {
  const next = { ...states }
  for (const { asset, partition } of TestGraph.planned(plan)) {
    const inputs = asset === "raw" ? {} : asset === "staged" ? { raw: "raw v" } : { staged: "staged v" }
    const latest = { codeVersion: "1", dataVersion: `${asset} v`, inputs, materializedAt }
    next[`${asset}/${partition}`] = { latest: { ...latest }, failure: undefined }
  }
  return next
}

const texts = (plan: Plan.Plan) => TestGraph.planned(plan).map(({ asset, partition }) => `${asset}/${partition}`)
const blocked = (plan: Plan.Plan) =>
  plan.assets.flatMap(({ blocked }) => blocked.map(({ set, why }) => ({ count: PartitionSet.size(set), why })))

it("the first plan has every partition once, upstream before downstream, months shared by their sessions", () => {
  const plan = Planner.plan(graph, everything, situation({}))
  expect(Plan.summarize(plan).map(({ asset, partitions, steps }) => ({ asset, partitions, steps }))).toEqual([
    { asset: "raw", partitions: 3, steps: 3 },
    { asset: "staged", partitions: 8, steps: 3 },
    { asset: "loaded", partitions: 8, steps: 8 }
  ])
  expect(Plan.callsPerPool(plan)).toEqual({ api: 3 })
})

it("planning again changes nothing, and after the run there is nothing left", () => {
  const plan = Planner.plan(graph, everything, situation({}))
  expect(Planner.plan(graph, everything, situation({}))).toEqual(plan)
  const done = Planner.plan(graph, everything, situation(after(plan, {})))
  expect(texts(done)).toEqual([])
  expect(done.assets.map(({ upToDate }) => upToDate)).toEqual([3, 8, 8])
})

it("each reason is found and passed on as a condition only", () => {
  const states = after(Planner.plan(graph, everything, situation({})), {})
  const reasons = (changed: States, versions = {}) =>
    TestGraph.planned(Planner.plan(graph, everything, situation(changed, versions)))
      .map(({ asset, partition, reason }) => `${asset} ${partition}: ${Staleness.explain(reason)}`)
  const key = "staged/symbol=IBM,session=2013-10-04"
  expect(reasons({ ...states, [key]: { ...states[key]!, failure: "boom" } })).toEqual([
    "staged symbol=IBM,session=2013-10-04: failed last time: boom",
    "loaded symbol=IBM,session=2013-10-04: if staged changes"
  ])
  const month = "raw/symbol=IBM,month=2013-09"
  expect(
    reasons({ ...states, [month]: { ...states[month]!, latest: { ...states[month]!.latest!, dataVersion: "w" } } })
  ).toEqual([
    "staged symbol=IBM,session=2013-09-27: input changed: raw",
    "staged symbol=IBM,session=2013-09-30: input changed: raw",
    "loaded symbol=IBM,session=2013-09-27: if staged changes",
    "loaded symbol=IBM,session=2013-09-30: if staged changes"
  ])
  expect(reasons(states, { loaded: "2" })).toHaveLength(8)
  expect(reasons(states, { loaded: "2" })[0]).toContain("code version changed: 1 -> 2")
})

it("only the kind that was asked for is planned, the rest is left as it is", () => {
  const states = after(Planner.plan(graph, everything, situation({})), {})
  const key = "staged/symbol=IBM,session=2013-10-04"
  const { [`loaded/symbol=SPY,session=2013-10-08`]: _, ...lacking } = states
  const mixed = { ...lacking, [key]: { ...states[key]!, failure: "boom" } }
  const only = (kind: Staleness.Kind) =>
    texts(Planner.plan(graph, { ...everything, only: kind }, situation(mixed, { raw: "2" })))
  expect(only("missing")).toEqual(["loaded/symbol=SPY,session=2013-10-08"])
  expect(only("failed")).toEqual([key])
  expect(only("stale").filter((name) => name.startsWith("raw/"))).toHaveLength(3)
  expect(only("stale")).not.toContain(key)
  expect(only("all")).toHaveLength(3 + 8 + 8)
})

it("a month that was fetched while it went on is fetched again once a newer session is asked for", () => {
  const plan = Planner.plan(graph, everything, situation({}))
  const early = Date.parse("2013-10-08T12:00:00Z")
  const again = Planner.plan(graph, everything, situation(after(plan, {}, early)))
  expect(TestGraph.planned(again)).toContainEqual(
    { asset: "raw", partition: "symbol=SPY,month=2013-10", reason: { _tag: "WindowGrew" } }
  )
  expect(texts(again)).not.toContain("raw/symbol=IBM,month=2013-10")
})

it("without its ancestors an asset whose input was never made is blocked with a sentence", () => {
  const plan = Planner.plan(graph, { ...everything, ancestors: false }, situation({}))
  expect(texts(plan)).toEqual([])
  expect(blocked(plan)).toEqual([{
    count: 8,
    why: "staged symbol=IBM,session=2013-09-27 was never materialized: select it too (\"+loaded\")"
  }])
})

it("force takes the named assets only, and an input that does not exist yet blocks", () => {
  const states = after(Planner.plan(graph, everything, situation({})), {})
  const forced = Planner.plan(graph, { ...everything, force: true }, situation(states))
  expect(new Set(TestGraph.planned(forced).map(({ asset }) => asset))).toEqual(new Set(["loaded"]))
  const open = Partitions.monthly({ zone: nyse.zone, start: "2013-01" })
  const early = Asset.make("early", {
    partitions: { symbol, session },
    deps: {
      raw: Asset.mapped(Asset.make("closed", { partitions: { symbol, month: open } }, () => Effect.void), {
        symbol: PartitionMapping.from("symbol"),
        month: PartitionMapping.containing("session")
      })
    }
  }, () => Effect.void)
  const strange = Planner.plan(
    AssetGraph.make(early),
    { targets: [{ asset: "early", set: PartitionSet.all(space("loaded")) }], ancestors: true, force: false },
    { ...situation({}), classes: () => [] }
  )
  expect(texts(strange)).toEqual([
    "closed/symbol=IBM,month=2013-09",
    "early/symbol=IBM,session=2013-09-27",
    "early/symbol=IBM,session=2013-09-30"
  ])
  expect(blocked(strange)).toEqual([{ count: 6, why: "closed month=2013-10 does not exist" }])
})

it("cost grows with what is asked for: 10,000 assets in a chain", () => {
  let last: Asset.Any = Asset.make("a0", { output: Out }, out)
  for (let at = 1; at < 10_000; at++) last = Asset.make(`a${at}`, { deps: { before: last }, output: Out }, out)
  const chain = AssetGraph.make(last)
  const targets = [{ asset: "a9999", set: PartitionSet.all(Partitions.space({}, universe)) }]
  const plan = Planner.plan(chain, { targets, ancestors: true, force: false }, {
    universe,
    classes: () => [],
    endOf: () => Number.POSITIVE_INFINITY,
    codeVersions: Object.fromEntries([...chain.assets.keys()].map((name) => [name, "1"])),
    stateOf: () => Staleness.unknown
  })
  expect(Plan.partitionCount(plan)).toBe(10_000)
})
