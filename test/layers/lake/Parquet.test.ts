import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parquetMetadata } from "hyparquet"
import { contentHash, empty } from "../../../src/layers/bars/Bars.ts"
import * as Parquet from "../../../src/layers/lake/Parquet.ts"
import * as TestBars from "../../support/TestBars.ts"

const day = "2024-03-05"

const meta = (bars = empty): Parquet.Meta => ({
  source: "test",
  symbol: "BRK/B",
  interval: "1min",
  session: day,
  contentHash: contentHash(bars)
})

const metadataOf = (bytes: Uint8Array) => parquetMetadata(new Uint8Array(bytes).buffer)

it.effect("bars come back bit by bit, whatever their number", () =>
  Effect.gen(function*() {
    for (const length of [0, 1, 2, 127, 128, 129, 390, 5000]) {
      const bars = TestBars.make(day, length)
      const decoded = yield* Parquet.decode(Parquet.encode(bars, meta(bars)))
      expect(decoded.length).toBe(length)
      expect(contentHash(decoded)).toBe(contentHash(bars))
    }
  }))

it.effect("extreme values survive", () =>
  Effect.gen(function*() {
    const bars = TestBars.make(day, 4)
    bars.volume.set([0, Number.MAX_SAFE_INTEGER, 1, 2 ** 40])
    bars.open.set([Number.MIN_VALUE, Number.MAX_VALUE, 1e-300, 0.1 + 0.2])
    bars.ts.set([-62_135_596_800_000, 0, 1, 253_402_300_799_999])
    expect(yield* Parquet.decode(Parquet.encode(bars, meta(bars)))).toEqual(bars)
  }))

it("the same bars give the same bytes, other bars other ones", () => {
  const bars = TestBars.make(day, 390)
  expect(Parquet.encode(bars, meta(bars))).toEqual(Parquet.encode(TestBars.filter(bars, () => true), meta(bars)))
  expect(Parquet.encode(TestBars.withClose(bars, 3, 1), meta(bars))).not.toEqual(Parquet.encode(bars, meta(bars)))
})

it("the file says what it holds, sorted and in UTC, and not what its path says", () => {
  const bars = TestBars.make(day, 390)
  const file = metadataOf(Parquet.encode(bars, meta(bars)))
  expect(file.schema.map(({ name }) => name)).toEqual(["bars", "ts", "open", "high", "low", "close", "volume"])
  expect(file.schema[1]).toMatchObject({
    type: "INT64",
    converted_type: "TIMESTAMP_MILLIS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
    repetition_type: "REQUIRED"
  })
  expect(file.row_groups).toHaveLength(1)
  expect(file.row_groups[0]!.sorting_columns).toEqual([{ column_idx: 0, descending: false, nulls_first: false }])
  expect(new Set(file.row_groups[0]!.columns.map(({ meta_data }) => meta_data!.codec))).toEqual(new Set(["ZSTD"]))
  expect(file.key_value_metadata).toEqual(Object.entries(meta(bars)).map(([key, value]) => ({ key, value })))
})

it.effect("bytes that are no Parquet file, or half of one, are an error", () =>
  Effect.gen(function*() {
    const bars = TestBars.make(day, 390)
    const bytes = Parquet.encode(bars, meta(bars))
    for (const wrong of [new Uint8Array(0), new Uint8Array(100), bytes.subarray(0, 500), bytes.subarray(500)]) {
      expect((yield* Effect.flip(Parquet.decode(wrong)))._tag).toBe("ParquetError")
    }
  }))

it("a symbol's key is one folder, in Hive layout", () => {
  expect(Parquet.key("BRK/B", day)).toBe("bars/symbol=BRK%2FB/date=2024-03-05/bars.parquet")
  expect(Parquet.key("..", day)).toBe("bars/symbol=%2E%2E/date=2024-03-05/bars.parquet")
})
