/** What a person asks the warehouse in Redshift. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ColumnNames from "../database/ColumnNames.ts"
import * as RedshiftApi from "./RedshiftApi.ts"
import * as RedshiftTarget from "./RedshiftTarget.ts"
import { WarehouseError } from "./Warehouse.ts"
import { Refused } from "./WarehouseReason.ts"

/** One SELECT, in a connection whose search path has the warehouse's schema in front. */
export const query = (
  target: RedshiftTarget.RedshiftTarget,
  text: string
): Effect.Effect<ReadonlyArray<{ readonly [column: string]: RedshiftApi.Value }>, WarehouseError, Scope.Scope> =>
  Effect.gen(function*() {
    if (!isReading(text)) {
      const text = "only a statement that reads is run: SELECT, WITH, SHOW, EXPLAIN"
      return yield* Effect.fail(new Refused({ text, fix: "write one SELECT" }))
    }
    const api = yield* RedshiftApi.make(target)
    const id = yield* api.run([`set search_path to ${target.schema}, public`, text])
    const { columns, rows } = yield* api.rows(id, 2)
    const names = ColumnNames.distinct(columns)
    return rows.map((row) => ColumnNames.row(names, row))
  }).pipe(
    Effect.mapError((reason) =>
      new WarehouseError({ operation: "query", subject: RedshiftTarget.describe(target), reason })
    )
  )

/** The Data API has no read-only transaction, so what could write is turned down by its first word, and by INTO. */
const isReading = (text: string): boolean => {
  const code = text.replace(/'(?:[^'\\]|''|\\[\s\S])*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g, " ")
  return /^[\s(]*(?:select|with|show|explain|values)\b/i.test(code) && !/\binto\b/i.test(code)
}
