/**
 * What was materialized: the history of successes of each partition, the failure since, and, for plans, how all
 * partitions stand, in a form whose size does not follow their number.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as Metadata from "../asset/Metadata.ts"
import type * as Partitions from "../partition/Partitions.ts"
import type { PartitionState } from "../plan/Staleness.ts"
import type { Class } from "../plan/Standing.ts"
import * as History from "./History.ts"
import * as Outcome from "./Outcome.ts"
import * as PartitionLine from "./PartitionLine.ts"
import { during, type StoreError } from "./StoreError.ts"
import * as Transaction from "./Transaction.ts"

export interface State extends PartitionState {
  /** The encoded output of the latest success. */
  readonly output: unknown
}

export type States = ReadonlyMap<string, ReadonlyMap<string, State>>

export class MaterializationStore extends Context.Service<MaterializationStore, {
  /** Asset to partition to state, of those of the partitions that have one. */
  readonly states: (asked: ReadonlyMap<string, ReadonlyArray<string>>) => Effect.Effect<States, StoreError>
  /** How all existing partitions of these assets stand; what is in no class was never tried. */
  readonly classes: (
    spaces: ReadonlyMap<string, Partitions.Space>
  ) => Effect.Effect<ReadonlyMap<string, ReadonlyArray<Class>>, StoreError>
  /** One transaction. */
  readonly apply: (
    run: Outcome.RunRef,
    outcomes: ReadonlyArray<Outcome.Outcome>
  ) => Effect.Effect<void, StoreError>
  /** Asset to when one of its partitions was last tried, epoch milliseconds. */
  readonly latest: Effect.Effect<ReadonlyMap<string, number>, StoreError>
  /** Asset to the time of its latest success that no check rejected, epoch milliseconds. */
  readonly latestSuccess: (
    assets: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyMap<string, number>, StoreError>
  /** Successes, newest first. */
  readonly history: (asked: History.Asked) => Effect.Effect<ReadonlyArray<History.Entry>, StoreError>
}>()("barograph/runtime/store/MaterializationStore") {
  static readonly layer = Layer.effect(
    MaterializationStore,
    Effect.map(SqlClient.SqlClient, (sql) => make(sql))
  )

  static readonly layerMemory = Layer.sync(MaterializationStore, () => makeMemory())
}

interface Row {
  readonly asset: string
  readonly partition: string
  readonly failure: string | null
  readonly code_version: string | null
  readonly data_version: string
  readonly inputs: { readonly [dependency: string]: string }
  readonly output: unknown
  readonly materialized_at: Date
  readonly rejected: string | null
}

const fromRow = (row: Row): State => ({
  failure: row.failure ?? undefined,
  output: row.output,
  latest: row.code_version === null ? undefined : {
    codeVersion: row.code_version,
    dataVersion: row.data_version,
    inputs: row.inputs,
    materializedAt: row.materialized_at.getTime(),
    rejected: row.rejected ?? undefined
  }
})

/** asset -> key -> value, in any order. */
const grouped = <A>(rows: Iterable<readonly [asset: string, key: string, value: A]>): Map<string, Map<string, A>> => {
  const found = new Map<string, Map<string, A>>()
  for (const [asset, key, value] of rows) {
    const own = found.get(asset) ?? new Map<string, A>()
    found.set(asset, own)
    own.set(key, value)
  }
  return found
}

/**
 * Lists travel as one JSON parameter: an empty or very long list is like any other. What is not known of it makes the
 * database guess, so limits keep it from reading a whole table for a few partitions.
 */
const statesQuery = (sql: SqlClient.SqlClient, asked: ReadonlyArray<readonly [string, ReadonlyArray<string>]>) =>
  sql<Row>`select asked.asset, p.partition, f.error as failure,
      m.code_version, m.data_version, m.inputs, m.output, m.materialized_at, m.rejected
    from jsonb_to_recordset(${JSON.stringify(asked.map(([asset, partitions]) => ({ asset, partitions })))}::jsonb)
      as asked(asset text, partitions jsonb)
    cross join lateral jsonb_array_elements_text(asked.partitions) as p(partition)
    left join lateral (
      select error from barograph.failures f where f.asset = asked.asset and f.partition = p.partition limit 1
    ) f on true
    left join lateral (
      select * from barograph.materializations m where m.asset = asked.asset and m.partition = p.partition
      order by m.materialization_id desc limit 1
    ) m on true
    where m.materialization_id is not null or f.error is not null`

interface LineRow {
  readonly asset: string
  readonly line: string
  readonly state: PartitionLine.Stored
}

/** A line with all that changes in it. */
interface Touched {
  readonly asset: string
  readonly line: string
  readonly space: Partitions.Space
  readonly changes: Array<PartitionLine.Change>
}

const touchedBy = (run: Outcome.RunRef, outcomes: ReadonlyArray<Outcome.Outcome>): ReadonlyArray<Touched> => {
  const found = new Map<string, Touched>()
  for (const outcome of outcomes) {
    for (const [line, changes] of Outcome.changes(run, outcome)) {
      const id = `${outcome.asset}/${line}`
      const known = found.get(id)
      if (known === undefined) found.set(id, { asset: outcome.asset, line, space: outcome.space, changes })
      else known.changes.push(...changes)
    }
  }
  return [...found.values()]
}

/** The lines after the changes, from those before. */
const linesAfter = (
  touched: ReadonlyArray<Touched>,
  before: (asset: string, line: string) => PartitionLine.Stored | undefined
): ReadonlyArray<LineRow> =>
  touched.map(({ asset, changes, line, space }) => {
    const stored = before(asset, line) ?? PartitionLine.EMPTY
    return { asset, line, state: PartitionLine.apply(stored, PartitionLine.lastOf(space), changes) }
  })

const historyRows = (outcomes: ReadonlyArray<Outcome.Outcome>) =>
  outcomes.flatMap(({ asset, codeVersion, succeeded }) =>
    succeeded.map(({ at: _, changed: _changed, ...rest }) => ({ asset, codeVersion, ...rest }))
  )

/** A success that was rejected counts as failed. */
const failureRows = (outcomes: ReadonlyArray<Outcome.Outcome>) =>
  outcomes.flatMap(({ asset, failed, succeeded }) => [
    ...failed.map((one) => ({ asset, ...one })),
    ...succeeded.flatMap(({ partition, rejected }) =>
      rejected === undefined ? [] : [{ asset, partition, error: rejected }]
    )
  ])

/** Writers of one asset go one after the other: each reads the lines that the one before wrote. */
const apply = (sql: SqlClient.SqlClient, run: Outcome.RunRef, outcomes: ReadonlyArray<Outcome.Outcome>) =>
  Transaction.within(sql)(Effect.gen(function*() {
    const now = new Date(yield* Clock.currentTimeMillis)
    const assets = [...new Set(outcomes.map(({ asset }) => asset))].sort()
    yield* sql`select pg_advisory_xact_lock(hashtextextended('barograph/lines/' || asset, 0))
      from jsonb_array_elements_text(${JSON.stringify(assets)}::jsonb) as asked(asset)`
    const touched = touchedBy(run, outcomes)
    const wanted = JSON.stringify(touched.map(({ asset, line }) => ({ asset, line })))
    const rows = yield* sql<LineRow>`select asset, line, state from barograph.partition_lines
      join jsonb_to_recordset(${wanted}::jsonb) as asked(asset text, line text)
        using (asset, line)`
    const before = grouped(rows.map(({ asset, line, state }) => [asset, line, state] as const))
    const lines = linesAfter(touched, (asset, line) => before.get(asset)?.get(line))
    const history = JSON.stringify(historyRows(outcomes))
    yield* sql`with done as (
        insert into barograph.materializations
          (asset, partition, run_id, code_version, data_version, inputs, output, materialized_at, seconds, rejected)
        select d.asset, d.partition, ${run.runId}::text, d."codeVersion", d."dataVersion", d.inputs, d.output,
          ${now}::timestamptz, d.seconds, d.rejected
        from jsonb_to_recordset(${history}::jsonb) as d(asset text, partition text, "codeVersion" text,
          "dataVersion" text, inputs jsonb, output jsonb, seconds float8, rejected text)
        returning asset, partition, rejected
      ), mended as (
        delete from barograph.failures f using done
        where f.asset = done.asset and f.partition = done.partition and done.rejected is null
      ), failed as (
        insert into barograph.failures (asset, partition, run_id, error)
        select asset, partition, ${run.runId}::text, error
        from jsonb_to_recordset(${JSON.stringify(failureRows(outcomes))}::jsonb)
          as f(asset text, partition text, error text)
        on conflict (asset, partition) do update set run_id = excluded.run_id, error = excluded.error
      )
      insert into barograph.partition_lines (asset, line, state, updated_at)
      select asset, line, state, ${now}::timestamptz from jsonb_to_recordset(${JSON.stringify(lines)}::jsonb)
        as l(asset text, line text, state jsonb)
      on conflict (asset, line) do update set state = excluded.state, updated_at = excluded.updated_at`
  }))

const make = (sql: SqlClient.SqlClient): MaterializationStore["Service"] => ({
  states: (asked) =>
    statesQuery(sql, [...asked]).pipe(
      Effect.map((rows) => grouped(rows.map((row) => [row.asset, row.partition, fromRow(row)] as const))),
      during("read partition states")
    ),
  classes: (spaces) =>
    sql<LineRow>`select asset, line, state from barograph.partition_lines
      join jsonb_array_elements_text(${JSON.stringify([...spaces.keys()])}::jsonb) as asked(asset) using (asset)`.pipe(
      Effect.map((rows) => {
        const lines = grouped(rows.map(({ asset, line, state }) => [asset, line, state] as const))
        return new Map([...lines].map(([asset, own]) => [asset, PartitionLine.classes(own, spaces.get(asset)!)]))
      }),
      during("read how partitions stand")
    ),
  apply: (run, outcomes) => apply(sql, run, outcomes).pipe(Effect.asVoid, during("record what became of partitions")),
  latest: sql<{ asset: string; at: Date }>`
    select asset, max(updated_at) as at from barograph.partition_lines group by asset`.pipe(
    Effect.map((rows) => new Map(rows.map(({ asset, at }) => [asset, at.getTime()]))),
    during("read latest tries")
  ),
  latestSuccess: (assets) =>
    History.latest(sql, assets).pipe(
      Effect.map((rows) => new Map(rows.map(({ asset, at }) => [asset, at.getTime()]))),
      during("read latest successes")
    ),
  history: (asked) =>
    History.page(sql, asked).pipe(
      Effect.map((rows) => rows.map(History.fromRow)),
      during("read materializations")
    )
})

const makeMemory = (): MaterializationStore["Service"] => {
  const states = new Map<string, Map<string, State>>()
  const lines = new Map<string, Map<string, PartitionLine.Stored>>()
  const latest = new Map<string, number>()
  const history: Array<History.Entry & { readonly asset: string }> = []
  const statesOf = (asset: string): Map<string, State> => {
    if (!states.has(asset)) states.set(asset, new Map())
    return states.get(asset)!
  }
  const keep = ({ runId }: Outcome.RunRef, outcome: Outcome.Outcome, now: number): void => {
    const own = statesOf(outcome.asset)
    const { asset, codeVersion } = outcome
    for (const { dataVersion, inputs, output, partition, rejected, seconds } of outcome.succeeded) {
      const metadata = Metadata.fromOutput(output)
      const entry = { asset, partition, runId, codeVersion, dataVersion, seconds, metadata, rejected }
      history.push({ ...entry, id: history.length + 1, materializedAt: now })
      own.set(partition, {
        latest: { codeVersion, dataVersion, inputs, materializedAt: now, rejected },
        failure: rejected,
        output
      })
    }
    for (const { error, partition } of outcome.failed) {
      const before = own.get(partition)
      own.set(partition, { latest: before?.latest, output: before?.output, failure: error })
    }
    latest.set(outcome.asset, now)
  }
  return {
    states: (asked) =>
      Effect.sync(() =>
        new Map([...asked].map(([asset, partitions]) => {
          const own = statesOf(asset)
          return [
            asset,
            new Map(partitions.flatMap((text) => own.has(text) ? [[text, own.get(text)!] as const] : []))
          ]
        }))
      ),
    classes: (spaces) =>
      Effect.sync(() =>
        new Map([...spaces].map(([asset, space]) => [asset, PartitionLine.classes(lines.get(asset) ?? [], space)]))
      ),
    apply: (run, outcomes) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        for (const outcome of outcomes) keep(run, outcome, now)
        for (const one of linesAfter(touchedBy(run, outcomes), (asset, line) => lines.get(asset)?.get(line))) {
          const own = lines.get(one.asset) ?? new Map<string, PartitionLine.Stored>()
          lines.set(one.asset, own.set(one.line, one.state))
        }
      }),
    latest: Effect.sync(() => new Map(latest)),
    latestSuccess: (assets) =>
      Effect.sync(() =>
        new Map(assets.flatMap((asset) => {
          const found = history.findLast((one) => one.asset === asset && one.rejected === undefined)
          return found === undefined ? [] : [[asset, found.materializedAt] as const]
        }))
      ),
    history: ({ asset, before, limit, partition }) =>
      Effect.sync(() =>
        history.filter((one) =>
          one.asset === asset && one.id < (before ?? Number.POSITIVE_INFINITY) &&
          (partition === undefined || one.partition === partition)
        ).reverse().slice(0, limit).map(({ asset: _, ...entry }) => entry)
      )
  }
}
