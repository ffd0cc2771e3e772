import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Fs from "node:fs"
import { definitions } from "../../src/assets/definitions.ts"
import * as KnownSplits from "../../src/knownSplits.ts"
import type { Actions } from "../../src/layers/bars/Adjustment.ts"
import * as Bars from "../../src/layers/bars/Bars.ts"
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

/** LEAN's hourly bars of Apple, regular hours: its minutes before them have one bar with both prices of the split in it. */
const hourlySource = Layer.succeed(MarketData, {
  source: "test",
  interval: "60min",
  fingerprint: "test",
  fetchMonth: () => Effect.succeed({ bytes: new Uint8Array(), format: "test", fetchedAt: Date.parse("2014-07-01") }),
  decode: () => {
    const rows = Fs.readFileSync(new URL("../fixtures/lean/hours.csv", import.meta.url), "utf8").split("\n")
      .filter((line) => line.startsWith("AAPL,2014")).map((line) => line.split(/[, ]/))
    const days = Map.groupBy(rows, ([, date]) => date!)
    const session = ([date, hours]: [string, ReadonlyArray<ReadonlyArray<string>>]) => {
      const bars = Bars.allocate(hours.length)
      for (const [at, [, , hour, ...cells]] of hours.entries()) {
        bars.ts[at] = Date.parse(`${date.replace(/(....)(..)(..)/, "$1-$2-$3")}T${hour}:00-04:00`)
        for (const [column, name] of (["open", "high", "low", "close", "volume"] as const).entries()) {
          bars[name][at] = Number(cells[column]) / (name === "volume" ? 1 : 10_000)
        }
      }
      return { session: date.replace(/(....)(..)(..)/, "$1-$2-$3"), bars }
    }
    return { complete: true, rejects: [], sessions: [...days].map(session) }
  }
})

it.effect("a split that becomes known takes the warning away at the next check, and no row is touched", () => {
  const known: { splits: Array<{ date: string; factor: number }>; dividends: Actions["dividends"] } = {
    splits: [],
    dividends: []
  }
  const { layer } = world(known)
  return Effect.gen(function*() {
    yield* listed
    const asked = { assets: ["staged_bars"] }
    const warned = ({ summary }: Effect.Success<ReturnType<typeof TestGraph.materialize>>) =>
      summary.failedChecks.filter(({ check }) => check === "no_warnings").map(({ description, partitions }) => [
        description,
        ...partitions
      ])
    const first = yield* TestGraph.materialize(definitions, asked)
    expect(warned(first)).toEqual([["split 1", "symbol=AAPL,session=2014-06-09"]])
    // The vendor was not asked for splits: a call of the day's quota is nothing that staging spends.
    expect(first.summary.assets.corporate_actions).toBeUndefined()
    yield* TestGraph.materialize(definitions, { assets: ["corporate_actions"] })
    const without = yield* TestGraph.materialize(definitions, { ...asked, force: true })
    expect(warned(without)).toHaveLength(1)
    known.splits.push({ date: "2014-06-09", factor: 7 })
    yield* TestGraph.materialize(definitions, { assets: ["corporate_actions"], force: true })
    const { summary } = yield* TestGraph.materialize(definitions, asked)
    expect(summary.assets.staged_bars).toBeUndefined()
    const again = yield* TestGraph.materialize(definitions, { ...asked, force: true })
    expect(warned(again)).toEqual([])
    expect(again.summary.assets.staged_bars).toMatchObject({ materialized: 3, changed: 0, sums: { restated: 0 } })
    // A step that the split does not explain is still one.
    known.splits[0] = { date: "2014-06-09", factor: 2 }
    yield* TestGraph.materialize(definitions, { assets: ["corporate_actions"], force: true })
    expect(warned(yield* TestGraph.materialize(definitions, { ...asked, force: true }))[0]![0]).toBe("jump 1")
    known.splits[0] = { date: "2014-06-06", factor: 7 }
    yield* TestGraph.materialize(definitions, { assets: ["corporate_actions"], force: true })
    expect(warned(yield* TestGraph.materialize(definitions, { ...asked, force: true }))[0]![0]).toBe("split 1")
  }).pipe(Effect.provide(Layer.provideMerge(KnownSplits.layer, Layer.merge(layer, hourlySource))))
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
    // The series stops before the third session, and not before its own last one.
    const warned = summary.failedChecks.filter(({ check }) => check === "no_warnings")
    expect(warned.map(({ description, partitions }) => [description, ...partitions])).toEqual([
      ["gap 1, stale 1", "symbol=AAPL,session=2014-06-09"]
    ])
  }).pipe(Effect.provide(Layer.merge(layer, dailySource)))
})
