/**
 * A session's bars as a Parquet file: flat REQUIRED columns, sorted by `ts`, ZSTD. The same bars give the same bytes.
 * Symbol and session are in the path, in Hive layout, and not in the file: Hive and Athena refuse columns in both.
 *
 * `ts` is in milliseconds (Athena's limit) and carries the old and the new annotation: Redshift's COPY misreads files
 * that carry only the new one (https://github.com/apache/arrow/issues/38000).
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { parquetRead, type SchemaElement } from "hyparquet"
import { ByteWriter, type ColumnSource, ParquetWriter } from "hyparquet-writer"
import * as Zlib from "node:zlib"
import { allocate, type Bars } from "../bars/Bars.ts"
import { segment } from "./ObjectStore.ts"

export class ParquetError extends Schema.TaggedError<ParquetError>()("ParquetError", {
  message: Schema.String,
  cause: Schema.Defect()
}) {}

/** What the file says about itself, as key-value metadata. */
export interface Meta {
  readonly source: string
  readonly symbol: string
  readonly interval: string
  readonly session: string
  readonly contentHash: string
}

export const key = (symbol: string, session: string): string =>
  `bars/symbol=${segment(symbol)}/date=${segment(session)}/bars.parquet`

const prices = ["open", "high", "low", "close"] as const

/** Shares are whole and take INT64; parts of a coin do not. */
const isWhole = (volume: Float64Array): boolean => volume.every(Number.isSafeInteger)

const schemaOf = (whole: boolean): ReadonlyArray<SchemaElement> => [
  { name: "bars", num_children: 6 },
  {
    name: "ts",
    type: "INT64",
    converted_type: "TIMESTAMP_MILLIS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
    repetition_type: "REQUIRED"
  },
  ...prices.map((name): SchemaElement => ({ name, type: "DOUBLE", repetition_type: "REQUIRED" })),
  { name: "volume", type: whole ? "INT64" : "DOUBLE", repetition_type: "REQUIRED" }
]

export const encode = (bars: Bars, meta: Meta): Uint8Array => {
  const whole = isWhole(bars.volume)
  const writer = new ByteWriter()
  const file = new ParquetWriter({
    writer,
    schema: [...schemaOf(whole)],
    codec: "ZSTD",
    compressors: { ZSTD: (bytes) => Zlib.zstdCompressSync(bytes) },
    kvMetadata: (["source", "symbol", "interval", "session", "contentHash"] as const)
      .map((name) => ({ key: name, value: meta[name] })),
    createdBy: "barograph"
  })
  // One row group: a session is far below the size at which a reader would skip parts of it.
  void file.write({ columnData: columns(bars, whole), rowGroupSize: Math.max(1, bars.length) })
  for (const group of file.row_groups) {
    group.sorting_columns = [{ column_idx: 0, descending: false, nulls_first: false }]
  }
  void file.finish()
  return writer.getBytes()
}

const columns = (bars: Bars, whole: boolean): Array<ColumnSource> => [
  { name: "ts", data: toInt64(bars.ts), encoding: "DELTA_BINARY_PACKED" },
  ...prices.map((name) => ({ name, data: bars[name] })),
  whole
    ? { name: "volume", data: toInt64(bars.volume), encoding: "DELTA_BINARY_PACKED" }
    : { name: "volume", data: bars.volume }
]

const toInt64 = (column: Float64Array): BigInt64Array => {
  const all = new BigInt64Array(column.length)
  for (let at = 0; at < column.length; at++) all[at] = BigInt(column[at]!)
  return all
}

/** Reads what `encode` wrote; columns that it did not write are ignored. */
export const decode = Effect.fn("Parquet.decode")((bytes: Uint8Array): Effect.Effect<Bars, ParquetError> =>
  Effect.tryPromise({
    try: () => read(bytes),
    catch: (cause) => new ParquetError({ message: `no Parquet file of bars: ${textOf(cause)}`, cause })
  })
)

const textOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

const names = ["ts", ...prices, "volume"] as const

const read = async (bytes: Uint8Array): Promise<Bars> => {
  const parts = new Map<string, Array<{ readonly from: number; readonly values: ArrayLike<unknown> }>>()
  await parquetRead({
    file: { byteLength: bytes.byteLength, slice: (from, to) => new Uint8Array(bytes.subarray(from, to)).buffer },
    columns: [...names],
    compressors: { ZSTD: (input) => Zlib.zstdDecompressSync(input) },
    parsers: { timestampFromMilliseconds: (millis) => millis },
    onChunk: ({ columnData, columnName, rowStart }) => {
      parts.set(columnName, [...(parts.get(columnName) ?? []), { from: rowStart, values: columnData }])
    }
  })
  return assemble(parts)
}

const assemble = (
  parts: ReadonlyMap<string, ReadonlyArray<{ readonly from: number; readonly values: ArrayLike<unknown> }>>
): Bars => {
  const length = (parts.get("ts") ?? []).reduce((rows, { from, values }) => Math.max(rows, from + values.length), 0)
  const bars = allocate(length)
  for (const name of names) {
    for (const { from, values } of parts.get(name) ?? []) {
      for (let at = 0; at < values.length; at++) bars[name][from + at] = Number(values[at])
    }
  }
  return bars
}
