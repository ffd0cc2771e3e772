import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { FileMetaData } from "hyparquet"
import { allocate, type Bars, contentHash, slice } from "../../../src/layers/bars/Bars.ts"
import * as Layout from "../../../src/layers/lake/Layout.ts"
import * as Parquet from "../../../src/layers/lake/Parquet.ts"
import * as ParquetFormat from "../../../src/layers/lake/ParquetFormat.ts"
import * as ParquetReader from "../../../src/layers/lake/ParquetReader.ts"
import * as TestBars from "../../support/TestBars.ts"

const day = "2024-03-05"
const meta = { source: "test", symbol: "BRK/B", session: day }

const FORMATS = [
  "codec=zstd",
  "codec=snappy",
  "codec=zstd,pages=v1",
  "codec=snappy,pages=v1",
  "codec=zstd,prices=decimal(18,6)",
  "codec=snappy,prices=decimal(18,6),pages=v1"
]

const encode = (parts: ReadonlyArray<Parquet.BarsPart>, format = "codec=zstd") =>
  Effect.provideService(
    Parquet.encode(parts, meta),
    ParquetFormat.ParquetFormat,
    Result.getOrThrow(ParquetFormat.parse(format))
  )

/** Prices of two decimals, as `decimal` wants them; some repeat, as `close` does. */
const session = (length: number, day = "2024-03-05"): Bars => {
  const bars = TestBars.make(day, length)
  for (const column of [bars.open, bars.high, bars.low]) column.forEach((price, at) => column[at] = round(price))
  return { ...bars, close: bars.close.map((_, at) => round(100 + at % 7)) }
}

const round = (price: number): number => Math.round(price * 100) / 100

for (const format of FORMATS) {
  it.effect(`${format}: bars come back bit by bit, whatever their number`, () =>
    Effect.gen(function*() {
      for (const length of [0, 1, 2, 3, 32, 33, 127, 128, 129, 130, 390, 5000]) {
        const bars = session(length)
        const decoded = yield* ParquetReader.decode(yield* encode([{ bars }], format))
        expect(decoded.length).toBe(length)
        expect(contentHash(decoded)).toBe(contentHash(bars))
      }
    }))
}

it.effect("extreme values survive, also where differences are too large to be packed", () =>
  Effect.gen(function*() {
    const bars = TestBars.make(day, 4)
    bars.volume.set([0, Number.MAX_SAFE_INTEGER, 0, 2 ** 40])
    bars.open.set([Number.MIN_VALUE, Number.MAX_VALUE, 1e-300, 0.1 + 0.2])
    bars.high.set([0, -0, -1.5, 7])
    bars.ts.set([-62_135_596_800_000, 0, 1, 253_402_300_799_999])
    for (const format of FORMATS.slice(0, 4)) {
      const decoded = yield* ParquetReader.decode(yield* encode([{ bars }], format))
      expect(contentHash(decoded)).toBe(contentHash(bars))
    }
  }))

/** Numbers that follow from a seed: as many as asked, of magnitudes up to 2^53. */
const numbers = (seed: number, length: number, bits: number): Float64Array => {
  let state = seed | 1
  const random = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  return Float64Array.from({ length }, () => Math.floor((random() - (bits < 53 ? 0.5 : 0)) * 2 ** bits))
}

it.effect("whole numbers of every width survive packing", () =>
  Effect.gen(function*() {
    for (let bits = 0; bits <= 53; bits++) {
      const bars = { ...allocate(300), volume: numbers(bits + 1, 300, bits), ts: numbers(bits + 99, 300, bits) }
      const decoded = yield* ParquetReader.decode(yield* encode([{ bars }]))
      expect([...decoded.volume]).toEqual([...bars.volume])
      expect([...decoded.ts]).toEqual([...bars.ts])
    }
  }))

it.effect("the same bars give the same bytes, other bars other ones", () =>
  Effect.gen(function*() {
    const bars = TestBars.make(day, 390)
    const bytes = yield* encode([{ bars }])
    expect(yield* encode([{ bars: TestBars.filter(bars, () => true) }])).toEqual(bytes)
    expect(yield* encode([{ bars: TestBars.withClose(bars, 3, 1) }])).not.toEqual(bytes)
  }))

const names = ({ schema }: FileMetaData) => schema.map(({ name }) => name)

it.effect("the file says what it holds, sorted and in UTC, and not what its path says", () =>
  Effect.gen(function*() {
    const bars = TestBars.make(day, 390)
    const file = Parquet.footer(yield* encode([{ bars }]))
    expect(names(file)).toEqual(["bars", "ts", "open", "high", "low", "close", "volume"])
    expect(file.schema[1]).toMatchObject({
      type: "INT64",
      converted_type: "TIMESTAMP_MILLIS",
      logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
      repetition_type: "REQUIRED"
    })
    expect(file.row_groups).toHaveLength(1)
    expect(file.row_groups[0]!.sorting_columns).toEqual([{ column_idx: 0, descending: false, nulls_first: false }])
    expect(Parquet.metaOf(file)).toEqual(meta)
    const [ts, open] = file.row_groups[0]!.columns.map(({ meta_data }) => meta_data!)
    expect(ts).toMatchObject({ codec: "ZSTD", encodings: ["DELTA_BINARY_PACKED"], num_values: 390n })
    expect(Number(ts!.statistics!.min_value)).toBe(bars.ts[0])
    expect(Number(ts!.statistics!.max_value)).toBe(bars.ts[389])
    expect(open!.statistics).toMatchObject({ min_value: bars.open[0], max_value: bars.open[389], null_count: 0n })
  }))

it.effect("pages V1 go without DELTA, for readers that know neither", () =>
  Effect.gen(function*() {
    const file = Parquet.footer(yield* encode([{ bars: session(390) }], "codec=snappy,pages=v1"))
    const used = file.row_groups[0]!.columns.flatMap(({ meta_data }) => meta_data!.encodings)
    expect(new Set(used)).toEqual(new Set(["PLAIN", "PLAIN_DICTIONARY", "RLE"]))
    expect(file.version).toBe(1)
  }))

it.effect("many symbols make a column of their own and row groups that can be skipped", () =>
  Effect.gen(function*() {
    const symbols = ["AAPL", "BRK/B", "IBM", "ä"]
    const parts = symbols.map((symbol) => ({ symbol, bars: session(30_000) }))
    const bytes = yield* encode(parts)
    const file = Parquet.footer(bytes)
    expect(names(file)).toEqual(["bars", "symbol", "ts", "open", "high", "low", "close", "volume"])
    expect(file.row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([60_000, 60_000])
    const slice: ParquetReader.Slice = (from, to) => Promise.resolve(bytes.subarray(from, to))
    const rows = yield* Effect.promise(() =>
      ParquetReader.rows(file, bytes.length, slice, ["symbol", "ts"], (group) =>
        String(group.columns[0]!.meta_data!.statistics!.min_value) === "IBM")
    )
    expect(rows.length).toBe(60_000)
    expect([...new Set(rows.columns.get("symbol"))]).toEqual(["IBM", "ä"])
  }))

it.effect("a price that a decimal would round is refused", () =>
  Effect.gen(function*() {
    const bars = session(3)
    bars.close[1] = 1.2345678
    const error = yield* Effect.flip(encode([{ bars }], "prices=decimal(18,6)"))
    expect(error.message).toBe(
      "close 1.2345678 does not fit decimal(18,6): write prices=double in BAROGRAPH_PARQUET"
    )
    bars.close[1] = 12345
    expect((yield* Effect.flip(encode([{ bars }], "prices=decimal(4,2)")))._tag).toBe("ParquetError")
  }))

it("a format is read from text, and said what is wrong with it", () => {
  const parse = (text: string) => ParquetFormat.parse(text)
  expect(Result.getOrThrow(parse("codec=snappy, prices=decimal(18,6) ,pages=v1"))).toEqual({
    codec: "snappy",
    prices: { precision: 18, scale: 6 },
    pages: "v1"
  })
  expect(parse("codex=snappy")).toEqual(
    Result.fail("there is no \"codex\" among codec, prices, pages. Did you mean \"codec\"?")
  )
  for (
    const wrong of [
      "codec=gzip",
      "pages=v3",
      "prices=decimal(19,6)",
      "prices=decimal(4,5)",
      "codec",
      "",
      "prices=decimal(0,0)"
    ]
  ) {
    expect(Result.isFailure(parse(wrong)), wrong).toBe(true)
  }
})

it.effect("bytes that are no Parquet file, or half of one, are an error", () =>
  Effect.gen(function*() {
    const bytes = yield* encode([{ bars: slice(TestBars.make(day, 400), 3, 393) }])
    for (const wrong of [new Uint8Array(0), new Uint8Array(100), bytes.subarray(0, 500), bytes.subarray(500)]) {
      expect((yield* Effect.flip(ParquetReader.decode(wrong)))._tag).toBe("ParquetError")
    }
    expect(Parquet.footerLength(bytes.subarray(-50))).toBeLessThan(bytes.length)
    expect(Parquet.footerLength(bytes.subarray(0, 50))).toBe(Infinity)
  }))

it("a symbol's key is one folder, in Hive layout", () => {
  expect(Layout.sessionKey("BRK/B", day)).toBe("bars/symbol=BRK%2FB/date=2024-03-05/bars.parquet")
  expect(Layout.sessionKey("..", day)).toBe("bars/symbol=%2E%2E/date=2024-03-05/bars.parquet")
})
