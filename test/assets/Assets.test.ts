import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { parquetWriteBuffer } from "hyparquet-writer"
import { definitions, withLayout } from "../../src/assets/definitions.ts"
import { session, symbol } from "../../src/assets/dimensions.ts"
import { stagedBars } from "../../src/assets/stagedBars.ts"
import * as DerivedMemory from "../../src/layers/derived/Memory.ts"
import * as LakeMemory from "../../src/layers/lake/Memory.ts"
import * as Parquet from "../../src/layers/lake/Parquet.ts"
import * as CorporateActions from "../../src/layers/market-data/CorporateActions.ts"
import * as SourceMemory from "../../src/layers/market-data/Memory.ts"
import { BarStore } from "../../src/layers/staging/BarStore.ts"
import * as StagingMemory from "../../src/layers/staging/Memory.ts"
import * as WarehouseMemory from "../../src/layers/warehouse/Memory.ts"
import * as Asset from "../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../src/runtime/asset/AssetGraph.ts"
import type * as Run from "../../src/runtime/testing/Run.ts"
import * as Testing from "../../src/runtime/testing/Testing.ts"

const row = (label: string, high: string) => [label, {
  "1. open": "10.0000",
  "2. high": high,
  "3. low": "9.0000",
  "4. close": "10.5000",
  "5. volume": "100"
}]

const payload = (rows: ReadonlyArray<ReadonlyArray<unknown>>) =>
  new TextEncoder().encode(JSON.stringify({
    "Meta Data": {
      "1. Information": "Intraday (1min) open, high, low, close prices and volume",
      "2. Symbol": "IBM",
      "3. Last Refreshed": "2013-10-07 19:59:00",
      "4. Interval": "1min",
      "5. Output Size": "Full size",
      "6. Time Zone": "US/Eastern"
    },
    "Time Series (1min)": Object.fromEntries(rows)
  }))

/** Every service in memory, each with what a test wants to look at. */
const world = (answers: Map<string, Uint8Array>) => {
  const source = SourceMemory.make(answers)
  const tables = StagingMemory.makeTables()
  const objects = new Map<string, Uint8Array>()
  const loads: WarehouseMemory.Loads = new Map()
  const layer = Layer.mergeAll(
    source.layer,
    StagingMemory.layerMemory(tables),
    LakeMemory.layerMemory(objects),
    WarehouseMemory.layerMemory(loads),
    DerivedMemory.layerMemory(),
    CorporateActions.layerNone,
    Testing.layer
  )
  return { source, tables, objects, loads, layer }
}

const IBM = {
  now: "2013-10-08T00:00:00Z",
  members: { symbols: [{ value: "IBM", from: "2013-10-04", to: "2013-10-07" }] }
}
const BOTH = ["bars_parquet", "redshift_bars"]
const friday = row("2013-10-04 10:00:00", "12.0000")
const monday = row("2013-10-07 10:00:00", "12.0000")

it.effect("the four assets run in memory, and a refetch touches only the session that changed", () => {
  const answers = new Map([["IBM/2013-10", payload([monday, friday])]])
  const { layer, loads, objects, source, tables } = world(answers)
  return Effect.gen(function*() {
    const first = yield* Testing.materialize(definitions, { ...IBM, asset: BOTH })
    expect(first.summary).toMatchObject({
      status: "succeeded",
      assets: { raw_bars: { materialized: 1 }, staged_bars: { materialized: 2, sums: { rows: 2 } } }
    })
    expect([...objects.keys()].filter((key) => key.endsWith(".parquet")).sort()).toEqual([
      "bars/symbol=IBM/date=2013-10-04/bars.parquet",
      "bars/symbol=IBM/date=2013-10-07/bars.parquet"
    ])
    expect([...loads.keys()].sort()).toEqual(["IBM/2013-10-04", "IBM/2013-10-07"])

    answers.set("IBM/2013-10", payload([row("2013-10-07 10:00:00", "13.0000"), friday]))
    yield* Testing.materialize(definitions, { ...IBM, asset: ["raw_bars"], force: true })
    const again = yield* Testing.materialize(definitions, { ...IBM, asset: BOTH })
    expect(again.summary.assets).toMatchObject({
      staged_bars: { materialized: 2, changed: 1, sums: { restated: 1 } },
      bars_parquet: { materialized: 1, skipped: 1 },
      redshift_bars: { materialized: 1, skipped: 1 }
    })
    expect(tables.history).toMatchObject([{ change: "restated", high: 12 }])
    const checks = (run: typeof again) => new Map(run.summary.failedChecks.map((one) => [one.check, one]))
    expect(checks(first).get("not_restated")).toBeUndefined()
    expect(checks(first).get("no_warnings")).toMatchObject({ count: 2 })
    expect(checks(again).get("not_restated")).toMatchObject({
      count: 1,
      severity: "warn",
      description: "1 bars restated, 0 removed: see staging.bar_history",
      partitions: ["symbol=IBM,session=2013-10-07"]
    })
    expect(source.calls).toEqual(["IBM/2013-10", "IBM/2013-10"])
  }).pipe(Effect.provide(layer))
})

it.effect("a file of the lake names the run that wrote it, and a later run that finds it right leaves it as it is", () => {
  const { layer, objects } = world(new Map([["IBM/2013-10", payload([monday, friday])]]))
  const ask = Testing.materialize(definitions, { ...IBM, asset: "bars_parquet", force: true })
  const written = () => Parquet.metaOf(Parquet.footer(objects.get("bars/symbol=IBM/date=2013-10-04/bars.parquet")!))
  return Effect.gen(function*() {
    const first = yield* ask
    expect(written()).toMatchObject({ run: first.summary.runId, source: "memory", generation: "1" })
    yield* ask
    expect(written()).toMatchObject({ run: first.summary.runId, generation: "1" })
  }).pipe(Effect.provide(layer))
})

it.effect("bars on a day without a session are quarantined, not lost", () => {
  const answers = new Map([["IBM/2013-10", payload([friday, row("2013-10-05 10:00:00", "12.0000")])]])
  const { layer, tables } = world(answers)
  return Effect.gen(function*() {
    const { summary } = yield* Testing.materialize(definitions, { ...IBM, asset: ["staged_bars"] })
    expect(summary.assets.staged_bars!.sums).toMatchObject({ rows: 1, rejected: 1 })
    expect(tables.quarantined).toMatchObject([{ reason: "XNYS had no session on 2013-10-05" }])
  }).pipe(Effect.provide(layer))
})

it.effect("a session that the vendor empties leaves the lake and the warehouse", () => {
  const answers = new Map([["IBM/2013-10", payload([monday, friday])]])
  const { layer, loads, objects } = world(answers)
  return Effect.gen(function*() {
    yield* Testing.materialize(definitions, { ...IBM, asset: BOTH })
    answers.set("IBM/2013-10", payload([friday]))
    yield* Testing.materialize(definitions, { ...IBM, asset: ["raw_bars"], force: true })
    const { summary } = yield* Testing.materialize(definitions, { ...IBM, asset: BOTH })
    expect(summary.assets.staged_bars!.sums).toMatchObject({ removed: 1 })
    expect([...objects.keys()].filter((key) => key.endsWith(".parquet"))).toHaveLength(1)
    expect(loads.get("IBM/2013-10-07")!.bars.length).toBe(0)
  }).pipe(Effect.provide(layer))
})

it.effect("an answer without a series takes nothing away that was staged before", () => {
  const answers = new Map([["IBM/2013-10", payload([monday, friday])]])
  const { layer, loads, objects, tables } = world(answers)
  return Effect.gen(function*() {
    yield* Testing.materialize(definitions, { ...IBM, asset: BOTH })
    answers.set("IBM/2013-10", new TextEncoder().encode("{}"))
    yield* Testing.materialize(definitions, { ...IBM, asset: ["raw_bars"], force: true })
    const { summary } = yield* Testing.materialize(definitions, { ...IBM, asset: BOTH })
    expect(summary).toMatchObject({
      status: "succeeded",
      assets: { staged_bars: { materialized: 2, changed: 0, sums: { rows: 2, removed: 0 } } }
    })
    expect(tables.history).toEqual([])
    expect([...objects.keys()].filter((key) => key.endsWith(".parquet"))).toHaveLength(2)
    expect(loads.get("IBM/2013-10-07")!.bars.length).toBe(1)
  }).pipe(Effect.provide(layer))
})

const failures = (run: Run.Run) => run.summary.failures.map(({ error }) => error)

it.effect("a session's file that is gone, or not what was published, is not handed on to a larger one, and its fix mends it", () => {
  const { layer, objects } = world(new Map([["IBM/2013-10", payload([monday, friday])]]))
  const graph = withLayout("symbol/month")
  const key = "bars/symbol=IBM/date=2013-10-07/bars.parquet"
  const fix = "materialize --asset bars_parquet --partition symbol=IBM,session=2013-10-07 --force"
  const compact = Testing.materialize(graph, { ...IBM, asset: "bars_by_month", force: true })
  const mend = Testing.materialize(graph, {
    ...IBM,
    asset: "bars_parquet",
    partition: "symbol=IBM,session=2013-10-07",
    force: true
  })
  return Effect.gen(function*() {
    yield* compact
    const whole = objects.get("bars_by_month/symbol=IBM/month=2013-10/bars.parquet")!

    objects.delete(key)
    expect(failures(yield* compact)).toEqual([`${key} is not there; fix: ${fix}`])
    yield* mend

    const foreign = parquetWriteBuffer({ columnData: [{ name: "ts", data: [1n], type: "INT64" }] })
    const another = objects.get("bars/symbol=IBM/date=2013-10-04/bars.parquet")!
    for (const wrong of [new Uint8Array(foreign), another.slice(), new Uint8Array(0)]) {
      objects.set(key, wrong)
      expect(failures(yield* compact)).toEqual([`${key} is not what was published; fix: remove it, then ${fix}`])
      yield* mend
    }

    const flipped = objects.get(key)!.slice()
    flipped.fill(0, 20, 60)
    objects.set(key, flipped)
    expect(failures(yield* compact)).toEqual([`${key} is not what was published; fix: remove it, then ${fix}`])
    objects.delete(key)
    yield* mend

    expect((yield* compact).summary.status).toBe("succeeded")
    expect(objects.get("bars_by_month/symbol=IBM/month=2013-10/bars.parquet")).toEqual(whole)
  }).pipe(Effect.provide(layer))
})

it.effect("a payload that is gone or damaged is said with what fetches it again, and that mends it", () => {
  const { layer, objects, source } = world(new Map([["IBM/2013-10", payload([monday, friday])]]))
  const stage = Testing.materialize(definitions, { ...IBM, asset: "staged_bars", force: true })
  const fetch = Testing.materialize(definitions, { ...IBM, asset: "raw_bars", force: true })
  return Effect.gen(function*() {
    yield* stage
    const [key] = [...objects.keys()].filter((key) => key.startsWith("raw/"))
    const whole = objects.get(key!)!
    const fix = "materialize --asset raw_bars --partition symbol=IBM,month=2013-10 --force"

    objects.delete(key!)
    expect(failures(yield* stage)).toEqual([
      `${key} is not in memory:; fix: copy it from the lake that it was put into, or fetch it again: ${fix}`
    ])
    for (const damaged of [whole.subarray(0, 100), new Uint8Array(0), Uint8Array.from(whole).fill(7, 30, 60)]) {
      objects.set(key!, damaged)
      expect(failures(yield* stage)).toEqual([`${key} in memory: is damaged; fix: fetch it again: ${fix}`])
      yield* fetch
      expect(objects.get(key!)).toEqual(whole)
    }
    expect((yield* stage).summary.status).toBe("succeeded")
    expect(source.calls).toHaveLength(4)
  }).pipe(Effect.provide(layer))
})

const dayRange = Asset.make(
  "day_range",
  { partitions: { symbol, session }, deps: { staged: stagedBars }, output: Schema.Struct({ range: Schema.Finite }) },
  Effect.fn(function*({ partition }) {
    const [bars] = yield* (yield* BarStore).read([partition])
    return { range: Math.max(...bars!.high) - Math.min(...bars!.low) }
  })
)

it.effect("an asset of one's own, as the README shows it", () => {
  const { layer } = world(new Map([["IBM/2013-10", payload([monday, friday])]]))
  return Effect.gen(function*() {
    const run = yield* Testing.materialize(AssetGraph.make(dayRange), { ...IBM, asset: "day_range" })
    expect(run.output(dayRange, { symbol: "IBM", session: "2013-10-04" }).range).toBe(3)
    expect(run.summary.assets.day_range).toMatchObject({ materialized: 2, sums: { range: 6 } })
  }).pipe(Effect.provide(layer))
})
