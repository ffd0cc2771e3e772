/**
 * Bars as Parquet files: flat REQUIRED columns, sorted, with statistics. The same bars give the same bytes with the same
 * codec library. What is in the path (Hive layout) is not in the file: Hive and Athena refuse columns in both.
 *
 * `ts` is in milliseconds (Athena's limit) and carries the old and the new annotation: Redshift's COPY misreads files
 * that carry only the new one (https://github.com/apache/arrow/issues/38000).
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type FileMetaData, parquetMetadata, type SchemaElement } from "hyparquet"
import { ByteWriter } from "hyparquet-writer"
import { writeMetadata } from "hyparquet-writer/src/metadata.js"
import type { Bars } from "../bars/Bars.ts"
import * as ParquetChunk from "./ParquetChunk.ts"
import { type Decimal, type Format, ParquetFormat } from "./ParquetFormat.ts"

export class ParquetError extends Schema.TaggedError<ParquetError>()("ParquetError", {
  message: Schema.String,
  cause: Schema.Defect()
}) {}

/** What the file says about itself, as key-value metadata. */
export interface Meta {
  readonly [name: string]: string
}

/** Bars, and what they share where the path does not say it: a file has a column for each that its parts name. */
export interface BarsPart {
  readonly symbol?: string
  /** The session, `YYYY-MM-DD`. */
  readonly date?: string
  readonly bars: Bars
}

/** Row groups of this size or less, never within a part: a reader skips those whose statistics exclude them. */
const GROUP = 65_536

export const prices = ["open", "high", "low", "close"] as const

/**
 * Parts in their order: ascending by symbol or date, if they have one, and by `ts`. Fails where a price does not fit
 * the format.
 */
export const encode = Effect.fnUntraced(function*(parts: ReadonlyArray<BarsPart>, meta: Meta) {
  const format = yield* ParquetFormat
  return yield* Effect.try({
    try: () => file(parts, meta, format),
    catch: (cause) => new ParquetError({ message: cause instanceof Error ? cause.message : String(cause), cause })
  })
})

const file = (parts: ReadonlyArray<BarsPart>, meta: Meta, format: Format): Uint8Array => {
  const shared = SHARED.filter((name) => parts.some((part) => part[name] !== undefined))
  const rows = parts.reduce((sum, { bars }) => sum + bars.length, 0)
  writer.index = writer.offset = 0
  writer.appendUint32(MAGIC)
  const whole = parts.every(({ bars }) => bars.volume.every(Number.isSafeInteger))
  const groups = grouped(parts).map((group) => rowGroup(columns(group, shared, format, whole), format))
  const footer: Omit<FileMetaData, "metadata_length"> = {
    version: format.pages === "v1" ? 1 : 2,
    created_by: WRITER,
    schema: schema(shared, format, whole),
    num_rows: BigInt(rows),
    row_groups: groups,
    key_value_metadata: Object.entries(meta).map(([key, value]) => ({ key, value }))
  }
  writeMetadata(writer, footer as FileMetaData)
  writer.appendUint32(MAGIC)
  return writer.getBytes().slice()
}

/** One for all files: encoding is synchronous, and a buffer for each would be most of what the collector has to do. */
const writer = new ByteWriter(65_536)

/** What parts may share, in the order of the columns, by which rows are sorted before `ts`. */
const SHARED = ["symbol", "date"] as const
type Shared = (typeof SHARED)[number]

const MAGIC = 0x31524150

/** Who wrote the file. Other programs keep the metadata of a file that they write anew, and put their own name here. */
const WRITER = "barograph version 1.0.0 (build 0)"

/** Neighbours as long as they fit a row group. */
const grouped = (parts: ReadonlyArray<BarsPart>): ReadonlyArray<ReadonlyArray<BarsPart>> => {
  const groups: Array<Array<BarsPart>> = []
  let rows = Infinity
  for (const part of parts) {
    if (rows + part.bars.length > GROUP) {
      groups.push([])
      rows = 0
    }
    groups.at(-1)!.push(part)
    rows += part.bars.length
  }
  return groups
}

const joined = (group: ReadonlyArray<BarsPart>, column: "ts" | (typeof prices)[number] | "volume"): Float64Array => {
  if (group.length === 1) return group[0]!.bars[column]
  const all = new Float64Array(group.reduce((sum, { bars }) => sum + bars.length, 0))
  let at = 0
  for (const { bars } of group) {
    all.set(bars[column], at)
    at += bars.length
  }
  return all
}

const columns = (
  group: ReadonlyArray<BarsPart>,
  shared: ReadonlyArray<Shared>,
  { prices: priced }: Format,
  whole: boolean
): ReadonlyArray<ParquetChunk.Column> => [
  ...shared.map((name): ParquetChunk.Column => ({
    name,
    values: {
      kind: name === "symbol" ? "text" : "date",
      runs: group.map((part) => ({ value: part[name] ?? "", rows: part.bars.length }))
    }
  })),
  { name: "ts", values: { kind: "integer", values: joined(group, "ts") }, delta: true },
  ...prices.map((name): ParquetChunk.Column => ({
    name,
    values: priced === "double"
      ? { kind: "double", values: joined(group, name) }
      : { kind: "integer", values: unscaled(joined(group, name), name, priced) }
  })),
  whole
    ? { name: "volume", values: { kind: "integer", values: joined(group, "volume") }, delta: true }
    : { name: "volume", values: { kind: "double", values: joined(group, "volume") } }
]

/** Exact or refused: a rounded price would make the lake differ from what is staged. */
const unscaled = (values: Float64Array, name: string, { precision, scale }: Decimal): Float64Array => {
  const factor = 10 ** scale
  const most = Math.min(10 ** precision - 1, Number.MAX_SAFE_INTEGER)
  return values.map((value) => {
    const whole = Math.round(value * factor)
    if (Math.abs(whole) <= most && whole / factor === value) return whole
    throw new Error(
      `${name} ${value} does not fit decimal(${precision},${scale}): write prices=double in BAROGRAPH_PARQUET`
    )
  })
}

const rowGroup = (columns: ReadonlyArray<ParquetChunk.Column>, format: Format) => {
  const chunks = columns.map((column) => ParquetChunk.write(writer, column, format))
  const total = (size: "total_uncompressed_size" | "total_compressed_size") =>
    chunks.reduce((sum, { meta_data }) => sum + meta_data![size], 0n)
  return {
    columns: chunks,
    total_byte_size: total("total_uncompressed_size"),
    total_compressed_size: total("total_compressed_size"),
    num_rows: BigInt(ParquetChunk.rowsOf(columns[0]!.values)),
    sorting_columns: columns.slice(0, columns.findIndex(({ name }) => name === "ts") + 1)
      .map((_, column_idx) => ({ column_idx, descending: false, nulls_first: false }))
  }
}

/** Shares are whole and take INT64; parts of a coin do not. */
const schema = (
  shared: ReadonlyArray<Shared>,
  { prices: priced }: Format,
  whole: boolean
): Array<SchemaElement> => [
  { name: "bars", num_children: shared.length + 6 },
  ...shared.map((name) =>
    required(
      name,
      name === "symbol"
        ? { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } }
        : { type: "INT32", converted_type: "DATE", logical_type: { type: "DATE" } }
    )
  ),
  required("ts", {
    type: "INT64",
    converted_type: "TIMESTAMP_MILLIS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" }
  }),
  ...prices.map((name) => required(name, priced === "double" ? { type: "DOUBLE" } : decimal(priced))),
  required("volume", { type: whole ? "INT64" : "DOUBLE" })
]

const required = (name: string, element: Omit<SchemaElement, "name">): SchemaElement => ({
  name,
  repetition_type: "REQUIRED",
  ...element
})

const decimal = (size: Decimal): Omit<SchemaElement, "name"> => ({
  type: "INT64",
  converted_type: "DECIMAL",
  ...size,
  logical_type: { type: "DECIMAL", ...size }
})

/** Bytes from the end within which the footer is; more than the file has where it is none. */
export const footerLength = (tail: Uint8Array): number => {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength)
  const isParquet = tail.length >= 8 && view.getUint32(tail.length - 4, true) === MAGIC
  return isParquet ? view.getUint32(tail.length - 8, true) + 8 : Infinity
}

/** The footer, from the file's last bytes. Throws where they are none. */
export const footer = (tail: Uint8Array): FileMetaData => parquetMetadata(new Uint8Array(tail).buffer, { parsers })

let lastDay = { days: 0, text: "1970-01-01" }

/** Times stay milliseconds; dates become texts, one for each run of a day. */
export const parsers = {
  timestampFromMilliseconds: (millis: bigint) => millis,
  dateFromDays: (days: number) => {
    if (days !== lastDay.days) lastDay = { days, text: new Date(days * 86_400_000).toISOString().slice(0, 10) }
    return lastDay.text
  }
}

/** Whether it is the footer of a file of ours that has all of its columns; `length` is the footer's own, as above. */
export const isOurs = ({ created_by, row_groups }: FileMetaData, length: number, size: number): boolean =>
  created_by === WRITER
  && row_groups.reduce((sum, { total_compressed_size }) => sum + Number(total_compressed_size), 4) + length === size

/** What a file says about itself. */
export const metaOf = ({ key_value_metadata }: FileMetaData): Meta =>
  Object.fromEntries((key_value_metadata ?? []).map(({ key, value }) => [key, value ?? ""]))
