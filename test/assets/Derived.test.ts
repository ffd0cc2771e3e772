import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { definitions } from "../../src/assets/definitions.ts"
import type { Actions } from "../../src/layers/bars/Adjustment.ts"
import * as DerivedMemory from "../../src/layers/derived/Memory.ts"
import * as LakeMemory from "../../src/layers/lake/Memory.ts"
import * as ParquetReader from "../../src/layers/lake/ParquetReader.ts"
import * as CorporateActions from "../../src/layers/market-data/CorporateActions.ts"
import { MarketData } from "../../src/layers/market-data/MarketData.ts"
import * as Replay from "../../src/layers/market-data/Replay.ts"
import * as StagingMemory from "../../src/layers/staging/Memory.ts"
import * as WarehouseMemory from "../../src/layers/warehouse/Memory.ts"
import { DynamicPartitions } from "../../src/runtime/store/DynamicPartitions.ts"
import { SAMPLE } from "../support/Cli.ts"
import * as TestBars from "../support/TestBars.ts"
import * as TestGraph from "../support/TestGraph.ts"

/** The sample's Apple, in memory, around its split of 2014-06-09. */
const world = (actions: Actions) => {
  const derived = DerivedMemory.makeTables()
  const objects = new Map<string, Uint8Array>()
  const layer = Layer.mergeAll(
    Replay.layer({ file: SAMPLE }),
    CorporateActions.layerOf("test", new Map([["AAPL", actions]])),
    DerivedMemory.layerMemory(derived),
    StagingMemory.layerMemory(StagingMemory.makeTables()),
    LakeMemory.layerMemory(objects),
    WarehouseMemory.layerMemory(new Map()),
    TestGraph.layerMemory
  )
  return { derived, objects, layer }
}

const listed = Effect.gen(function*() {
  yield* TestClock.setTime(Date.parse("2014-07-01T00:00:00Z"))
  yield* (yield* DynamicPartitions).replace("symbols", [{ value: "AAPL", from: "2014-06-05", to: "2014-06-09" }])
})

const split = { splits: [{ date: "2014-06-09", factor: 7 }], dividends: [] }

it.effect("adjusted bars go on over a split, and the raw ones stay as traded", () => {
  const { derived, layer, objects } = world(split)
  return Effect.gen(function*() {
    yield* listed
    const { summary } = yield* TestGraph.materialize(definitions, { assets: ["adjusted_bars", "bars_parquet"] })
    expect(summary.status).toBe("succeeded")
    const read = (folder: string, date: string) =>
      ParquetReader.decode(objects.get(`${folder}/symbol=AAPL/date=${date}/bars.parquet`)!)
    const before = yield* read("adjusted_bars", "2014-06-06")
    const after = yield* read("adjusted_bars", "2014-06-09")
    const raw = yield* read("bars", "2014-06-06")
    const days = ["AAPL/2014-06-06", "AAPL/2014-06-09"].map((key) => derived.sessionBars.get(key)!.summary!)
    expect(days[0]!.close / days[1]!.open).toBeGreaterThan(6.9)
    const close = raw.close.indexOf(days[0]!.close)
    expect(before.close[close]!).toBe(645.57 / 7)
    // What is left is the move over a weekend.
    expect(Math.abs(before.close[close]! / days[1]!.open - 1)).toBeLessThan(0.01)
    expect(before.volume[0]).toBe(raw.volume[0]! * 7)
    expect(after).toEqual(yield* read("bars", "2014-06-09"))
    expect([...derived.sessionBars.keys()].sort()).toEqual(["AAPL/2014-06-05", "AAPL/2014-06-06", "AAPL/2014-06-09"])
    expect(days[0]).toMatchObject({ close: 645.57, bars: 390 })
  }).pipe(Effect.provide(layer))
})

it.effect("a dividend that becomes known rewrites the sessions before it alone", () => {
  const known: { splits: Actions["splits"]; dividends: Array<{ date: string; amount: number }> } = {
    ...split,
    dividends: []
  }
  const { layer } = world(known)
  return Effect.gen(function*() {
    yield* listed
    yield* TestGraph.materialize(definitions, { assets: ["adjusted_bars"] })
    known.dividends.push({ date: "2014-06-06", amount: 3.29 })
    yield* TestGraph.materialize(definitions, { assets: ["corporate_actions"], force: true })
    const { summary } = yield* TestGraph.materialize(definitions, { assets: ["adjusted_bars"] })
    expect(summary.assets).toMatchObject({
      price_factors: { materialized: 1, changed: 1 },
      adjusted_bars: { materialized: 3, changed: 1 }
    })
    expect(summary.assets.staged_bars).toBeUndefined()
  }).pipe(Effect.provide(layer))
})

it.effect("coverage counts a month's missing bars against the calendar", () => {
  const { derived, layer } = world(split)
  return Effect.gen(function*() {
    yield* listed
    const { summary } = yield* TestGraph.materialize(definitions, { assets: ["coverage"] })
    expect(summary.assets.coverage!.sums).toEqual({ sessions: 3, empty: 0, expected: 1170, present: 1170, missing: 0 })
    expect(derived.coverage.get("AAPL/2014-06-09")).toMatchObject({ expected: 390, gaps: 0, longestFrom: null })
  }).pipe(Effect.provide(layer))
})

/** Two daily bars of a vendor that has no others, and none on the third session. */
const dailySource = Layer.succeed(MarketData, {
  source: "test",
  interval: "1day",
  fingerprint: "test",
  fetchMonth: () => Effect.succeed({ bytes: new Uint8Array(), format: "test", fetchedAt: Date.parse("2014-06-10") }),
  decode: () => ({
    complete: true,
    rejects: [],
    sessions: ["2014-06-05", "2014-06-06"].map((session) => ({ session, bars: daily(session) }))
  })
})

const daily = (session: string) => {
  const bars = TestBars.make(session, 1)
  bars.ts[0] = Date.parse(`${session}T04:00:00Z`)
  return bars
}

it.effect("a daily bar is its session's, and all that is expected of it", () => {
  const { derived, layer } = world(split)
  return Effect.gen(function*() {
    yield* listed
    const { summary } = yield* TestGraph.materialize(definitions, { assets: ["session_bars", "coverage"] })
    expect(summary.assets.coverage!.sums).toEqual({ sessions: 3, empty: 1, expected: 3, present: 2, missing: 1 })
    expect([...derived.sessionBars.values()].map(({ summary }) => summary!.bars)).toEqual([1, 1])
  }).pipe(Effect.provide(Layer.merge(layer, dailySource)))
})
