/** What was materialized: the history of successes, and for each partition the latest one and the failure since. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type { PartitionState } from "../plan/Staleness.ts"
import { during, type StoreError } from "./StoreError.ts"

export interface Materialization {
  readonly asset: string
  readonly partition: string
  readonly codeVersion: string
  readonly dataVersion: string
  /** Data version per dependency. */
  readonly inputs: { readonly [dependency: string]: string }
  /** The encoded output. */
  readonly output: unknown
  readonly seconds: number
}

export interface State extends PartitionState {
  /** The encoded output of the latest success. */
  readonly output: unknown
}

export class MaterializationStore extends Context.Service<MaterializationStore, {
  /** The state of those of the partitions that have one. */
  readonly states: (
    asset: string,
    partitions: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyMap<string, State>, StoreError>
  /** One transaction. */
  readonly record: (runId: string, done: ReadonlyArray<Materialization>) => Effect.Effect<void, StoreError>
  readonly fail: (
    runId: string,
    asset: string,
    partitions: ReadonlyArray<string>,
    error: string
  ) => Effect.Effect<void, StoreError>
  /** Per asset, how many partitions have a success and how many failed since. */
  readonly counts: Effect.Effect<
    ReadonlyMap<
      string,
      { readonly materialized: number; readonly failed: number; readonly latestAt: number | undefined }
    >,
    StoreError
  >
}>()("barograph/runtime/store/MaterializationStore") {
  static readonly layer = Layer.effect(
    MaterializationStore,
    Effect.map(SqlClient.SqlClient, (sql) => make(sql))
  )

  static readonly layerMemory = Layer.sync(MaterializationStore, () => makeMemory())
}

interface Row {
  readonly partition: string
  readonly failure: string | null
  readonly code_version: string | null
  readonly data_version: string
  readonly inputs: { readonly [dependency: string]: string }
  readonly output: unknown
  readonly materialized_at: Date
}

const fromRow = (row: Row): State => ({
  failure: row.failure ?? undefined,
  output: row.output,
  latest: row.code_version === null ? undefined : {
    codeVersion: row.code_version,
    dataVersion: row.data_version,
    inputs: row.inputs,
    materializedAt: row.materialized_at.getTime()
  }
})

/** Lists travel as one JSON parameter: an empty or very long list is like any other. */
const list = (values: ReadonlyArray<string>): string => JSON.stringify(values)

const make = (sql: SqlClient.SqlClient): MaterializationStore["Service"] => ({
  states: (asset, partitions) =>
    sql<Row>`select p.partition, p.failure, m.code_version, m.data_version, m.inputs, m.output, m.materialized_at
      from jsonb_array_elements_text(${list(partitions)}::jsonb) as asked(partition)
      join barograph.partitions p on p.asset = ${asset} and p.partition = asked.partition
      left join barograph.materializations m using (materialization_id)`.pipe(
      Effect.map((rows) => new Map(rows.map((row) => [row.partition, fromRow(row)]))),
      during("read partition states")
    ),
  record: (runId, done) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      sql`with done as (
        insert into barograph.materializations
          (asset, partition, run_id, code_version, data_version, inputs, output, materialized_at, seconds)
        select d.asset, d.partition, ${runId}, d."codeVersion", d."dataVersion", d.inputs, d.output, ${new Date(
        now
      )}, d.seconds
        from jsonb_to_recordset(${JSON.stringify(done)}::jsonb) as d(
          asset text, partition text, "codeVersion" text, "dataVersion" text, inputs jsonb, output jsonb, seconds float8)
        returning materialization_id, asset, partition
      )
      insert into barograph.partitions (asset, partition, materialization_id)
      select asset, partition, materialization_id from done
      on conflict (asset, partition) do update
        set materialization_id = excluded.materialization_id, failed_run_id = null, failure = null`).pipe(
        Effect.asVoid,
        during("record materializations")
      ),
  fail: (runId, asset, partitions, error) =>
    sql`insert into barograph.partitions (asset, partition, failed_run_id, failure)
      select ${asset}::text, failed.partition, ${runId}::text, ${error}::text
      from jsonb_array_elements_text(${list(partitions)}::jsonb) as failed(partition)
      on conflict (asset, partition) do update
        set failed_run_id = excluded.failed_run_id, failure = excluded.failure`.pipe(
      Effect.asVoid,
      during("record failures")
    ),
  counts: sql<{ asset: string; materialized: number; failed: number; latest_at: Date | null }>`
    select p.asset, count(p.materialization_id)::int as materialized, count(p.failure)::int as failed,
      max(m.materialized_at) as latest_at
    from barograph.partitions p left join barograph.materializations m using (materialization_id) group by p.asset`
    .pipe(
      Effect.map((rows) =>
        new Map(rows.map((row) => [row.asset, {
          materialized: row.materialized,
          failed: row.failed,
          latestAt: row.latest_at?.getTime()
        }]))
      ),
      during("count partitions")
    )
})

const makeMemory = (): MaterializationStore["Service"] => {
  const known = new Map<string, Map<string, State>>()
  const of = (asset: string): Map<string, State> => {
    if (!known.has(asset)) known.set(asset, new Map())
    return known.get(asset)!
  }
  return {
    states: (asset, partitions) =>
      Effect.sync(() =>
        new Map(partitions.flatMap((text) => {
          const state = of(asset).get(text)
          return state === undefined ? [] : [[text, state] as const]
        }))
      ),
    record: (_, done) =>
      Effect.map(Clock.currentTimeMillis, (materializedAt) => {
        for (const { asset, codeVersion, dataVersion, inputs, output, partition } of done) {
          const latest = { codeVersion, dataVersion, inputs, materializedAt }
          of(asset).set(partition, { latest, failure: undefined, output })
        }
      }),
    fail: (_, asset, partitions, error) =>
      Effect.sync(() => {
        for (const text of partitions) {
          const before = of(asset).get(text)
          of(asset).set(text, { latest: before?.latest, output: before?.output, failure: error })
        }
      }),
    counts: Effect.sync(() =>
      new Map([...known].map(([asset, states]) => {
        const all = [...states.values()]
        const times = all.flatMap((state) => state.latest === undefined ? [] : [state.latest.materializedAt])
        return [asset, {
          materialized: times.length,
          failed: all.filter((state) => state.failure !== undefined).length,
          latestAt: times.length === 0 ? undefined : Math.max(...times)
        }]
      }))
    )
  }
}
