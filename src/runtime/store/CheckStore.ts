/** The latest result of each check on each partition. Those before are in the events of their runs. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type { Severity } from "../asset/Check.ts"
import type { Metadata } from "../asset/Metadata.ts"
import { during, type StoreError } from "./StoreError.ts"

export interface CheckResult {
  readonly asset: string
  readonly check: string
  readonly partition: string
  readonly passed: boolean
  readonly severity: Severity
  readonly blocking: boolean
  readonly description: string | undefined
  readonly metadata: Metadata
}

/** A result as it is kept. */
export interface Kept {
  readonly partition: string
  readonly passed: boolean
  readonly severity: Severity
  readonly description: string | undefined
  readonly metadata: Metadata
  /** Epoch milliseconds. */
  readonly at: number
  /** Undefined when a command asked, not a run. */
  readonly runId: string | undefined
}

/** How the partitions of an asset stand with one of its checks. */
export interface Totals {
  readonly passed: number
  readonly failed: number
  /** When one of them was last asked about, epoch milliseconds. */
  readonly latestAt: number
}

export class CheckStore extends Context.Service<CheckStore, {
  /** Each replaces the result before it of the same check and partition. */
  readonly record: (
    runId: string | undefined,
    results: ReadonlyArray<CheckResult>
  ) => Effect.Effect<void, StoreError>
  /** Check to how its partitions stand; checks that were never asked are left out. */
  readonly totals: (asset: string) => Effect.Effect<ReadonlyMap<string, Totals>, StoreError>
  /** The first partitions, in the order of their texts, that did not pass. */
  readonly failing: (
    asset: string,
    check: string,
    limit: number
  ) => Effect.Effect<ReadonlyArray<Kept>, StoreError>
  /** The latest results on these partitions; those that were never asked about are left out. */
  readonly latest: (
    asset: string,
    check: string,
    partitions: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyArray<Kept>, StoreError>
}>()("barograph/runtime/store/CheckStore") {
  static readonly layer = Layer.effect(CheckStore, Effect.map(SqlClient.SqlClient, (sql) => make(sql)))

  static readonly layerMemory = Layer.sync(CheckStore, () => makeMemory())
}

interface Row {
  readonly partition: string
  readonly passed: boolean
  readonly severity: Severity
  readonly description: string | null
  readonly metadata: Metadata
  readonly checked_at: Date
  readonly run_id: string | null
}

const fromRow = (row: Row): Kept => ({
  partition: row.partition,
  passed: row.passed,
  severity: row.severity,
  description: row.description ?? undefined,
  metadata: row.metadata,
  at: row.checked_at.getTime(),
  runId: row.run_id ?? undefined
})

/** In one order for everybody: two writers of the same results wait for each other, never both. */
const record = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  runId: string | undefined,
  results: ReadonlyArray<CheckResult>
) {
  if (results.length === 0) return
  const now = new Date(yield* Clock.currentTimeMillis)
  yield* sql`insert into barograph.check_results
      (asset, check_name, partition, passed, severity, description, metadata, checked_at, run_id)
    select asset, "check", partition, passed, severity, description, metadata, ${now}::timestamptz, ${
    runId ?? null
  }::text
    from jsonb_to_recordset(${JSON.stringify(results)}::jsonb) as r(
      asset text, "check" text, partition text, passed boolean, severity text, description text, metadata jsonb)
    order by 1, 2, 3
    on conflict (asset, check_name, partition) do update set passed = excluded.passed, severity = excluded.severity,
      description = excluded.description, metadata = excluded.metadata, checked_at = excluded.checked_at,
      run_id = excluded.run_id`
})

const make = (sql: SqlClient.SqlClient): CheckStore["Service"] => ({
  record: (runId, results) => record(sql, runId, results).pipe(during("record results of checks")),
  totals: (asset) =>
    sql<{ check_name: string; passed: number; failed: number; latest: Date }>`
      select check_name, (count(*) filter (where passed))::float8 as passed,
        (count(*) filter (where not passed))::float8 as failed, max(checked_at) as latest
      from barograph.check_results where asset = ${asset} group by check_name`.pipe(
      Effect.map((rows) =>
        new Map(rows.map(({ check_name, failed, latest, passed }) => [
          check_name,
          { passed, failed, latestAt: latest.getTime() }
        ]))
      ),
      during("count results of checks")
    ),
  failing: (asset, check, limit) =>
    sql<Row>`select partition, passed, severity, description, metadata, checked_at, run_id
      from barograph.check_results where asset = ${asset} and check_name = ${check} and not passed
      order by partition limit ${limit}`.pipe(
      Effect.map((rows) => rows.map(fromRow)),
      during("read results of checks")
    ),
  latest: (asset, check, partitions) =>
    sql<Row>`select partition, passed, severity, description, metadata, checked_at, run_id
      from barograph.check_results
      join jsonb_array_elements_text(${JSON.stringify(partitions)}::jsonb) as asked(partition) using (partition)
      where asset = ${asset} and check_name = ${check}`.pipe(
      Effect.map((rows) => rows.map(fromRow)),
      during("read results of checks")
    )
})

const makeMemory = (): CheckStore["Service"] => {
  const kept = new Map<string, Map<string, Map<string, Kept>>>()
  const of = (asset: string, check: string): Map<string, Kept> => {
    const own = kept.get(asset) ?? new Map<string, Map<string, Kept>>()
    kept.set(asset, own)
    const results = own.get(check) ?? new Map<string, Kept>()
    own.set(check, results)
    return results
  }
  return {
    record: (runId, results) =>
      Effect.map(Clock.currentTimeMillis, (at) => {
        for (const { asset, check, description, metadata, partition, passed, severity } of results) {
          of(asset, check).set(partition, { partition, passed, severity, description, metadata, at, runId })
        }
      }),
    totals: (asset) =>
      Effect.sync(() =>
        new Map([...(kept.get(asset) ?? [])].map(([check, results]) => {
          const all = [...results.values()]
          const passed = all.filter((one) => one.passed).length
          return [check, { passed, failed: all.length - passed, latestAt: Math.max(...all.map(({ at }) => at)) }]
        }))
      ),
    failing: (asset, check, limit) =>
      Effect.sync(() =>
        [...of(asset, check).values()].filter(({ passed }) => !passed)
          .sort((a, b) => a.partition < b.partition ? -1 : 1).slice(0, limit)
      ),
    latest: (asset, check, partitions) =>
      Effect.sync(() => {
        const results = of(asset, check)
        return partitions.flatMap((partition) => results.has(partition) ? [results.get(partition)!] : [])
      })
  }
}
