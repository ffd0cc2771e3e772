/** Ranges of time as a condition that an index answers: one is a range of it, several are a bitmap. */
import type * as SqlClient from "effect/sql/SqlClient"
import type { Fragment } from "effect/sql/Statement"

/** Half-open, in epoch milliseconds. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** `column`, a timestamptz, lies in one of these ranges, of which there is one at least. */
export const within = (sql: SqlClient.SqlClient, column: string, ranges: ReadonlyArray<Range>): Fragment =>
  sql.or(
    ranges.map(({ from, to }) =>
      sql`(${sql(column)} >= ${new Date(from)}::timestamptz and ${sql(column)} < ${new Date(to)}::timestamptz)`
    )
  )
