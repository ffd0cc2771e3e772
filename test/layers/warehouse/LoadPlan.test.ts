import { expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { contentHash } from "../../../src/layers/bars/Bars.ts"
import * as LoadPlan from "../../../src/layers/warehouse/LoadPlan.ts"
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
      + "more than the Data API takes in one transaction"
  )
})

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
