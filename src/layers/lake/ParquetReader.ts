/** Bars out of Parquet files: whole, or only the columns and row groups that are asked for, by ranges of the object. */
import * as Effect from "effect/Effect"
import { type FileMetaData, parquetRead, type RowGroup, type SchemaElement } from "hyparquet"
import * as Zlib from "node:zlib"
import { allocate, type Bars, contentHash } from "../bars/Bars.ts"
import * as Parquet from "./Parquet.ts"

export type Column = "symbol" | "date" | "ts" | (typeof Parquet.prices)[number] | "volume"

/** Columns of some rows, one array each; `length` rows. */
export interface Rows {
  readonly length: number
  readonly columns: ReadonlyMap<string, ReadonlyArray<unknown> | Float64Array>
}

/** Bytes `from` (inclusive) to `to` (exclusive). */
export type Slice = (from: number, to: number) => Promise<Uint8Array>

const BARS = ["ts", ...Parquet.prices, "volume"] as const

/** The bars of a whole file; columns that are none of them are ignored. */
export const decode = Effect.fn("ParquetReader.decode")((
  bytes: Uint8Array
): Effect.Effect<Bars, Parquet.ParquetError> =>
  attempt(async () => {
    const footer = Parquet.footer(bytes)
    const slice: Slice = (from, to) => Promise.resolve(bytes.subarray(from, to))
    const { columns, length } = await rows(footer, bytes.length, slice, BARS)
    const bars = allocate(length)
    for (const name of BARS) bars[name].set(numbers(columns.get(name) ?? []))
    return bars
  })
)

/** The bars of a file that says `meta`, where they are still those that were published in it. */
export const decodePublished = Effect.fnUntraced(function*(bytes: Uint8Array, meta: Parquet.Meta) {
  const bars = yield* decode(bytes)
  const held = Parquet.metaOf(Parquet.footer(bytes))
  const expected = { ...meta, contentHash: contentHash(bars) }
  if (Object.entries(expected).every(([name, value]) => held[name] === value)) return bars
  return yield* new Parquet.ParquetError({ message: "no file as it was published", cause: undefined })
})

const numbers = (values: ReadonlyArray<unknown> | Float64Array): ArrayLike<number> =>
  values instanceof Float64Array ? values : values.map(Number)

const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, Parquet.ParquetError> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) =>
      new Parquet.ParquetError({
        message: `no Parquet file of bars: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause
      })
  })

/** Reads the row groups that `wanted` keeps; the others are not fetched. */
export const rows = async (
  footer: FileMetaData,
  byteLength: number,
  slice: Slice,
  columns: ReadonlyArray<Column>,
  wanted: (group: RowGroup) => boolean = () => true
): Promise<Rows> => {
  const parts = new Map<string, Array<ArrayLike<unknown>>>(columns.map((name) => [name, []]))
  const file = { byteLength, slice: (from: number, to?: number) => slice(from, to ?? byteLength).then(bufferOf) }
  let [first, length] = [0, 0]
  for (const group of footer.row_groups) {
    const end = first + Number(group.num_rows)
    if (end > first && wanted(group)) {
      length += end - first
      await parquetRead({
        file,
        metadata: footer,
        columns: [...columns],
        rowStart: first,
        rowEnd: end,
        compressors: { ZSTD: (input) => Zlib.zstdDecompressSync(input) },
        parsers: Parquet.parsers,
        onChunk: ({ columnData, columnName }) => void parts.get(columnName)?.push(columnData)
      })
    }
    first = end
  }
  return { length, columns: new Map(columns.map((name) => [name, joined(parts.get(name)!, elementOf(footer, name))])) }
}

const bufferOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer

const elementOf = ({ schema }: FileMetaData, name: string): SchemaElement | undefined =>
  schema.find((element) => element.name === name)

const joined = (parts: ReadonlyArray<ArrayLike<unknown>>, element: SchemaElement | undefined) => {
  if (element?.type === "BYTE_ARRAY" || element?.type === "INT32") return parts.flatMap((part) => Array.from(part))
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
  // The decoder multiplies decimals by 10^-scale, which is off by a bit; the nearest number of that scale is exact.
  const factor = element?.converted_type === "DECIMAL" ? 10 ** (element.scale ?? 0) : undefined
  let to = 0
  for (const part of parts) {
    for (let at = 0; at < part.length; at++) {
      const value = Number(part[at])
      all[to++] = factor === undefined ? value : Math.round(value * factor) / factor
    }
  }
  return all
}
