/** `query`: one read-only statement against a store of the project. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { didYouMean } from "../../asset/Suggest.ts"
import { ApplicationLoader } from "../Application.ts"
import { usage } from "../Failure.ts"
import * as Print from "../render/Print.ts"
import * as Table from "../render/Table.ts"

const cell = (value: unknown): string => {
  if (value === null || value === undefined) return ""
  if (value instanceof Date) return value.toISOString()
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}

export const query = Effect.fnUntraced(function*(
  input: {
    readonly sql: string
    readonly store: string
    readonly asOf: Option.Option<string>
    readonly json: boolean
  }
) {
  if (input.sql.trim() === "") {
    return yield* usage("Nothing is asked.", "barograph query \"select * from bars limit 10\"")
  }
  const { stores } = yield* (yield* ApplicationLoader).load
  const ask = stores[input.store]
  if (ask === undefined) {
    const known = Object.keys(stores)
    return yield* usage(
      `There is no store "${input.store}".${didYouMean(input.store, known)}`,
      `--store ${known.join("|")}`
    )
  }
  const rows = yield* ask(input.sql, Option.getOrUndefined(input.asOf))
  if (input.json) return yield* Print.json(rows)
  if (rows.length === 0) return yield* Print.lines(["(no rows)"])
  const columns = Object.keys(rows[0]!)
  yield* Print.lines(Table.render(columns, rows.map((row) => columns.map((column) => cell(row[column])))))
})
