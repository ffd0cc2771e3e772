/** The members of dynamic partition sets, in order, with their lifetimes. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type { Member } from "../partition/Partitions.ts"
import { during, type StoreError } from "./StoreError.ts"

export class DynamicPartitions extends Context.Service<DynamicPartitions, {
  /** Every set with its members. */
  readonly all: Effect.Effect<{ readonly [set: string]: ReadonlyArray<Member> }, StoreError>
  /** Makes these the members of the set. Materializations of members that are gone are kept. */
  readonly replace: (set: string, members: ReadonlyArray<Member>) => Effect.Effect<void, StoreError>
}>()("barograph/runtime/store/DynamicPartitions") {
  static readonly layer = Layer.effect(DynamicPartitions, Effect.map(SqlClient.SqlClient, (sql) => make(sql)))

  static readonly layerMemory = Layer.sync(DynamicPartitions, () => {
    const sets: { [set: string]: ReadonlyArray<Member> } = {}
    return {
      all: Effect.sync(() => ({ ...sets })),
      replace: (set: string, members: ReadonlyArray<Member>) => Effect.sync(() => void (sets[set] = members))
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

const make = (sql: SqlClient.SqlClient): DynamicPartitions["Service"] => ({
  all: sql<Row>`select set_name, value, lives_from, lives_to from barograph.dynamic_partitions
    order by set_name, position`.pipe(Effect.map(grouped), during("read dynamic partitions")),
  replace: (set, members) =>
    sql.withTransaction(Effect.gen(function*() {
      yield* sql`select pg_advisory_xact_lock(hashtextextended(${`barograph/dynamic/${set}`}, 0))`
      yield* sql`delete from barograph.dynamic_partitions where set_name = ${set}`
      const rows = members.map((member, position) => ({ ...member, position }))
      yield* sql`insert into barograph.dynamic_partitions (set_name, position, value, lives_from, lives_to)
        select ${set}::text, m.position, m.value, m."from", m."to"
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as m(position int, value text, "from" text, "to" text)`
    })).pipe(during("replace dynamic partitions"))
})
