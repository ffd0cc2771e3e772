/** Every success of an asset's partitions, newest first, a page at a time; each reading is a range of an index. */
import type * as SqlClient from "effect/sql/SqlClient"
import * as Metadata from "../asset/Metadata.ts"

export interface Entry {
  /** Later ones are greater; what `before` names. */
  readonly id: number
  readonly partition: string
  readonly runId: string
  readonly codeVersion: string
  readonly dataVersion: string
  /** Epoch milliseconds. */
  readonly materializedAt: number
  /** How long the call took that it was part of. */
  readonly seconds: number
  /** Numbers and texts of what it recorded. */
  readonly metadata: Metadata.Metadata
  /** The blocking check that it did not pass, and why. */
  readonly rejected: string | undefined
}

export interface Asked {
  readonly asset: string
  /** All of the asset's when left out. */
  readonly partition: string | undefined
  readonly limit: number
  /** Only those before this id. */
  readonly before: number | undefined
}

export interface Row {
  readonly id: number
  readonly partition: string
  readonly run_id: string
  readonly code_version: string
  readonly data_version: string
  readonly output: unknown
  readonly materialized_at: Date
  readonly seconds: number
  readonly rejected: string | null
}

export const page = (sql: SqlClient.SqlClient, { asset, before, limit, partition }: Asked) => {
  const older = before === undefined ? sql.literal("") : sql`and materialization_id < ${String(before)}::bigint`
  const own = partition === undefined ? sql.literal("") : sql`and partition = ${partition}`
  return sql<Row>`select materialization_id::float8 as id, partition, run_id, code_version, data_version, output,
      materialized_at, seconds, rejected
    from barograph.materializations where asset = ${asset} ${own} ${older}
    order by materialization_id desc limit ${limit}`
}

export const fromRow = (row: Row): Entry => ({
  id: row.id,
  partition: row.partition,
  runId: row.run_id,
  codeVersion: row.code_version,
  dataVersion: row.data_version,
  materializedAt: row.materialized_at.getTime(),
  seconds: row.seconds,
  metadata: Metadata.fromOutput(row.output),
  rejected: row.rejected ?? undefined
})

/** Per asset the time of the latest success that no check rejected. */
export const latest = (sql: SqlClient.SqlClient, assets: ReadonlyArray<string>) =>
  sql<{ asset: string; at: Date }>`select asked.asset, m.materialized_at as at
    from jsonb_array_elements_text(${JSON.stringify(assets)}::jsonb) as asked(asset)
    cross join lateral (
      select materialized_at from barograph.materializations
      where asset = asked.asset and rejected is null
      order by materialization_id desc limit 1
    ) m`
