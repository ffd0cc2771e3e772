import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { definitions } from "../../src/assets/definitions.ts"
import { sharedCalls } from "../../src/assets/sharedCalls.ts"
import * as DerivedMemory from "../../src/layers/derived/Memory.ts"
import * as LakeMemory from "../../src/layers/lake/Memory.ts"
import * as CorporateActions from "../../src/layers/market-data/CorporateActions.ts"
import { InvalidRequest, MarketData, MarketDataError } from "../../src/layers/market-data/MarketData.ts"
import * as SourceMemory from "../../src/layers/market-data/Memory.ts"
import * as StagingMemory from "../../src/layers/staging/Memory.ts"
import * as WarehouseMemory from "../../src/layers/warehouse/Memory.ts"
import type * as AssetGraph from "../../src/runtime/asset/AssetGraph.ts"
import * as Plan from "../../src/runtime/plan/Plan.ts"
import * as Testing from "../../src/runtime/testing/Testing.ts"
import * as AlphaVantageText from "../support/AlphaVantageText.ts"

const monthOf = (symbol: string) =>
  new TextEncoder().encode(
    `${AlphaVantageText.head(symbol, "2013-10-04 10:00:00")}${
      AlphaVantageText.row("2013-10-04 10:00:00", 100_000, 110_000, 90_000, 105_000, 7)
    }}}`
  )

/** Everything that the graph needs beside its source. */
const others = () =>
  Layer.mergeAll(
    StagingMemory.layerMemory(StagingMemory.makeTables()),
    LakeMemory.layerMemory(new Map()),
    WarehouseMemory.layerMemory(new Map()),
    DerivedMemory.layerMemory(),
    CorporateActions.layerNone,
    Testing.layer
  )

/** A source of which one call takes several symbols, and of which "1BM" is none. */
const world = () => {
  const asked: Array<string> = []
  const single = SourceMemory.make(new Map([["IBM/2013-10", monthOf("IBM")], ["MSFT/2013-10", monthOf("MSFT")]]))
  const source = Layer.effect(
    MarketData,
    Effect.map(MarketData, (one) =>
      MarketData.of({
        ...one,
        fetchMonths: (symbols, month) => {
          asked.push(`${symbols.join(",")} ${month}`)
          return Effect.succeed(
            new Map(symbols.map((symbol) =>
              [
                symbol,
                symbol === "1BM"
                  ? Result.fail(
                    new MarketDataError({
                      source: one.source,
                      symbol,
                      month,
                      reason: new InvalidRequest({ text: "invalid symbol: 1BM" })
                    })
                  )
                  : Result.succeed({ bytes: monthOf(symbol), format: "alpha-vantage/intraday-json", fetchedAt: 0 })
              ] as const
            ))
          )
        }
      }))
  ).pipe(Layer.provide(single.layer))
  return { asked, single, layer: Layer.merge(source, others()) }
}

const request = (...symbols: ReadonlyArray<string>) => ({
  now: "2013-10-05T00:00:00Z",
  members: { symbols: symbols.map((value) => ({ value, from: "2013-10-04", to: "2013-10-04" })) },
  asset: ["staged_bars"]
})

it.effect("one call serves the symbols of a month, and one that is refused fails alone", () => {
  const { asked, layer, single } = world()
  return Effect.gen(function*() {
    const { summary } = yield* Testing.materialize(
      sharedCalls(definitions, { by: "month", max: 3 }),
      request("1BM", "IBM", "MSFT")
    )
    expect(asked).toEqual(["1BM,IBM,MSFT 2013-10"])
    expect(single.calls).toEqual([])
    expect(summary.status).toBe("failed")
    expect(summary.failures.map(({ asset, blocked, partitions }) => [asset, blocked, partitions])).toEqual([
      ["raw_bars", false, ["symbol=1BM,month=2013-10"]],
      ["staged_bars", true, ["symbol=1BM,session=2013-10-04"]]
    ])
    expect(summary.assets).toMatchObject({
      raw_bars: { materialized: 2, failed: 1 },
      staged_bars: { materialized: 2 }
    })
  }).pipe(Effect.provide(layer))
})

it.effect("a graph that is left as it is asks for a symbol at a time", () => {
  const { asked, layer, single } = world()
  return Effect.gen(function*() {
    const { summary } = yield* Testing.materialize(
      sharedCalls(definitions, { by: "symbol", max: 1 }),
      request("IBM", "MSFT")
    )
    expect([summary.status, asked]).toEqual(["succeeded", []])
    expect([...single.calls].sort()).toEqual(["IBM/2013-10", "MSFT/2013-10"])
  }).pipe(Effect.provide(layer))
})

it.effect("the months of a symbol are one call in a plan, and each month has its own fate", () => {
  const source = SourceMemory.make(new Map([["IBM/2013-10", monthOf("IBM")]]))
  const graph = sharedCalls(definitions, { by: "symbol", max: 400 })
  const asked = {
    now: "2013-10-05T00:00:00Z",
    members: { symbols: [{ value: "IBM", from: "2013-08-01", to: "2013-10-04" }] },
    asset: ["raw_bars"]
  }
  return Effect.gen(function*() {
    expect(Plan.callsPerPool(yield* Testing.plan(graph, asked))).toEqual({ market_data: 1 })
    const { summary } = yield* Testing.materialize(graph, asked)
    expect(source.calls).toEqual(["IBM/2013-08", "IBM/2013-09", "IBM/2013-10"])
    expect(summary.assets["raw_bars"]).toMatchObject({ materialized: 1, failed: 2 })
  }).pipe(Effect.provide(Layer.merge(source.layer, others())))
})

it("a graph whose calls are shared keeps its checks, and they ask about its own assets", () => {
  const graph = sharedCalls(definitions, { by: "symbol", max: 1 })
  const names = (one: AssetGraph.Any) =>
    [...one.checks.values()].flat().map(({ asset, name }) => `${asset.name}/${name}`)
  expect(names(graph)).toEqual(names(definitions))
  expect(names(graph)).toContain("staged_bars/no_warnings")
  for (const { asset } of [...graph.checks.values()].flat()) expect(asset).toBe(graph.assets.get(asset.name))
  for (const { dependencies } of graph.assets.values()) {
    for (const { asset } of Object.values(dependencies)) expect(asset).toBe(graph.assets.get(asset.name))
  }
})
