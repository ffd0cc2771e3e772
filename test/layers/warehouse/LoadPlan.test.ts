import { expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { contentHash } from "../../../src/layers/bars/Bars.ts"
import * as LoadPlan from "../../../src/layers/warehouse/LoadPlan.ts"
import * as RedshiftCopy from "../../../src/layers/warehouse/RedshiftCopy.ts"
import * as RedshiftSql from "../../../src/layers/warehouse/RedshiftSql.ts"
import type { LoadPartition } from "../../../src/layers/warehouse/Warehouse.ts"
import * as TestBars from "../../support/TestBars.ts"

const partitionsOf = (counts: ReadonlyArray<number>): ReadonlyArray<LoadPartition> =>
  counts.map((count, at) => {
    const session = `2024-03-${String(at + 1).padStart(2, "0")}`
    const bars = TestBars.make(session, count)
    return { source: "test", symbol: "O'Neill ü", interval: "1min", session, bars, contentHash: contentHash(bars) }
  })

const loadOf = (partitions: ReadonlyArray<LoadPartition>, limit: number): RedshiftSql.Load => ({
  schema: "warehouse",
  partitions,
  generations: partitions.map(() => 0),
  limit,
  now: 0
})

it("a month of minute bars is one transaction, and it says so", () => {
  const plan = LoadPlan.estimate(21 * 390, RedshiftSql.limits, false)
  expect(LoadPlan.explain(plan, 21 * 390)).toBe(
    "8190 rows in one transaction of 18 statements: they fit the Data API's 40 statements of 100 KB"
  )
})

it("a million rows are staged in several and swapped in one", () => {
  const plan = LoadPlan.estimate(1_000_000, RedshiftSql.limits, false)
  expect(LoadPlan.explain(plan, 1_000_000)).toBe(
    "1000000 rows through the stage table in 15 transactions of up to 40 statements, then one swap: "
      + "more than the Data API takes in one transaction; with copy= in BAROGRAPH_WAREHOUSE they would come from S3 in one"
  )
})

it("with a bucket they are copied, and what is small is not", () => {
  const { copyRows } = RedshiftSql.limits
  expect(LoadPlan.explain(LoadPlan.estimate(1_000_000, RedshiftSql.limits, true), 1_000_000)).toBe(
    "1000000 rows by COPY from S3, in 10 objects: so many are quicker than as statements"
  )
  expect(LoadPlan.estimate(copyRows, RedshiftSql.limits, true)).toEqual({ _tag: "Copy", objects: 1 })
  expect(LoadPlan.estimate(copyRows - 1, RedshiftSql.limits, true)._tag).toBe("OneTransaction")
})

it.prop(
  "objects hold whole partitions, each once and in order, and no more rows than allowed unless it is one partition",
  [
    Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 50 }))),
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 120 }))
  ],
  ([counts, limit]) => {
    const partitions = partitionsOf([1, ...counts].slice(0, 28))
    const cut = RedshiftCopy.objects(partitions, limit)
    expect(cut.flatMap(({ end, first }) => partitions.slice(first, end))).toEqual(partitions)
    for (const { end, first } of cut) {
      const rows = partitions.slice(first, end).map(({ bars }) => bars.length)
      const held = rows.reduce((sum, one) => sum + one, 0)
      expect(held <= limit || rows.filter((one) => one > 0).length === 1).toBe(true)
    }
    return true
  }
)

it.prop("a load that is planned as one transaction is as long as planned, and no statement is over the limit", [
  Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 200 }))),
  Schema.Int.check(Schema.isBetween({ minimum: 1_000, maximum: 30_000 }))
], ([counts, bytes]) => {
  const limits = { ...RedshiftSql.limits, bytes }
  const load = loadOf(partitionsOf([1, ...counts].slice(0, 28)), bytes)
  const rows = RedshiftSql.stage(load.partitions, bytes)
  const plan = LoadPlan.choose(rows.length, RedshiftSql.nameStatements(load), limits)
  const { statements } = plan._tag === "OneTransaction"
    ? RedshiftSql.oneTransaction(load, rows)
    : RedshiftSql.swap(load, "load")
  if (plan._tag === "OneTransaction") expect(statements).toHaveLength(plan.statements)
  expect(statements.length).toBeLessThanOrEqual(40)
  expect(statements.filter((sql) => Buffer.byteLength(sql) > Math.max(bytes, 1_000))).toEqual([])
  return true
})
