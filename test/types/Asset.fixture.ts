// What the compiler says about a graph that cannot work.
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Asset from "../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../src/runtime/asset/AssetGraph.ts"
import * as Check from "../../src/runtime/asset/Check.ts"
import * as Definitions from "../../src/runtime/asset/Definitions.ts"
import * as Sensor from "../../src/runtime/automation/Sensor.ts"
import * as Application from "../../src/runtime/cli/Application.ts"
import type { Calendar } from "../../src/runtime/partition/Calendar.ts"
import * as PartitionMapping from "../../src/runtime/partition/PartitionMapping.ts"
import * as Partitions from "../../src/runtime/partition/Partitions.ts"
import * as Testing from "../../src/runtime/testing/Testing.ts"

declare const calendar: Calendar
declare const engine: Layer.Layer<Application.Engine>
class Vendor
  extends Context.Service<Vendor, { readonly fetch: (symbol: string) => Effect.Effect<number> }>()("Vendor")
{}
class Store extends Context.Service<Store, { readonly save: Effect.Effect<void> }>()("Store") {}

const symbol = Partitions.dynamic("symbols")
const month = Partitions.monthly({ zone: "UTC", start: "2020-01" })
const session = Partitions.sessions(calendar)
const Rows = Schema.Struct({ rows: Schema.Finite, hash: Schema.String })

const raw = Asset.make(
  "raw",
  { partitions: { symbol, month }, output: Rows, dataVersion: "hash" },
  Effect.fn(function*({ partition }) {
    return { rows: yield* (yield* Vendor).fetch(partition.symbol), hash: partition.month }
  })
)

// A mapping with one upstream partition hands over its output, one with many a list.
export const staged = Asset.make(
  "staged",
  {
    partitions: { symbol, session },
    output: Rows,
    deps: {
      raw: Asset.mapped(raw, {
        symbol: PartitionMapping.from("symbol"),
        month: PartitionMapping.containing("session")
      }),
      every: Asset.mapped(raw, { symbol: PartitionMapping.from("symbol"), month: PartitionMapping.all })
    }
  },
  ({ every, partition, raw }) => {
    const rows: number = raw.rows + every.length
    const keys: ReadonlyArray<string> = every.map(({ partition }) => partition.month)
    return Effect.succeed({ rows, hash: keys.join() + partition.session })
  }
)

export const batched = Asset.make(
  "batched",
  { partitions: { symbol, session }, output: Rows, deps: { staged }, batch: { max: 2 } },
  ({ items }) => Effect.succeed(items.map(({ staged }) => Result.succeed(staged)))
)

// Partitions that do not fit.
export const clash = Asset.make(
  "clash",
  { partitions: { symbol, session }, deps: { raw } }, // ~ \"raw\" is partitioned by \"month\", this asset is not: say with Asset.mapped(...) where \"month\" comes from
  () => Effect.void
)

// A dimension of the same name but of another set.
export const otherSet = Asset.make(
  "other_set",
  { partitions: { symbol: Partitions.dynamic("coins"), session }, deps: { staged } }, // ~ say with Asset.mapped(...) where \"symbol\" comes from
  () => Effect.void
)

// A mapping that reads a dimension which is not there.
export const unknownDimension = Asset.make(
  "unknown_dimension",
  {
    partitions: { symbol },
    deps: {
      raw: Asset.mapped(raw, { symbol: PartitionMapping.from("symbol"), month: PartitionMapping.containing("day") }) // ~ the mapping of \"raw\" reads dimension \"day\", which this asset does not have
    }
  },
  () => Effect.void
)

// A mapping that leaves a dimension out.
export const incomplete = Asset.mapped(raw, { symbol: PartitionMapping.from("symbol") }) // ~ Property 'month' is missing

// A typo in a dependency, in what is read from it, and in the content hash.
export const typo = Asset.make("typo", { deps: { raw: rwa } }, () => Effect.void) // ~ Cannot find name 'rwa'

export const typoInUse = Asset.make(
  "typo_in_use",
  { partitions: { symbol, session }, deps: { staged } },
  ({ stagd }) => Effect.succeed(stagd) // ~ Property 'stagd' does not exist
)

export const typoInHash = Asset.make(
  "typo_in_hash",
  { output: Rows, dataVersion: "hsh" }, // ~ the output has no field \"hsh\"
  () => Effect.succeed({ rows: 1, hash: "" })
)

// A wrong answer.
export const wrongAnswer = Asset.make(
  "wrong_answer",
  { output: Rows },
  () => Effect.succeed({ rows: "many", hash: "" }) // ~ Type 'string' is not assignable to type 'number'
)

// A missing layer.
const graph = AssetGraph.make(staged)
const rest = {
  origin: "here",
  graph,
  notices: [],
  members: Effect.succeed({}),
  automations: [],
  concurrency: 1,
  pools: {},
  limits: {},
  upstreamErrors: [],
  stores: {},
  checks: []
}
export const complete = Application.make({
  ...rest,
  layer: Layer.merge(engine, Layer.succeed(Vendor, { fetch: () => Effect.succeed(1) }))
})
export const missing = Application.make({
  ...rest,
  layer: Layer.merge(engine, Layer.succeed(Store, { save: Effect.void })) // ~ 'Vendor' is not assignable
})

// The same in a definitions file: the layer is needed as soon as an asset needs a service, and may give more than that.
const vendor = Layer.succeed(Vendor, { fetch: () => Effect.succeed(1) })
const store = Layer.succeed(Store, { save: Effect.void })
export const whole = Definitions.make({ graph, layer: Layer.merge(vendor, store), pools: { api: 1 } })
export const without = Definitions.make({ graph: AssetGraph.make(Asset.make("alone", {}, () => Effect.void)) })
export const noLayer = Definitions.make({ graph }) // ~ Property 'layer' is missing
export const otherLayer = Definitions.make({
  graph,
  layer: store // ~ 'Vendor' is not assignable
})
export const unfinishedLayer = Definitions.make({
  graph,
  layer: Layer.effect(Vendor, Effect.map(Store, () => ({ fetch: () => Effect.succeed(1) }))) // ~ Type 'Store' is not assignable to type 'never'
})

// What a sensor needs, the definitions must have a layer for.
const alone = AssetGraph.make(Asset.make("alone", {}, () => Effect.void))
const looking = Sensor.make(
  "looking",
  { every: "1 minute" },
  () => Effect.map(Effect.flatMap(Store, (store) => store.save), () => ({}))
)
export const sensing = Definitions.make({ graph: alone, automations: [looking], layer: store })
export const blindSensor = Definitions.make({ graph: alone, automations: [looking] }) // ~ Property 'layer' is missing

// A test must bring what the graph of the definitions needs.
export const tested: Effect.Effect<unknown, { readonly message: string }, Vendor | Effect.Services<typeof engineOnly>> =
  Testing.materialize(
    whole
  )
const engineOnly = Testing.materialize(without)
export const untested: Effect.Effect<unknown, unknown, Effect.Services<typeof engineOnly>> = Testing.materialize(whole) // ~ 'Vendor' is not assignable

// A check is typed by its asset, and a graph needs what its checks need.
const rowsHeld = Check.make("rows_held", { asset: staged, blocking: true }, ({ output, partition }) => {
  const key: { readonly symbol: string; readonly session: string } = partition
  return Effect.as(
    Effect.flatMap(Store, (store) => store.save),
    { passed: output.rows > 0, metadata: { rows: output.rows, symbol: key.symbol } }
  )
})
const checked = AssetGraph.make(rowsHeld)
export const checkedComplete = Application.make({
  ...rest,
  graph: checked,
  layer: Layer.mergeAll(
    engine,
    Layer.succeed(Vendor, { fetch: () => Effect.succeed(1) }),
    Layer.succeed(Store, { save: Effect.void })
  )
})
export const checkedMissing = Application.make({
  ...rest,
  graph: checked,
  layer: Layer.merge(engine, Layer.succeed(Vendor, { fetch: () => Effect.succeed(1) })) // ~ 'Store' is not assignable
})

// A check that reads what the asset does not record.
export const typoInCheck = Check.make(
  "typo_in_check",
  { asset: staged },
  ({ output }) => Effect.succeed({ passed: output.rws > 0 }) // ~ Property 'rws' does not exist
)

// A check without an answer, and one with metadata that cannot be kept.
export const noAnswer = Check.make("no_answer", { asset: staged }, () => Effect.void) // ~ Type 'void' is not assignable to type 'Result'
export const oddMetadata = Check.make(
  "odd_metadata",
  { asset: staged },
  () => Effect.succeed({ passed: true, metadata: { when: new Date(0) } }) // ~ Type 'Date' is not assignable to type 'string | number'
)

// A warning cannot block.
export const warnBlocks = Check.make(
  "warn_blocks",
  { asset: staged, severity: "warn", blocking: true }, // ~ a check of severity warn blocks nothing: leave blocking out
  () => Effect.succeed({ passed: true })
)

// What somebody else makes is handed over as undefined; what is observed as its data version.
const feed = Asset.external("feed", { partitions: { symbol } })
const page = Asset.observed("page", { every: "1 hour" }, () => Effect.map(Store, () => "etag"))
export const reader = Asset.make("reader", { partitions: { symbol }, deps: { feed, page } }, ({ feed, page }) => {
  const nothing: undefined = feed
  const version: string = page.dataVersion
  return Effect.succeed([nothing, version]).pipe(Effect.asVoid)
})

// The data version of an observation is a text.
export const noVersion = Asset.observed("no_version", { every: "1 hour" }, () => Effect.succeed(1)) // ~ Type 'number' is not assignable to type 'string'

// An external asset has partitions that must fit, too.
export const externalClash = Asset.make(
  "external_clash",
  { deps: { feed } }, // ~ \"feed\" is partitioned by \"symbol\", this asset is not
  () => Effect.void
)
