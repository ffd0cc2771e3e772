/** The members of dynamic partition sets, in order, with their lifetimes. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type { Member } from "../partition/Partitions.ts"
import { during, type StoreError } from "./StoreError.ts"
import * as Transaction from "./Transaction.ts"

export class DynamicPartitions extends Context.Service<DynamicPartitions, {
  /** Every set with its members. */
  readonly all: Effect.Effect<{ readonly [set: string]: ReadonlyArray<Member> }, StoreError>
  /** Makes these the members of the set. Materializations of members that are gone are kept. */
  readonly replace: (set: string, members: ReadonlyArray<Member>) => Effect.Effect<void, StoreError>
  /** At the end; one that is there gets the new lifetime. */
  readonly add: (set: string, members: ReadonlyArray<Member>) => Effect.Effect<void, StoreError>
  /** Answers those that were there. */
  readonly remove: (set: string, values: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>, StoreError>
}>()("barograph/runtime/store/DynamicPartitions") {
  static readonly layer = Layer.effect(DynamicPartitions, Effect.map(SqlClient.SqlClient, (sql) => make(sql)))

  static readonly layerMemory = Layer.sync(DynamicPartitions, () => {
    const sets: { [set: string]: ReadonlyArray<Member> } = {}
    return {
      all: Effect.sync(() => ({ ...sets })),
      replace: (set: string, members: ReadonlyArray<Member>) => Effect.sync(() => void (sets[set] = members)),
      add: (set: string, members: ReadonlyArray<Member>) =>
        Effect.sync(() => {
          const merged = new Map([...(sets[set] ?? []), ...members].map((member) => [member.value, member]))
          sets[set] = [...merged.values()]
        }),
      remove: (set: string, values: ReadonlyArray<string>) =>
        Effect.sync(() => {
          const gone = (sets[set] ?? []).filter(({ value }) => values.includes(value)).map(({ value }) => value)
          sets[set] = (sets[set] ?? []).filter(({ value }) => !gone.includes(value))
          return gone
        })
    }
  })
}

interface Row {
  readonly set_name: string
  readonly value: string
  readonly lives_from: string | null
  readonly lives_to: string | null
}

const grouped = (rows: ReadonlyArray<Row>): { readonly [set: string]: ReadonlyArray<Member> } => {
  const sets: { [set: string]: Array<Member> } = {}
  for (const row of rows) {
    const members = sets[row.set_name] ??= []
    members.push({ value: row.value, from: row.lives_from ?? undefined, to: row.lives_to ?? undefined })
  }
  return sets
}

const locked = (sql: SqlClient.SqlClient, set: string) =>
  sql`select pg_advisory_xact_lock(hashtextextended(${`barograph/dynamic/${set}`}, 0))`

/** After those that are there; whoever is there already keeps the place. */
const insert = (sql: SqlClient.SqlClient, set: string, members: ReadonlyArray<Member>) => {
  const rows = JSON.stringify(members.map((member, position) => ({ ...member, position })))
  return Effect.asVoid(sql`insert into barograph.dynamic_partitions (set_name, position, value, lives_from, lives_to)
    select ${set}::text, m.position + after.position, m.value, m."from", m."to"
    from jsonb_to_recordset(${rows}::jsonb) as m(position int, value text, "from" text, "to" text)
    cross join (select coalesce(max(position) + 1, 0) as position from barograph.dynamic_partitions
      where set_name = ${set}::text) as after
    on conflict (set_name, value) do update set lives_from = excluded.lives_from, lives_to = excluded.lives_to`)
}

const make = (sql: SqlClient.SqlClient): DynamicPartitions["Service"] => ({
  all: sql<Row>`select set_name, value, lives_from, lives_to from barograph.dynamic_partitions
    order by set_name, position`.pipe(Effect.map(grouped), during("read dynamic partitions")),
  replace: (set, members) =>
    Transaction.within(sql)(Effect.gen(function*() {
      yield* locked(sql, set)
      yield* sql`delete from barograph.dynamic_partitions where set_name = ${set}`
      yield* insert(sql, set, members)
    })).pipe(during("replace dynamic partitions")),
  add: (set, members) =>
    Transaction.within(sql)(Effect.andThen(locked(sql, set), insert(sql, set, members))).pipe(
      during("add dynamic partitions")
    ),
  remove: (set, values) =>
    sql<{ value: string }>`delete from barograph.dynamic_partitions where set_name = ${set}
      and value in (select jsonb_array_elements_text(${JSON.stringify(values)}::jsonb)) returning value`.pipe(
      Effect.map((rows) => rows.map(({ value }) => value)),
      during("remove dynamic partitions")
    )
})
