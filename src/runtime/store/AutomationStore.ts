/**
 * What schedules, sensors and freshness policies remember between evaluations, by kind and name (`schedule/weekly`), and
 * the history of their ticks. Written by the leader only, in one transaction with the runs that a tick asks for.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as AutomationMemory from "./AutomationMemory.ts"
import { notify, Signals } from "./Signals.ts"
import { during, type StoreError } from "./StoreError.ts"
import { isSame, type NewTick, type Tick } from "./Tick.ts"
import * as Transaction from "./Transaction.ts"

export interface Memory {
  /** `schedule/weekly`. */
  readonly name: string
  /** Undefined: as it is declared. */
  readonly paused: boolean | undefined
  /** JSON, the automation's own. */
  readonly cursor: unknown
  /** Of the latest evaluation; epoch milliseconds. */
  readonly tickedAt: number | undefined
  /** Evaluations that failed in a row. */
  readonly failures: number
}

export class AutomationStore extends Context.Service<AutomationStore, {
  /** All that is remembered. */
  readonly all: Effect.Effect<ReadonlyMap<string, Memory>, StoreError>
  /** Remembers the cursor and the ticks. */
  readonly record: (
    name: string,
    cursor: unknown,
    ticks: ReadonlyArray<NewTick>
  ) => Effect.Effect<void, StoreError>
  /** A tick by hand: what is remembered stays. */
  readonly note: (tick: NewTick) => Effect.Effect<void, StoreError>
  readonly setPaused: (name: string, paused: boolean) => Effect.Effect<void, StoreError>
  /** The newest first, of one automation or of all. */
  readonly ticks: (name: string | undefined, limit: number) => Effect.Effect<ReadonlyArray<Tick>, StoreError>
  /** Forgets ticks before an instant, but for the latest of each automation; answers how many. */
  readonly forget: (before: number) => Effect.Effect<number, StoreError>
}>()("barograph/runtime/store/AutomationStore") {
  static readonly layer = Layer.effect(AutomationStore, Effect.map(SqlClient.SqlClient, (sql) => make(sql)))

  /** For one process. */
  static readonly layerMemory = Layer.effect(AutomationStore, Effect.map(Signals, AutomationMemory.make))
}

interface MemoryRow {
  readonly name: string
  readonly paused: boolean | null
  readonly cursor: unknown
  readonly ticked_at: Date | null
  readonly failures: number
}

interface TickRow {
  readonly tick_id: number
  readonly name: string
  readonly due: Date
  readonly at: Date
  readonly outcome: Tick["outcome"]
  readonly why: string | null
  readonly runs: ReadonlyArray<string>
  readonly count: number
}

const memoryOf = (row: MemoryRow): Memory => ({
  name: row.name,
  paused: row.paused ?? undefined,
  cursor: row.cursor ?? undefined,
  tickedAt: row.ticked_at?.getTime(),
  failures: row.failures
})

const tickOf = (row: TickRow): Tick => ({
  tickId: row.tick_id,
  name: row.name,
  due: row.due.getTime(),
  at: row.at.getTime(),
  outcome: row.outcome,
  why: row.why ?? undefined,
  runs: row.runs,
  count: row.count
})

const COLUMNS = "tick_id::float8 as tick_id, name, due, at, outcome, why, runs, count"

const latest = (sql: SqlClient.SqlClient, name: string | undefined, limit: number) =>
  Effect.map(
    sql<TickRow>`select ${sql.literal(COLUMNS)} from barograph.ticks
      where ${name === undefined ? sql`true` : sql`name = ${name}`} order by tick_id desc limit ${limit}`,
    (rows) => rows.map(tickOf)
  )

const addTick = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, tick: NewTick) {
  const [last] = yield* latest(sql, tick.name, 1)
  const [due, at] = [new Date(tick.due), new Date(tick.at)]
  if (last !== undefined && isSame(last, tick)) {
    return yield* sql`update barograph.ticks set due = ${due}, at = ${at}, count = count + 1
      where tick_id = ${last.tickId}`
  }
  return yield* sql`insert into barograph.ticks (name, due, at, outcome, why, runs)
    values (${tick.name}, ${due}, ${at}, ${tick.outcome}, ${tick.why ?? null}, ${JSON.stringify(tick.runs)}::jsonb)`
})

const record = (sql: SqlClient.SqlClient, name: string, cursor: unknown, ticks: ReadonlyArray<NewTick>) =>
  Transaction.within(sql)(Effect.gen(function*() {
    for (const tick of ticks) yield* addTick(sql, tick)
    const last = ticks.at(-1)
    yield* sql`insert into barograph.automations as known (name, cursor, ticked_at, failures)
      values (${name}, ${JSON.stringify(cursor ?? null)}::jsonb, ${last === undefined ? null : new Date(last.at)},
        ${last?.outcome === "failed" ? 1 : 0})
      on conflict (name) do update set cursor = excluded.cursor,
        ticked_at = coalesce(excluded.ticked_at, known.ticked_at),
        failures = case when excluded.failures = 0 then 0 else known.failures + 1 end`
  }))

const make = (sql: SqlClient.SqlClient): AutomationStore["Service"] => ({
  all: sql<MemoryRow>`select name, paused, cursor, ticked_at, failures from barograph.automations`.pipe(
    Effect.map((rows) => new Map(rows.map((row) => [row.name, memoryOf(row)]))),
    during("read automations")
  ),
  record: (name, cursor, ticks) => record(sql, name, cursor, ticks).pipe(during("record ticks")),
  note: (tick) => addTick(sql, tick).pipe(Effect.asVoid, during("record a tick")),
  setPaused: (name, paused) =>
    Transaction.within(sql)(Effect.gen(function*() {
      yield* sql`insert into barograph.automations (name, paused) values (${name}, ${paused})
        on conflict (name) do update set paused = excluded.paused`
      yield* notify(sql, { _tag: "AutomationChanged" })
    })).pipe(during("pause or resume")),
  ticks: (name, limit) => latest(sql, name, limit).pipe(during("read ticks")),
  forget: (before) =>
    sql`delete from barograph.ticks as old where at < ${new Date(before)} and exists (
      select 1 from barograph.ticks as later where later.name = old.name and later.tick_id > old.tick_id) returning 1`
      .pipe(
        Effect.map((rows) => rows.length),
        during("forget ticks")
      )
})
