/** What conditions remember from one evaluation to the next, and the evaluations that are worth keeping. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type { Answer, State } from "../automation/ConditionState.ts"
import { during, type StoreError } from "./StoreError.ts"

/** An evaluation that asked for something, or whose answer was another one than before. */
export interface Record {
  /** Epoch milliseconds. */
  readonly at: number
  /** See `ConditionState.fingerprint`: the answer belongs to this one. */
  readonly condition: string
  /** How many partitions were asked for. */
  readonly count: number
  readonly partitions: string
  /** The run that was asked for. */
  readonly runId: string | undefined
  readonly answer: Answer
}

export interface Evaluated {
  readonly asset: string
  readonly state: State
  readonly record: Record | undefined
}

export class ConditionStore extends Context.Service<ConditionStore, {
  /** Asset to what its condition remembers. */
  readonly states: Effect.Effect<ReadonlyMap<string, State>, StoreError>
  readonly state: (asset: string) => Effect.Effect<State | undefined, StoreError>
  /** Each replaces the state before it; of an asset's records the newest hundred are kept. */
  readonly save: (evaluated: ReadonlyArray<Evaluated>) => Effect.Effect<void, StoreError>
  /** Newest first. */
  readonly records: (asset: string, limit: number) => Effect.Effect<ReadonlyArray<Record>, StoreError>
}>()("barograph/runtime/store/ConditionStore") {
  static readonly layer = Layer.effect(ConditionStore, Effect.map(SqlClient.SqlClient, (sql) => make(sql)))

  static readonly layerMemory = Layer.sync(ConditionStore, () => makeMemory())
}

/** So many records of an asset are kept. */
export const KEPT = 100

interface Row {
  readonly at: Date
  readonly condition: string
  readonly count: number
  readonly partitions: string
  readonly run_id: string | null
  readonly answer: Answer
}

const save = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, evaluated: ReadonlyArray<Evaluated>) {
  if (evaluated.length === 0) return
  const states = JSON.stringify(evaluated.map(({ asset, state }) => ({ asset, state })))
  yield* sql`insert into barograph.condition_states (asset, state)
    select asset, state from jsonb_to_recordset(${states}::jsonb) as s(asset text, state jsonb)
    on conflict (asset) do update set state = excluded.state`
  const records = evaluated.flatMap(({ asset, record }) =>
    record === undefined ? [] : [{ asset, ...record, at: new Date(record.at).toISOString() }]
  )
  if (records.length === 0) return
  yield* sql`insert into barograph.condition_records (asset, at, condition, count, partitions, run_id, answer)
    select asset, at, condition, count, partitions, "runId", answer
    from jsonb_to_recordset(${JSON.stringify(records)}::jsonb) as r(
      asset text, at timestamptz, condition text, count int, partitions text, "runId" text, answer jsonb)`
  yield* sql`delete from barograph.condition_records old
    using jsonb_array_elements_text(${JSON.stringify(records.map(({ asset }) => asset))}::jsonb) as saved(asset),
      lateral (select record_id from barograph.condition_records r where r.asset = saved.asset
        order by record_id desc offset ${KEPT} limit 1) as last
    where old.asset = saved.asset and old.record_id <= last.record_id`
})

const make = (sql: SqlClient.SqlClient): ConditionStore["Service"] => ({
  states: sql<{ asset: string; state: State }>`select asset, state from barograph.condition_states`.pipe(
    Effect.map((rows) => new Map(rows.map(({ asset, state }) => [asset, state]))),
    during("read what conditions remember")
  ),
  state: (asset) =>
    sql<{ state: State }>`select state from barograph.condition_states where asset = ${asset}`.pipe(
      Effect.map(([row]) => row?.state),
      during("read what a condition remembers")
    ),
  save: (evaluated) => save(sql, evaluated).pipe(during("record evaluations of conditions")),
  records: (asset, limit) =>
    sql<Row>`select at, condition, count, partitions, run_id, answer from barograph.condition_records
      where asset = ${asset} order by record_id desc limit ${limit}`.pipe(
      Effect.map((rows) =>
        rows.map(({ answer, at, condition, count, partitions, run_id }) => ({
          at: at.getTime(),
          condition,
          count,
          partitions,
          runId: run_id ?? undefined,
          answer
        }))
      ),
      during("read evaluations of conditions")
    )
})

const makeMemory = (): ConditionStore["Service"] => {
  const states = new Map<string, State>()
  const records = new Map<string, Array<Record>>()
  return {
    states: Effect.sync(() => new Map(states)),
    state: (asset) => Effect.sync(() => states.get(asset)),
    save: (evaluated) =>
      Effect.sync(() => {
        for (const { asset, record, state } of evaluated) {
          states.set(asset, state)
          if (record !== undefined) records.set(asset, [record, ...(records.get(asset) ?? [])].slice(0, KEPT))
        }
      }),
    records: (asset, limit) => Effect.sync(() => (records.get(asset) ?? []).slice(0, limit))
  }
}
