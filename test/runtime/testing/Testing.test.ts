import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Definitions from "../../../src/runtime/asset/Definitions.ts"
import * as PartitionMapping from "../../../src/runtime/partition/PartitionMapping.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as Testing from "../../../src/runtime/testing/Testing.ts"

class Vendor
  extends Context.Service<Vendor, { readonly count: (month: string) => Effect.Effect<number> }>()("Vendor")
{}

const vendor = Layer.succeed(Vendor, { count: (month) => Effect.succeed(Number(month.slice(5))) })

const month = Partitions.monthly({ zone: "UTC", start: "2024-01" })
const place = Partitions.dynamic("places")

const counted = Asset.make(
  "counted",
  { partitions: { place, month }, output: Schema.Struct({ count: Schema.Finite, at: Schema.DateTimeUtcFromMillis }) },
  Effect.fn(function*({ partition }) {
    if (partition.place === "nowhere") return yield* Effect.fail("nobody counts there")
    const at = Schema.decodeSync(Schema.DateTimeUtcFromMillis)(yield* Clock.currentTimeMillis)
    return { count: yield* (yield* Vendor).count(partition.month), at }
  })
)

const total = Asset.make(
  "total",
  {
    partitions: { place },
    deps: { counted: Asset.mapped(counted, { place: PartitionMapping.from("place"), month: PartitionMapping.all }) },
    output: Schema.Finite
  },
  ({ counted }) => Effect.succeed(counted.reduce((sum, { output }) => sum + output.count, 0))
)

const world = Asset.make("world", { output: Schema.String }, () => Effect.succeed("round"))

const graph = AssetGraph.make(total, world)
const march = { now: "2024-03-15T00:00:00Z", members: { places: ["here", "there"] } }

it.effect("outputs have their types, by asset and partition", () =>
  Effect.gen(function*() {
    const run = yield* Testing.materialize(graph, march)
    expect(run.output(total, { place: "here" }).toFixed(1)).toBe("3.0")
    expect(run.output(counted, { month: "2024-02", place: "there" }).count).toBe(2)
    expect(run.output(counted, "place=there,month=2024-02").at.toString()).toContain("2024-03-15")
    expect(run.output(world).toUpperCase()).toBe("ROUND")
    expect(run.materialized(total)).toEqual(["place=here", "place=there"])
    expect(run.events.at(-1)).toEqual({ type: "RunEnded", status: "succeeded" })
  }).pipe(Effect.provide([Testing.layer, vendor])))

it.effect("an asset comes with the ancestors that need it, a selection alone", () =>
  Effect.gen(function*() {
    const alone = yield* Testing.plan(graph, { ...march, select: "total" })
    expect(Testing.planned(alone)).toEqual([])
    expect(alone.assets.map(({ asset, blocked }) => [asset.name, blocked.length])).toEqual([["total", 1]])
    const both = yield* Testing.plan(graph, { ...march, asset: "total", partition: "place=here" })
    expect(Testing.planned(both).map(({ asset }) => asset)).toEqual(["counted", "counted", "total"])
    const one = yield* Testing.materialize(graph, {
      ...march,
      select: "counted",
      partition: "place=here,month=2024-01..2024-02"
    })
    expect(one.materialized(counted)).toEqual(["place=here,month=2024-01", "place=here,month=2024-02"])
    const rest = yield* Testing.materialize(graph, { ...march, asset: ["counted"], partition: "place=here" })
    expect(rest.summary.assets).toEqual({})
    const again = yield* Testing.materialize(graph, { asset: "counted", partition: "place=here", force: true })
    expect(again.materialized(counted)).toHaveLength(2)
  }).pipe(Effect.provide([Testing.layer, vendor])))

it.effect("an output that is not there says what became of it", () =>
  Effect.gen(function*() {
    const run = yield* Testing.materialize(graph, { ...march, members: { places: ["here", "nowhere"] } })
    expect(run.summary.status).toBe("failed")
    expect(() => run.output(counted, { place: "nowhere", month: "2024-01" })).toThrow(
      "counted place=nowhere,month=2024-01 was not materialized: it failed: nobody counts there"
    )
    expect(() => run.output(total, { place: "nowhere" })).toThrow(
      "total place=nowhere was not materialized: blocked: counted place=nowhere,month=2024-01 failed"
    )
    expect(() => run.output(total, { place: "there" })).toThrow("does not exist, or was not asked for")
    expect(run.output(total, { place: "here" })).toBe(3)
  }).pipe(Effect.provide([Testing.layer, vendor])))

it.effect("definitions bring their members and pools, the test its layers", () =>
  Effect.gen(function*() {
    const definitions = Definitions.make({
      graph,
      layer: Layer.effect(Vendor, Effect.die("the real vendor")),
      members: { places: [{ value: "old", to: "2024-01-31" }, "here"] }
    })
    const run = yield* Testing.materialize(definitions, { now: march.now, asset: "counted" })
    expect(run.materialized(counted)).toEqual([
      "place=old,month=2024-01",
      "place=here,month=2024-01",
      "place=here,month=2024-02"
    ])
  }).pipe(Effect.provide([Testing.layer, vendor])))

const refused = (request: Testing.Request) => Effect.map(Effect.flip(Testing.plan(graph, request)), String)

it.effect("a request that cannot be is refused in a sentence", () =>
  Effect.gen(function*() {
    expect(yield* refused({ asset: "totl" })).toContain("Did you mean \"total\"?")
    expect(yield* refused({ asset: "total", select: "total" })).toContain("say the same thing twice")
    expect(yield* refused({ ...march, asset: "total", partition: "place=her" })).toContain("Did you mean \"here\"?")
    expect(yield* refused({ asset: "counted", members: march.members, now: 0 })).toContain(
      "counted has no partition by 1970-01-01T00:00:00.000Z: does the request want `now`, or `members`?"
    )
  }).pipe(Effect.provide([Testing.layer, vendor])))

it.live("a clock that is not the test's is left alone", () =>
  Effect.gen(function*() {
    expect(yield* refused(march)).toContain("use it.effect, not it.live")
    const plan = yield* Testing.plan(graph, { members: march.members, asset: "total" })
    expect(Testing.planned(plan).length).toBeGreaterThan(20)
  }).pipe(Effect.provide([Testing.layer, vendor])))
