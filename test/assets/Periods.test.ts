import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs"
import { definitions } from "../../src/assets/definitions.ts"
import { nyse } from "../../src/assets/nyse.ts"
import * as PeriodBars from "../../src/assets/periodBars.ts"
import * as PeriodCalendar from "../../src/assets/PeriodCalendar.ts"
import { onCalendar, TradingCalendar } from "../../src/assets/TradingCalendar.ts"
import type { Period } from "../../src/layers/bars/BarInterval.ts"
import * as Rule from "../../src/layers/bars/Rule.ts"
import * as DerivedMemory from "../../src/layers/derived/Memory.ts"
import * as LakeMemory from "../../src/layers/lake/Memory.ts"
import * as SeriesJson from "../../src/layers/market-data/alpha-vantage/SeriesJson.ts"
import * as AlphaVantage from "../../src/layers/market-data/AlphaVantage.ts"
import * as CorporateActions from "../../src/layers/market-data/CorporateActions.ts"
import { MarketData } from "../../src/layers/market-data/MarketData.ts"
import * as QuotaMemory from "../../src/layers/market-data/quota/Memory.ts"
import * as StagingMemory from "../../src/layers/staging/Memory.ts"
import * as WarehouseMemory from "../../src/layers/warehouse/Memory.ts"
import * as Testing from "../../src/runtime/testing/Testing.ts"
import * as HttpServer from "../support/HttpServer.ts"

const recorded = new URL("../fixtures/alpha-vantage/recorded/MSFT-daily-compact-2018.json", import.meta.url)

type Row = readonly [date: string, open: number, high: number, low: number, close: number, volume: number]

/** A hundred sessions of 2018 as the vendor sent them, oldest first: Good Friday and a Fourth of July lie in them. */
const days: ReadonlyArray<Row> = Object.entries(
  JSON.parse(Fs.readFileSync(recorded, "utf8").replace("\uFEFF", ""))["Time Series (Daily)"] as {
    [date: string]: { [name: string]: string }
  }
).map(([date, fields]): Row => {
  const [open, high, low, close, volume] = Object.values(fields).map(Number)
  return [date, open!, high!, low!, close!, volume!]
}).toReversed()

const MONDAY = Date.parse("1970-01-05T00:00:00Z")
const keyOf = {
  week: (date: string) => String(Math.floor((Date.parse(`${date}T00:00:00Z`) - MONDAY) / (7 * 86_400_000))),
  month: (date: string) => date.slice(0, 7)
}

/** The bars of periods by plain grouping, labelled as the vendor labels them: with the last day that has traded. */
const aggregated = (rows: ReadonlyArray<Row>, period: Period): ReadonlyArray<Row> => {
  const groups = Map.groupBy(rows, ([date]) => keyOf[period](date))
  return [...groups.values()].map((group): Row => [
    group.at(-1)![0],
    group[0]![1],
    Math.max(...group.map((row) => row[2])),
    Math.min(...group.map((row) => row[3])),
    group.at(-1)![4],
    group.reduce((sum, row) => sum + row[5], 0)
  ])
}

/** What the vendor answers to TIME_SERIES_WEEKLY and TIME_SERIES_MONTHLY. */
const answer = (rows: ReadonlyArray<Row>, period: Period): string => {
  const name = period === "week" ? "Weekly Time Series" : "Monthly Time Series"
  const series = rows.toReversed().map(([date, open, high, low, close, volume]) => [date, {
    "1. open": open.toFixed(4),
    "2. high": high.toFixed(4),
    "3. low": low.toFixed(4),
    "4. close": close.toFixed(4),
    "5. volume": String(volume)
  }])
  const meta = { "1. Information": "Prices", "2. Symbol": "MSFT", "4. Time Zone": "US/Eastern" }
  return JSON.stringify({ "Meta Data": meta, [name]: Object.fromEntries(series) }, null, 4)
}

const csv = (rows: ReadonlyArray<Row>): string =>
  ["timestamp,open,high,low,close,volume", ...rows.toReversed().map((row) => row.join(",")), ""].join("\r\n")

const world = (period: Period, source: Layer.Layer<MarketData>) => {
  const calendar = PeriodCalendar.of(nyse, period)
  const derived = DerivedMemory.makeTables()
  const tables = StagingMemory.makeTables()
  const loads: WarehouseMemory.Loads = new Map()
  const layer = Layer.mergeAll(
    source,
    StagingMemory.layerMemory(tables),
    LakeMemory.layerMemory(),
    WarehouseMemory.layerMemory(loads),
    DerivedMemory.layerMemory(derived),
    CorporateActions.layerNone,
    Layer.succeed(TradingCalendar, calendar),
    Testing.layer
  )
  return { derived, tables, loads, layer, graph: onCalendar(definitions, calendar) }
}

const members = { symbols: [{ value: "MSFT", from: "2018-04-02", to: "2018-08-10" }] }

describe("weekly and monthly bars", () => {
  for (const period of ["week", "month"] as const) {
    for (const dataType of ["json", "csv"] as const) {
      it.live(`of a ${period}, in ${dataType}, are the recorded days brought together, one call a symbol`, () =>
        Effect.gen(function*() {
          const known = aggregated(days, period)
          const { baseUrl, calls } = yield* HttpServer.serve(() => ({
            body: dataType === "json" ? answer(known, period) : csv(known)
          }))
          const interval = period === "week" ? "1week" : "1month"
          const source = AlphaVantage.layer({
            apiKey: Redacted.make("SECRETKEY1234567"),
            baseUrl,
            limits: {},
            interval,
            dataType
          })
          const { derived, graph, layer, loads } = world(period, Layer.provide(source, QuotaMemory.layerMemory))
          const run = yield* Testing.materialize(graph, {
            members,
            asset: ["redshift_bars", "bars_parquet", "session_bars", "coverage"]
          }).pipe(Effect.provide(layer))
          assert.strictEqual(run.summary.status, "succeeded")
          assert.deepStrictEqual(run.summary.failedChecks, [])
          assert.strictEqual(calls.length, 1)
          const name = `TIME_SERIES_${period === "week" ? "WEEKLY" : "MONTHLY"}`
          assert.strictEqual(calls[0]!.searchParams.get("function"), name)
          const asked = known.filter(([date]) => date >= "2018-04-02" && date <= "2018-08-10")
          assert.strictEqual(asked.length, period === "week" ? 19 : 4)
          assert.deepStrictEqual(
            [...loads.entries()].map(([key, { bars }]) => [
              key,
              ...[bars.open, bars.high, bars.low, bars.close, bars.volume].flatMap((column) => [...column])
            ]).sort(),
            asked.map(([date, ...values]) => [`MSFT/${date}`, ...values])
          )
          const first = loads.get(`MSFT/${asked[0]![0]}`)!
          // New York's midnight in summer.
          assert.strictEqual(first.bars.ts[0], Date.parse(`${asked[0]![0]}T04:00:00Z`))
          const { expected, missing } = run.summary.assets.coverage!.sums
          assert.deepStrictEqual([expected, missing], [asked.length, 0])
          assert.deepStrictEqual(
            [...derived.sessionBars.values()].map(({ summary }) => summary!.close).sort(),
            asked.map((row) => row[4]).sort()
          )
        }))
    }
  }

  const weeks = PeriodCalendar.of(nyse, "week")
  const placed = (labels: ReadonlyArray<string>, fetchedAt: string, rules = Rule.all) => {
    const rows = labels.map((label): Row => [label, 10, 11, 9, 10, 5])
    const decoded = SeriesJson.decode(new TextEncoder().encode(answer(rows, "week")), "1week")
    const facts = { calendar: weeks, period: "week", fetchedAt: Date.parse(fetchedAt), rules } as const
    const { rejects, sessions } = PeriodBars.place(decoded, facts)
    return [sessions.map(({ session }) => session), rejects.map(({ reason, session }) => `${session} ${reason}`)]
  }
  const open = (session: string, label: string) =>
    `${session} the bar was still open when it was fetched: it goes to ${label}, the week to ${session}`

  it("hold the running week back until it is over, and a late vendor's for a week more", () => {
    const running = ["2024-03-15", "2024-03-20"]
    assert.deepStrictEqual(placed(running, "2024-03-21T12:00:00Z"), [["2024-03-15"], [
      open("2024-03-22", "2024-03-20")
    ]])
    // The week is over, the vendor's bar is not.
    assert.deepStrictEqual(placed(running, "2024-03-23T00:00:00Z"), [["2024-03-15"], [
      open("2024-03-22", "2024-03-20")
    ]])
    // It will have no more: delisted on that Wednesday.
    assert.deepStrictEqual(placed(running, "2024-03-29T20:00:00Z"), [["2024-03-15", "2024-03-22"], []])
    assert.deepStrictEqual(placed(running, "2024-03-21T12:00:00Z", Rule.without(["open_bar"])), [
      ["2024-03-15", "2024-03-22"],
      []
    ])
  })

  it("take a label of a halted stock, and of a holiday, for the week's", () => {
    assert.deepStrictEqual(placed(["2024-03-20", "2024-03-28"], "2024-03-28T21:00:00Z"), [
      ["2024-03-22", "2024-03-28"],
      []
    ])
    assert.deepStrictEqual(placed(["2024-03-29"], "2024-03-31T00:00:00Z"), [["2024-03-28"], []])
    assert.deepStrictEqual(placed(["2024-03-27", "2024-03-28"], "2024-03-31T00:00:00Z"), [
      ["2024-03-28"],
      ["2024-03-28 the week has a later bar, of 2024-03-28"]
    ])
  })

  it.effect("are asked for again when their week is over, and refused as long as it was not", () => {
    let known = ["2024-11-22", "2024-11-27"]
    let calls = 0
    const source = Layer.succeed(MarketData, {
      source: "test",
      interval: "1week",
      fingerprint: "test",
      fetchMonth: () =>
        Effect.clockWith((clock) =>
          Effect.sync(() => {
            calls++
            const rows = known.map((label): Row => [label, 10, 11, 9, 10, 5])
            const bytes = new TextEncoder().encode(answer(rows, "week"))
            return { bytes, format: "test", fetchedAt: clock.currentTimeMillisUnsafe() }
          })
        ),
      decode: (_: string, bytes: Uint8Array) => SeriesJson.decode(bytes, "1week")
    })
    const { graph, layer, tables } = world("week", source)
    const request = { members: { symbols: [{ value: "MSFT", from: "2024-11-18" }] }, asset: "staged_bars" }
    return Effect.gen(function*() {
      // Thanksgiving: the week ends on Friday at 13:00.
      const early = yield* Testing.materialize(graph, { ...request, now: "2024-11-29T17:59:00Z" })
      assert.deepStrictEqual(early.summary.assets["staged_bars"]!.materialized, 1)
      known = ["2024-11-22", "2024-11-27"]
      const late = yield* Testing.materialize(graph, { ...request, now: "2024-11-29T18:00:00Z" })
      assert.strictEqual(calls, 2)
      assert.include(late.summary.assets["staged_bars"]!.sums, { rows: 0, rejected: 1 })
      assert.include(tables.quarantined[0]!.reason, "it goes to 2024-11-27, the week to 2024-11-29")
      known = ["2024-11-22", "2024-11-29"]
      yield* Testing.materialize(graph, { ...request, asset: "raw_bars", force: true })
      const whole = yield* Testing.materialize(graph, request)
      assert.include(whole.summary.assets["staged_bars"]!.sums, { rows: 2, rejected: 0 })
      assert.strictEqual(tables.quarantined.length, 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("are not adjusted here, which is said with what to do", () =>
    Effect.gen(function*() {
      const { baseUrl } = yield* HttpServer.serve(() => ({ body: answer(aggregated(days, "week"), "week") }))
      const source = AlphaVantage.layer({
        apiKey: Redacted.make("SECRETKEY1234567"),
        baseUrl,
        limits: {},
        interval: "1week"
      })
      const { graph, layer } = world("week", Layer.provide(source, QuotaMemory.layerMemory))
      const run = yield* Testing.materialize(graph, { members, asset: "adjusted_bars", now: "2018-09-01" }).pipe(
        Effect.provide(layer)
      )
      assert.strictEqual(run.summary.status, "failed")
      const said = run.summary.failures.map(({ error }) => error).join("\n")
      assert.include(said, "1week bars cannot be adjusted here")
      assert.include(said, "BAROGRAPH_ADJUSTED=true")
    }))
})
