/** Answers a statement of `LakeSql` from the lake's files, a file at a time: sums need no memory, rows need it for `limit`. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as ColumnNames from "../database/ColumnNames.ts"
import * as LakeScan from "./LakeScan.ts"
import * as LakeSql from "./LakeSql.ts"
import type { Layout } from "./Layout.ts"
import { ObjectStore } from "./ObjectStore.ts"

export class LakeQueryError extends Schema.TaggedError<LakeQueryError>()("LakeQueryError", {
  message: Schema.String,
  fix: Schema.String
}) {}

type Cell = string | number | Date | null
type Row = { readonly [column: string]: Cell }

/** More rows than a person reads: then it is a job for DuckDB. */
const MOST = 100_000

export const ask = Effect.fn("LakeQuery.ask")(function*(text: string, layout: Layout) {
  const query = LakeSql.parse(text)
  if (Result.isFailure(query)) {
    return yield* new LakeQueryError({
      message: query.failure,
      fix: "the lake knows: select … from bars [where … and …] [group by …] [order by …] [limit n]"
    })
  }
  const { groupBy, items } = query.success
  const aggregated = groupBy.length > 0 || items.some(({ aggregate }) => aggregate !== undefined)
  const rows = yield* aggregated ? groups(query.success, layout) : plain(query.success, layout)
  return ordered(rows, query.success)
})

const columnsOf = ({ items, where }: LakeSql.Query): ReadonlyArray<LakeSql.Column> =>
  LakeSql.COLUMNS.filter((column) =>
    items.some((item) => item.column === column) || where.some((condition) => condition.column === column)
  )

const batches = (query: LakeSql.Query, layout: Layout) =>
  Effect.map(ObjectStore, (store) => LakeScan.scan(store, layout, columnsOf(query), query.where))

type Batch = LakeScan.Batch

/** The rows of a batch for which every condition holds. */
const matching = (batch: Batch, where: ReadonlyArray<LakeSql.Condition>): ReadonlyArray<number> => {
  const rows: Array<number> = []
  for (let at = 0; at < batch.length; at++) {
    if (
      where.every((condition) => {
        const value = valueAt(batch, condition.column, at)
        return LakeScan.within(condition, value, value)
      })
    ) rows.push(at)
  }
  return rows
}

const valueAt = ({ columns }: Batch, column: LakeSql.Column, at: number): LakeSql.Literal => {
  const values = columns[column]
  return typeof values === "string" ? values : values?.[at] as LakeSql.Literal
}

const plain = Effect.fnUntraced(function*(query: LakeSql.Query, layout: Layout) {
  const { items, limit, orderBy, where } = query
  const enough = orderBy.length === 0 ? limit : undefined
  if (enough === 0) return []
  const rows: Array<ReadonlyArray<LakeSql.Literal>> = []
  yield* Stream.runForEachWhile(yield* batches(query, layout), (batch) =>
    Effect.sync(() => {
      for (const at of matching(batch, where)) rows.push(items.map(({ column }) => valueAt(batch, column!, at)))
      return rows.length <= MOST && (enough === undefined || rows.length < enough)
    }))
  if (enough === undefined && rows.length > MOST) {
    return yield* new LakeQueryError({
      message: `more than ${MOST} rows`,
      fix: "narrow it by where, or add a limit without order by"
    })
  }
  return rows
})

/** A group's running values, one for each item. */
interface Group {
  readonly key: ReadonlyArray<LakeSql.Literal>
  readonly states: ReadonlyArray<{ count: number; sum: number; least: Cell; most: Cell }>
}

const groups = Effect.fnUntraced(function*(query: LakeSql.Query, layout: Layout) {
  const { groupBy, items, where } = query
  const found = new Map<string, Group>()
  const groupOf = (key: ReadonlyArray<LakeSql.Literal>): Group => {
    const name = JSON.stringify(key)
    const group = found.get(name) ?? { key, states: items.map(() => ({ count: 0, sum: 0, least: null, most: null })) }
    found.set(name, group)
    return group
  }
  // Without `group by` there is one group, also of no rows.
  if (groupBy.length === 0) groupOf([])
  yield* Stream.runForEach(yield* batches(query, layout), (batch) =>
    Effect.sync(() => {
      for (const at of matching(batch, where)) {
        const group = groupOf(groupBy.map((item) => valueAt(batch, items[item]!.column!, at)))
        items.forEach(({ column }, item) =>
          column === undefined
            ? group.states[item]!.count++
            : add(group.states[item]!, valueAt(batch, column, at))
        )
      }
    }))
  return [...found.values()].map(({ key, states }) =>
    items.map(({ aggregate }, item) =>
      aggregate === undefined ? key[groupBy.indexOf(item)]! : result(aggregate, states[item]!)
    )
  )
})

const add = (state: Group["states"][number], value: LakeSql.Literal): void => {
  state.count++
  if (typeof value === "number") state.sum += value
  if (state.least === null || value < state.least) state.least = value
  if (state.most === null || value > state.most) state.most = value
}

const result = (aggregate: LakeSql.Aggregate, { count, least, most, sum }: Group["states"][number]): Cell => {
  if (aggregate === "count") return count
  if (count === 0) return null
  return { sum, min: least, max: most, avg: sum / count }[aggregate]
}

const ordered = (rows: ReadonlyArray<ReadonlyArray<Cell>>, { items, limit, orderBy }: LakeSql.Query): Array<Row> => {
  const sorted = orderBy.length === 0 ? rows : rows.toSorted((left, right) => {
    for (const { descending, item } of orderBy) {
      const [a, b] = [left[item]!, right[item]!]
      if (a !== b) return (a < b ? -1 : 1) * (descending ? -1 : 1)
    }
    return 0
  })
  const names = ColumnNames.distinct(items.map(({ name }) => name))
  return sorted.slice(0, limit).map((row) =>
    ColumnNames.row(names, items.map(({ aggregate, column }, at) => shown(row[at]!, column, aggregate)))
  )
}

const shown = (value: Cell, column: LakeSql.Column | undefined, aggregate: LakeSql.Aggregate | undefined): Cell =>
  column === "ts" && aggregate !== "count" && typeof value === "number" ? new Date(value) : value
