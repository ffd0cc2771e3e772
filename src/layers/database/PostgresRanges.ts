/**
 * Ranges of time that the server looks up one by one in an index. As conditions joined by `or` they are a bitmap, and from
 * thirty-some on the server no longer sees that it need not read all else that the index has of a symbol.
 */
import type * as SqlClient from "effect/sql/SqlClient"
import type { Fragment } from "effect/sql/Statement"
import * as PostgresArrays from "./PostgresArrays.ts"

/** Half-open, in epoch milliseconds. */
export interface Range {
  readonly from: number
  readonly to: number
}

/**
 * The table `ranges("from", "to")`, for a lateral join with a subquery that ends with `offset 0`, which keeps the server from
 * joining otherwise. Plan such a statement anew each time (`unprepared`): how many ranges there are decides.
 */
export const table = (sql: SqlClient.SqlClient, ranges: ReadonlyArray<Range>): Fragment =>
  sql`unnest(${PostgresArrays.timestamps(ranges.map(({ from }) => from))}::timestamptz[],
    ${PostgresArrays.timestamps(ranges.map(({ to }) => to))}::timestamptz[]) as ranges("from", "to")`
