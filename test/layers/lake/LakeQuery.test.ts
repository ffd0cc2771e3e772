import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { type Bars } from "../../../src/layers/bars/Bars.ts"
import * as LakeQuery from "../../../src/layers/lake/LakeQuery.ts"
import * as LakeSql from "../../../src/layers/lake/LakeSql.ts"
import * as Layout from "../../../src/layers/lake/Layout.ts"
import { layerMemory } from "../../../src/layers/lake/Memory.ts"
import { ObjectStore } from "../../../src/layers/lake/ObjectStore.ts"
import * as Parquet from "../../../src/layers/lake/Parquet.ts"
import { ParquetFormat, parse } from "../../../src/layers/lake/ParquetFormat.ts"
import * as TestBars from "../../support/TestBars.ts"

const symbols = ["AAPL", "BRK/B", "IBM"]
const days = ["2024-02-29", "2024-03-01", "2024-03-04"]

/** Prices of two decimals. */
const bars = (symbol: string, day: string): Bars => {
  const made = TestBars.make(day, 390, 100 * (1 + symbols.indexOf(symbol)) + days.indexOf(day))
  for (const column of [made.open, made.high, made.low, made.close]) {
    column.forEach((price, at) => column[at] = Math.round(price * 100) / 100)
  }
  return made
}

const filled = Effect.gen(function*() {
  const store = yield* ObjectStore
  for (const symbol of symbols) {
    for (const day of days) {
      yield* store.put(Layout.sessionKey(symbol, day), yield* Parquet.encode([{ bars: bars(symbol, day) }], {}))
    }
    for (const month of ["2024-02", "2024-03"]) {
      const parts = days.filter((day) => day.startsWith(month)).map((date) => ({ date, bars: bars(symbol, date) }))
      yield* store.put(Layout.monthKey(symbol, month), yield* Parquet.encode(parts, {}))
    }
  }
  for (const day of days) {
    const parts = symbols.map((symbol) => ({ symbol, bars: bars(symbol, day) }))
    yield* store.put(Layout.dateKey(day), yield* Parquet.encode(parts, {}))
  }
})

/** How often the lake is read, by key, and which folders of it are listed. */
const counting = (reads: Array<string>, lists: Array<string> = []) =>
  Layer.effect(
    ObjectStore,
    Effect.map(ObjectStore, (store) =>
      ObjectStore.of({
        ...store,
        list: (prefix) => (lists.push(prefix), store.list(prefix)),
        read: (key, range, expected) => (reads.push(key), store.read(key, range, expected))
      }))
  )

/** Answers from the lake in every layout and format: they must be the same. */
const ask = Effect.fnUntraced(function*(sql: string) {
  const answers = []
  for (const format of ["codec=zstd", "codec=snappy,prices=decimal(18,6),pages=v1"]) {
    const layer = Layer.effectDiscard(filled).pipe(
      Layer.provideMerge(layerMemory()),
      Layer.provide(Layer.succeed(ParquetFormat, Result.getOrThrow(parse(format))))
    )
    for (const layout of Layout.LAYOUTS) answers.push(yield* Effect.provide(LakeQuery.ask(sql, layout), layer))
  }
  for (const answer of answers) expect(answer).toEqual(answers[0])
  return answers[0]!
})

const all = symbols.flatMap((symbol) =>
  days.flatMap((date) => {
    const held = bars(symbol, date)
    return [...held.ts].map((ts, at) => ({
      symbol,
      date,
      ts,
      open: held.open[at]!,
      close: held.close[at]!,
      volume: held.volume[at]!
    }))
  })
)

it.effect("rows are counted and summed by group, as a plain loop counts and sums them", () =>
  Effect.gen(function*() {
    const found = yield* ask(
      "select symbol, count(*), sum(volume) as volume, min(ts) as first, max(close) as top, avg(open) as mean " +
        "from bars where date >= '2024-03-01' and volume > 2000.5 group by symbol order by volume desc, 1"
    )
    const expected = symbols.map((symbol) => {
      const rows = all.filter((row) => row.symbol === symbol && row.date >= "2024-03-01" && row.volume > 2000.5)
      const sum = (of: (row: (typeof all)[number]) => number) => rows.reduce((total, row) => total + of(row), 0)
      return {
        symbol,
        count: rows.length,
        volume: sum((row) => row.volume),
        first: new Date(Math.min(...rows.map((row) => row.ts))),
        top: Math.max(...rows.map((row) => row.close)),
        mean: sum((row) => row.open) / rows.length
      }
    })
    expect(found).toEqual(expected)
  }))

it.effect("rows come with their columns, in the order asked, up to the limit", () =>
  Effect.gen(function*() {
    const found = yield* ask(
      "SELECT close, ts, date FROM bars WHERE symbol = 'BRK/B' AND ts BETWEEN '2024-03-01 14:31' AND " +
        "timestamp '2024-03-01T14:33:00Z' ORDER BY ts DESC LIMIT 2;"
    )
    const rows = all.filter(({ date, symbol }) => symbol === "BRK/B" && date === "2024-03-01").slice(2, 4).reverse()
    expect(found).toEqual(rows.map(({ close, date, ts }) => ({ close, ts: new Date(ts), date })))
    expect(yield* ask("select symbol from bars where symbol in ('IBM', 'none') and date <> '2024-03-01' limit 0"))
      .toEqual([])
    expect(yield* ask("select count(*) as n from bars where symbol in ('IBM', 'none') and date <> '2024-03-01'"))
      .toEqual([{ n: 780 }])
    expect(yield* ask("select count(*), sum(volume) from bars where close < 0")).toEqual([{ count: 0, sum: null }])
    expect(yield* ask("select symbol, count(*) from bars where close < 0 group by 1")).toEqual([])
    expect(yield* ask("select min(open), min(open) as min_2, min(volume) from bars")).toEqual([
      { min: 100, min_2: 100, min_3: 1000 }
    ])
  }))

it.effect("a price is found by its exact value, decimals included", () =>
  Effect.gen(function*() {
    const { close } = all[700]!
    const expected = all.filter((row) => row.close === close).length
    expect(expected).toBeGreaterThan(0)
    expect(yield* ask(`select count(*) as n from bars where close = ${close}`)).toEqual([{ n: expected }])
    const top = Math.max(...all.map((row) => row.close))
    expect(yield* ask(`select count(*) as n from bars where close >= ${top}`)).toEqual([{ n: 1 }])
  }))

it.effect("files that the path excludes are not opened", () => {
  const reads: Array<string> = []
  const layer = Layer.provide(counting(reads), Layer.provideMerge(Layer.effectDiscard(filled), layerMemory()))
  return Effect.gen(function*() {
    yield* LakeQuery.ask("select count(*) from bars where symbol = 'IBM' and date >= '2024-03-01'", "symbol/date")
    expect(reads.sort()).toEqual([Layout.sessionKey("IBM", "2024-03-01"), Layout.sessionKey("IBM", "2024-03-04")])
    reads.length = 0
    yield* LakeQuery.ask("select count(*) from bars where symbol = 'IBM' and date >= '2024-03-01'", "symbol/month")
    expect(reads).toEqual([Layout.monthKey("IBM", "2024-03")])
  }).pipe(Effect.provide(layer))
})

it.effect("folders of other symbols or dates are not even listed where the layout begins with what is asked for", () => {
  const lists: Array<string> = []
  const layer = Layer.provide(counting([], lists), Layer.provideMerge(Layer.effectDiscard(filled), layerMemory()))
  return Effect.gen(function*() {
    const ask = (where: string, layout: Layout.Layout) => LakeQuery.ask(`select count(*) from bars ${where}`, layout)
    expect(yield* ask("where symbol = 'BRK/B'", "symbol/date")).toEqual([{ count: 3 * 390 }])
    yield* ask("where date = '2024-03-01' and symbol = 'IBM'", "symbol/month")
    yield* ask("where symbol = 'IBM' and date = '2024-03-01'", "date")
    yield* ask("where symbol in ('IBM')", "symbol/date")
    expect(lists).toEqual([
      "bars/symbol=BRK%2FB/",
      "bars_by_month/symbol=IBM/",
      "bars_by_date/date=2024-03-01/",
      "bars/"
    ])
  }).pipe(Effect.provide(layer))
})

it.effect("a file that somebody else left among the lake's own is told by its key", () =>
  Effect.gen(function*() {
    const store = yield* ObjectStore
    yield* store.put(
      Layout.sessionKey("IBM", "2024-03-04"),
      yield* Parquet.encode([{ bars: bars("IBM", "2024-03-04") }], {})
    )
    yield* store.put("bars/symbol=100%/x.parquet", new Uint8Array(3))
    const error = yield* Effect.flip(LakeQuery.ask("select count(*) from bars", "symbol/date"))
    expect(error.message).toContain("bars/symbol=100%/x.parquet: ")
    expect(yield* LakeQuery.ask("select count(*) from bars where symbol < 'K' and symbol > 'B'", "symbol/date"))
      .toEqual([{ count: 390 }])
  }).pipe(Effect.provide(layerMemory())))

it.effect("row groups that statistics exclude are not fetched, nor are columns that nobody asked for", () => {
  let bytes = 0
  const measured = Layer.effect(
    ObjectStore,
    Effect.map(ObjectStore, (store) =>
      ObjectStore.of({
        ...store,
        read: (key, range, expected) =>
          Effect.tap(store.read(key, range, expected), (part) => Effect.sync(() => void (bytes += part.bytes.length)))
      }))
  )
  const many = Array.from({ length: 40 }, (_, at) => ({
    symbol: `S${String(at).padStart(2, "0")}`,
    bars: TestBars.make("2024-03-04", 20_000, at)
  }))
  return Effect.gen(function*() {
    const store = yield* ObjectStore
    const whole = yield* Parquet.encode(many, {})
    yield* store.put(Layout.dateKey("2024-03-04"), whole)
    const found = yield* LakeQuery.ask("select count(*), sum(volume) from bars where symbol = 'S07'", "date")
    expect(found).toEqual([{ count: 20_000, sum: many[7]!.bars.volume.reduce((a, b) => a + b, 0) }])
    expect(bytes).toBeLessThan(whole.length / 8)
  }).pipe(Effect.provide(Layer.provideMerge(measured, layerMemory())))
})

it.effect("a file that is replaced while it is read is read again, whole", () => {
  const key = Layout.sessionKey("IBM", "2024-03-04")
  let replaced = false
  const replacing = Layer.effect(
    ObjectStore,
    Effect.map(ObjectStore, (store) =>
      ObjectStore.of({
        ...store,
        read: Effect.fnUntraced(function*(key, range, expected) {
          const part = yield* store.read(key, range, expected)
          if (!replaced) {
            replaced = true
            yield* store.put(
              key,
              yield* Effect.orDie(Parquet.encode([{ bars: TestBars.make("2024-03-04", 90_000, 7) }], {}))
            )
          }
          return part
        })
      }))
  )
  return Effect.gen(function*() {
    const store = yield* ObjectStore
    yield* store.put(key, yield* Parquet.encode([{ bars: TestBars.make("2024-03-04", 80_000, 5) }], {}))
    const found = yield* LakeQuery.ask("select count(*), min(open) from bars", "symbol/date")
    expect(found).toEqual([{ count: 90_000, min: 7 }])
  }).pipe(Effect.provide(Layer.provideMerge(replacing, layerMemory())))
})

it.effect("more rows than a person reads are refused unless they are limited", () =>
  Effect.gen(function*() {
    const store = yield* ObjectStore
    for (const day of days) {
      yield* store.put(
        Layout.sessionKey("IBM", day),
        yield* Parquet.encode([{ bars: TestBars.make(day, 40_000) }], {})
      )
    }
    const error = yield* Effect.flip(LakeQuery.ask("select ts from bars", "symbol/date"))
    expect(error.message).toBe("more than 100000 rows")
    expect(yield* LakeQuery.ask("select ts from bars limit 110000", "symbol/date")).toHaveLength(110_000)
  }).pipe(Effect.provide(layerMemory())))

it.effect("a folder is found by its symbol also where another program encoded more of the name than we do, or less", () =>
  Effect.gen(function*() {
    const store = yield* ObjectStore
    const file = yield* Parquet.encode([{ bars: bars("IBM", "2024-03-04") }], {})
    for (const [folder, symbol] of [["EUR@USD", "EUR@USD"], ["O%27N", "O'N"], ["%5eGSPC", "^GSPC"]] as const) {
      yield* store.put(`bars/symbol=${folder}/date=2024-03-04/bars.parquet`, file)
      const asked = `select count(*) from bars where symbol = '${symbol.replace("'", "''")}'`
      expect(yield* LakeQuery.ask(asked, "symbol/date"), symbol).toEqual([{ count: 390 }])
    }
  }).pipe(Effect.provide(layerMemory())))

it("a time is UTC unless it says otherwise, wherever the machine is, and a date is one that there is", () => {
  const value = (condition: string) => {
    const parsed = LakeSql.parse(`select ts from bars where ${condition}`)
    return Result.isFailure(parsed) ? parsed.failure : parsed.success.where[0]!.values[0]
  }
  const zone = process.env["TZ"]
  for (const TZ of ["America/New_York", "UTC"]) {
    process.env["TZ"] = TZ
    for (
      const text of [
        "2024-03-05 14:30",
        " 2024-03-05 14:30 ",
        "2024-03-05T14:30:00.000",
        "2024-03-05 14:30:00+00",
        "2024-03-05 09:30-05",
        "2024-03-05 09:30:00 -05:00",
        "2024-03-05t14:30z",
        "2024-03-05 14:30 UTC"
      ]
    ) expect(value(`ts = '${text}'`), text).toBe(Date.parse("2024-03-05T14:30:00Z"))
    expect(value("ts = '2024-03-05'")).toBe(Date.parse("2024-03-05"))
    for (const text of ["2024-3-5 14:30", "Mar 5 2024 14:30", "2024-02-30", "2024-03", "2024-03-05 25:00"]) {
      expect(value(`ts > '${text}'`)).toBe(`"${text}" is no time: write it as '2024-03-05 14:30', which is UTC`)
    }
  }
  if (zone === undefined) delete process.env["TZ"]
  else process.env["TZ"] = zone
  expect(value("date = '2024-03-05'")).toBe("2024-03-05")
  for (const text of ["2024-3-5", "20240305", "2024-02-30", "today"]) {
    expect(value(`date = '${text}'`)).toBe(`"${text}" is no date: write it as '2024-03-05'`)
  }
})

it("what is not understood is said in words", () => {
  const said = (sql: string) => Result.getOrElse(Result.flip(LakeSql.parse(sql)), () => "")
  expect(said("delete from bars")).toBe("\"select\" is missing before \"delete\"")
  expect(said("select prize from bars")).toContain("bars has no column \"prize\".")
  expect(said("select * from barz")).toBe("the lake has one table, bars, not \"barz\"")
  expect(said("select symbol, count(*) from bars")).toBe("\"symbol\" is neither grouped by nor inside a function")
  expect(said("select median(close) from bars")).toContain("there is no function \"median\"")
  expect(said("select sum(symbol) from bars")).toBe("sum(symbol) means nothing")
  expect(said("select * from bars where close = 1 or close = 2")).toBe("\"or\" is not understood here")
  expect(said("select * from bars where close like '1'")).toContain("\"like\" is no comparison")
  expect(said("select * from bars where ts > 'yesterday'")).toContain("\"yesterday\" is no time")
  expect(said("select * from bars where symbol = 7")).toContain("symbol is compared with a text")
  expect(said("select * from bars order by 9")).toBe("\"9\" is not among what is selected")
  expect(said("select * from bars limit few")).toBe("limit is a number, not \"few\"")
  expect(said("select")).toBe("the statement ends where a column should be")
  expect(said("select * from bars where symbol = 'it''s' and close > -1.5e3 limit 1;")).toBe("")
  expect(said("select # from bars")).toBe("cannot read \"# from bars\"")
})
