/**
 * Rows of the lake that conditions ask for: folders are left out by their names, row groups by their statistics, and of
 * the rest only the columns that are needed are fetched, by ranges that are pinned to one write of the file.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ColumnChunk, RowGroup } from "hyparquet"
import type { Column, Condition, Literal } from "./LakeSql.ts"
import * as Layout from "./Layout.ts"
import { type ObjectStore, ObjectStoreError, tail } from "./ObjectStore.ts"
import * as Parquet from "./Parquet.ts"
import * as ParquetReader from "./ParquetReader.ts"

/** Rows of one file: a value for all of them, where the path says it, or one for each. */
export interface Batch {
  readonly length: number
  readonly columns: { readonly [column in Column]?: string | ReadonlyArray<unknown> | Float64Array }
}

/** A session's file is within, so that it is read by one request. */
const TAIL = 65_536
const FILES_AT_ONCE = 8

export const scan = (
  store: ObjectStore["Service"],
  layout: Layout.Layout,
  columns: ReadonlyArray<Column>,
  where: ReadonlyArray<Condition>
): Stream.Stream<Batch, ObjectStoreError | Parquet.ParquetError> =>
  Stream.fromIterableEffect(store.list(Layout.folder(layout, only(Layout.firstOf(layout), where)))).pipe(
    Stream.map((key) => ({ key, said: Layout.said(key) })),
    Stream.filter(({ key, said }) => key.endsWith(".parquet") && mayHold(said, where)),
    Stream.mapEffect(({ key, said }) => file(store, key, said, columns, where), { concurrency: FILES_AT_ONCE })
  )

/** What every program writes alike in a folder's name; of other signs some encode more than we do, some fewer. */
const ONE_SPELLING = /^\w[\w./-]*$/

/** The one value that the column may have, where the conditions say so and one folder alone can be its. */
const only = (column: Column, where: ReadonlyArray<Condition>): string | undefined => {
  const value = where.find((one) => one.column === column && one.operator === "=")?.values[0]?.toString()
  return value !== undefined && ONE_SPELLING.test(value) ? value : undefined
}

const mayHold = (said: Layout.Said, where: ReadonlyArray<Condition>): boolean =>
  where.every((condition) => {
    if (condition.column === "symbol" && said.symbol !== undefined) return within(condition, said.symbol, said.symbol)
    if (condition.column !== "date") return true
    if (said.date !== undefined) return within(condition, said.date, said.date)
    return said.month === undefined || within(condition, `${said.month}-01`, `${said.month}-31`)
  })

/** True where some value from `least` to `most` may meet the condition. */
export const within = ({ operator, values }: Condition, least: Literal, most: Literal): boolean => {
  const value = values[0]!
  switch (operator) {
    case "=":
      return least <= value && value <= most
    case "<>":
      return least !== value || most !== value
    case "<":
      return least < value
    case "<=":
      return least <= value
    case ">":
      return most > value
    case ">=":
      return most >= value
    case "in":
      return values.some((one) => least <= one && one <= most)
  }
}

/** A file that is replaced while it is read is read again; one that is removed has no rows. */
const file = (
  store: ObjectStore["Service"],
  key: string,
  said: Layout.Said,
  columns: ReadonlyArray<Column>,
  where: ReadonlyArray<Condition>
) =>
  Effect.retry(attempt(store, key, said, columns, where), {
    times: 10,
    while: (error) => error._tag === "ObjectStoreError" && error.reason._tag === "Conflict"
  })

const attempt = Effect.fnUntraced(function*(
  store: ObjectStore["Service"],
  key: string,
  said: Layout.Said,
  columns: ReadonlyArray<Column>,
  where: ReadonlyArray<Condition>
) {
  const end = yield* tail(store, key, TAIL)
  if (end === undefined) return { length: 0, columns: {} } satisfies Batch
  const { etag, size } = end
  const read = (from: number, to: number) => Effect.map(store.read(key, { from, to }, etag), ({ bytes }) => bytes)
  const needed = Parquet.footerLength(end.bytes)
  const known = needed <= end.bytes.length || needed > size ? end.bytes : yield* read(size - needed, size)
  const start = size - known.length
  const run = Effect.runPromiseWith(yield* Effect.context<never>())
  return yield* Effect.tryPromise({
    try: async (signal): Promise<Batch> => {
      const slice: ParquetReader.Slice = (from, to) =>
        from >= start ? Promise.resolve(known.subarray(from - start, to - start)) : run(read(from, to), { signal })
      const inFile = columns.filter((column) =>
        column === "symbol" || column === "date" ? said[column] === undefined : true
      )
      const footer = Parquet.footer(known)
      const rows = await ParquetReader.rows(footer, size, slice, inFile, (group) => mayHoldGroup(group, where))
      return { length: rows.length, columns: { ...said, ...Object.fromEntries(rows.columns) } }
    },
    catch: (cause) =>
      cause instanceof ObjectStoreError
        ? cause
        : new Parquet.ParquetError({ message: `${key}: ${String(cause)}`, cause })
  })
})

const mayHoldGroup = (group: RowGroup, where: ReadonlyArray<Condition>): boolean =>
  where.every((condition) => {
    const bounds = boundsOf(group.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === condition.column))
    return bounds === undefined || within(condition, bounds[0], bounds[1])
  })

const boundsOf = (chunk: ColumnChunk | undefined): readonly [Literal, Literal] | undefined => {
  const { path_in_schema, statistics, type } = chunk?.meta_data ?? {}
  const { max_value, min_value } = statistics ?? {}
  // The decoder's decimals are off by a bit, which would exclude a bound itself.
  if (type === "INT64" && Parquet.prices.some((price) => price === path_in_schema?.[0])) return undefined
  if (typeof min_value === "string" && typeof max_value === "string") return [min_value, max_value]
  const [least, most] = [Number(min_value), Number(max_value)]
  return Number.isNaN(least) || Number.isNaN(most) ? undefined : [least, most]
}
