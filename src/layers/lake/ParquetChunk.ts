/**
 * One column of one row group: its dictionary page, its data page, and what the footer says of it. Columns are flat and
 * REQUIRED, so pages hold no levels, and a V1 page differs from a V2 page in its header only.
 */
import type { ColumnChunk, ColumnMetaData, Encoding } from "hyparquet"
import type { ByteWriter } from "hyparquet-writer"
import { snappyCompress } from "hyparquet-writer/src/snappy.js"
import { serializeTCompactProtocol } from "hyparquet-writer/src/thrift.js"
import * as Zlib from "node:zlib"
import * as ParquetEncoding from "./ParquetEncoding.ts"
import type { Format } from "./ParquetFormat.ts"

/** Prices, or whole numbers in doubles. */
interface Numbers {
  readonly kind: "double" | "integer"
  readonly values: Float64Array
}

/** Texts, or dates as `YYYY-MM-DD`, that repeat. */
interface Runs {
  readonly kind: "text" | "date"
  readonly runs: ReadonlyArray<{ readonly value: string; readonly rows: number }>
}

export type Values = Numbers | Runs

export interface Column {
  readonly name: string
  readonly values: Values
  /** Tried first, where the format allows it: sorted times, counts. */
  readonly delta?: boolean
}

interface Page {
  readonly encoding: Encoding
  readonly body: Uint8Array
  readonly dictionary?: { readonly body: Uint8Array; readonly count: number }
}

/** A Thrift struct by its field numbers. */
type Header = { readonly [field: `field_${number}`]: unknown }

const codes: { readonly [encoding in Encoding]?: number } = {
  PLAIN: 0,
  PLAIN_DICTIONARY: 2,
  RLE: 3,
  DELTA_BINARY_PACKED: 5,
  RLE_DICTIONARY: 8
}

export const rowsOf = (values: Values): number =>
  isRuns(values) ? values.runs.reduce((sum, { rows }) => sum + rows, 0) : values.values.length

const isRuns = (values: Values): values is Runs => values.kind === "text" || values.kind === "date"

const TYPES = { double: "DOUBLE", integer: "INT64", text: "BYTE_ARRAY", date: "INT32" } as const

const scratch = new ParquetEncoding.Bytes()

/** Appends the pages to `writer`. */
export const write = (writer: ByteWriter, column: Column, format: Format): ColumnChunk => {
  const rows = rowsOf(column.values)
  const page = pageOf(column, format)
  const start = writer.offset
  let plain = 0
  const append = (body: Uint8Array, header: (compressed: number) => Header) => {
    const compressed = compress(body, format)
    const headerStart = writer.offset
    serializeTCompactProtocol(writer, header(compressed.length))
    plain += writer.offset - headerStart + body.length
    writer.appendBytes(compressed)
  }
  if (page.dictionary !== undefined) {
    const { body, count } = page.dictionary
    const encoding = format.pages === "v1" ? codes.PLAIN_DICTIONARY : codes.PLAIN
    append(
      body,
      (size) => ({ field_1: 2, field_2: body.length, field_3: size, field_7: { field_1: count, field_2: encoding } })
    )
  }
  const data = writer.offset
  append(page.body, (size) => dataHeader(page, size, rows, format))
  return {
    file_offset: BigInt(start),
    meta_data: {
      type: TYPES[column.values.kind],
      encodings: encodingsOf(page, format),
      path_in_schema: [column.name],
      codec: format.codec === "zstd" ? "ZSTD" : "SNAPPY",
      num_values: BigInt(rows),
      total_uncompressed_size: BigInt(plain),
      total_compressed_size: BigInt(writer.offset - start),
      data_page_offset: BigInt(data),
      ...(page.dictionary === undefined ? {} : { dictionary_page_offset: BigInt(start) }),
      ...statisticsOf(column.values)
    }
  }
}

const compress = (body: Uint8Array, { codec }: Format): Uint8Array =>
  // Node takes the output in chunks of this size: one that is as large as the input holds it all.
  codec === "zstd" ? Zlib.zstdCompressSync(body, { chunkSize: body.length + 64 }) : snappyCompress(body)

const dataHeader = ({ body, encoding }: Page, size: number, rows: number, { pages }: Format): Header => {
  const sizes = { field_2: body.length, field_3: size }
  return pages === "v1"
    ? {
      field_1: 0,
      ...sizes,
      field_5: { field_1: rows, field_2: codes[encoding], field_3: codes.RLE, field_4: codes.RLE }
    }
    : {
      field_1: 3,
      ...sizes,
      field_8: {
        field_1: rows,
        field_2: 0,
        field_3: rows,
        field_4: codes[encoding],
        field_5: 0,
        field_6: 0,
        field_7: true
      }
    }
}

const encodingsOf = ({ dictionary, encoding }: Page, { pages }: Format): Array<Encoding> => [
  ...(dictionary === undefined ? [] : ["PLAIN" as const]),
  encoding,
  ...(pages === "v1" ? ["RLE" as const] : [])
]

const pageOf = (column: Column, format: Format): Page => {
  const { values } = column
  const indexed = format.pages === "v1" ? "PLAIN_DICTIONARY" : "RLE_DICTIONARY"
  if (isRuns(values)) return runsPage(values, indexed)
  if (column.delta === true && format.pages === "v2" && ParquetEncoding.delta(scratch.reset(), values.values)) {
    return { encoding: "DELTA_BINARY_PACKED", body: scratch.view() }
  }
  const words = values.kind === "double"
    ? ParquetEncoding.wordsOfDoubles(values.values)
    : ParquetEncoding.wordsOfIntegers(values.values)
  // A value that occurs once or twice costs more in a dictionary than as it is; 2^15 entries are read from any cache.
  const found = ParquetEncoding.dictionary(words, Math.min(32_768, words.length >> 2))
  if (found === undefined) return { encoding: "PLAIN", body: ParquetEncoding.bytesOf(words) }
  ParquetEncoding.packedIndices(scratch.reset(), found)
  const dictionary = { body: ParquetEncoding.bytesOf(found.entries), count: found.count }
  return { encoding: indexed, body: scratch.view(), dictionary }
}

const runsPage = ({ kind, runs }: Runs, encoding: "PLAIN_DICTIONARY" | "RLE_DICTIONARY"): Page => {
  const entries = [...new Set(runs.map(({ value }) => value))]
  ParquetEncoding.runIndices(
    scratch.reset(),
    entries.length,
    runs.map(({ rows, value }) => [entries.indexOf(value), rows])
  )
  const body = Buffer.concat(entries.map(kind === "text" ? plainText : (entry) => int32(dayOf(entry))))
  return { encoding, body: scratch.view(), dictionary: { body, count: entries.length } }
}

const int32 = (value: number): Buffer => Buffer.from(Int32Array.of(value).buffer)

const plainText = (text: string): Buffer => {
  const bytes = Buffer.from(text)
  return Buffer.concat([int32(bytes.length), bytes])
}

const dayOf = (date: string): number => Date.parse(date) / 86_400_000

const statisticsOf = (values: Values): Pick<ColumnMetaData, "statistics"> => {
  if (isRuns(values)) {
    const sorted = values.runs.map(({ value }) => value).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    if (sorted.length === 0) return {}
    const [least, most] = [sorted[0]!, sorted.at(-1)!]
    return values.kind === "text" ? bounds(least, most) : bounds(dayOf(least), dayOf(most))
  }
  let [least, most] = [Infinity, -Infinity]
  for (let at = 0; at < values.values.length; at++) {
    const value = values.values[at]!
    if (value < least) least = value
    if (value > most) most = value
  }
  if (least > most) return {}
  return values.kind === "integer" ? bounds(BigInt(least), BigInt(most)) : bounds(least, most)
}

const bounds = (min_value: bigint | number | string, max_value: bigint | number | string) => ({
  statistics: { min_value, max_value, null_count: 0n }
})
