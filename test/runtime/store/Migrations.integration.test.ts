/** What an earlier version of the schema held is understood, and what is looked up often is looked up by an index. */
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as PartitionMapping from "../../../src/runtime/partition/PartitionMapping.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../../src/runtime/partition/PartitionSet.ts"
import * as DataVersion from "../../../src/runtime/plan/DataVersion.ts"
import { Executor } from "../../../src/runtime/run/Executor.ts"
import { CheckStore } from "../../../src/runtime/store/CheckStore.ts"
import { Claims } from "../../../src/runtime/store/Claims.ts"
import { DynamicPartitions } from "../../../src/runtime/store/DynamicPartitions.ts"
import * as EngineSchema from "../../../src/runtime/store/EngineSchema.ts"
import { MaterializationStore } from "../../../src/runtime/store/MaterializationStore.ts"
import * as Migrate from "../../../src/runtime/store/Migrate.ts"
import engine from "../../../src/runtime/store/migrations/0001_engine.ts"
import cancel from "../../../src/runtime/store/migrations/0002_cancel.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import * as TestGraph from "../../support/TestGraph.ts"

const V = Schema.Struct({ v: Schema.String })
const out = () => Effect.succeed({ v: "1" })
const odd = Partitions.statics(["a,b=c", "x", "z."])
const day = Partitions.daily({ start: "2024-01-01", end: "2024-01-09" })
const month = Partitions.monthly({ start: "2024-01", end: "2024-02-01" })

const source = Asset.make("source", { partitions: { odd, month }, output: V, dataVersion: "v" }, out)
// Time first: what varies within a line was something else then.
const early = Asset.make("early", {
  partitions: { day, odd },
  deps: {
    source: Asset.mapped(source, { odd: PartitionMapping.from("odd"), month: PartitionMapping.containing("day") })
  },
  output: V
}, out)
const whole = Asset.make("whole", {
  deps: { early: Asset.mapped(early, { day: PartitionMapping.all, odd: PartitionMapping.all }) },
  output: V
}, out)
const members = Asset.make("members", {
  partitions: { member: Partitions.dynamic("old") },
  output: V,
  dataVersion: "v"
}, out)
const graph = AssetGraph.make(whole, members)

const universe = { now: Date.now(), members: { old: [{ value: "m1" }, { value: "m2" }] } }
const textsOf = (
  asset: Asset.Any
) => [...PartitionSet.texts(PartitionSet.all(Partitions.space(asset.dimensions, universe)))]

/** A success, as the code before lines wrote it: a row of history and a row that points to it. */
const insertOld = Effect.fnUntraced(function*(
  asset: string,
  partition: string,
  dataVersion: string,
  inputs: { readonly [dependency: string]: string }
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`with done as (
      insert into barograph.materializations
        (asset, partition, run_id, code_version, data_version, inputs, output, materialized_at, seconds)
      values (${asset}, ${partition}, 'old', '1', ${dataVersion}, ${
    JSON.stringify(inputs)
  }::jsonb, '{"v": "1"}', now(), 1)
      returning materialization_id
    ) insert into barograph.partitions (asset, partition, materialization_id)
      select ${asset}::text, ${partition}::text, materialization_id from done`
})

const insertAll = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  for (const text of textsOf(source)) yield* insertOld("source", text, "1", {})
  const version = DataVersion.derive("1", { source: "1" }, {})
  for (const text of textsOf(early)) yield* insertOld("early", text, version, { source: "1" })
  const read = DataVersion.combine(textsOf(early).map((text) => [text, version] as const))
  yield* insertOld("whole", "", DataVersion.derive("1", { early: read }, {}), { early: read })
  yield* insertOld("members", "member=m1", "1", {})
  yield* sql`insert into barograph.partitions (asset, partition, failed_run_id, failure)
    values ('members', 'member=m2', 'old', 'boom')`
  yield* sql`insert into barograph.dynamic_partitions (set_name, position, value) values ('old', 0, 'm1'), ('old', 1, 'm2')`
})

const before = Layer.effectDiscard(
  Effect.andThen(Migrate.migrate("barograph", { "0001_engine": engine, "0002_cancel": cancel }), insertAll)
)

const stores = Executor.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(RunStore.layer, MaterializationStore.layer, CheckStore.layer, Claims.layer, DynamicPartitions.layer)
  ),
  Layer.provideMerge(EngineSchema.layer),
  Layer.provideMerge(before),
  Layer.provideMerge(EmbeddedDatabase.layer)
)

const planned = Effect.map(
  TestGraph.plan(graph, { assets: ["whole", "members"] }),
  ({ plan }) => TestGraph.planned(plan).map(({ asset, partition, reason }) => [`${asset}/${partition}`, reason])
)

layer(stores, { timeout: "60 seconds", excludeTestServices: true })("a database of an earlier version", (it) => {
  it.effect("has nothing to do but what it had before, and heals as runs go by", () =>
    Effect.gen(function*() {
      const failed = ["members/member=m2", { _tag: "Failed", error: "boom" }]
      expect(yield* planned).toEqual([failed])
      const { summary } = yield* TestGraph.materialize(graph, { assets: ["whole", "members"] })
      expect(summary.assets).toMatchObject({ members: { materialized: 1 } })
      expect(yield* planned).toEqual([])
      yield* TestGraph.materialize(graph, { assets: ["early"], force: true })
      expect(yield* planned).toEqual([])
    }))

  it.effect("a schema that is there needs no right to make schemas", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const made = { "0001_made": Migrate.statements("create table granted.made (n integer)") }
      yield* sql`create role poor`
      yield* sql`create schema granted authorization poor`
      const [found] = yield* sql.withTransaction(
        Effect.gen(function*() {
          yield* sql`set local role poor`
          yield* Migrate.migrate("granted", made)
          yield* Migrate.migrate("granted", made)
          return yield* sql`select count(*)::int4 as rows from granted.made`
        })
      )
      expect(found).toEqual({ rows: 0 })
      const refused = yield* Effect.flip(
        sql.withTransaction(Effect.andThen(sql`set local role poor`, Migrate.migrate("missing", {})))
      )
      expect(String(refused)).toContain("SqlError")
    }))

  it.effect("a transaction that fails leaves nothing behind", () =>
    Effect.gen(function*() {
      const [runs, store] = [yield* RunStore, yield* MaterializationStore]
      const space = Partitions.space({}, universe)
      const success = { dataVersion: "1", inputs: {}, output: null, seconds: 1, changed: true, at: 0, partition: "" }
      const outcome = { asset: "undone", space, codeVersion: "1", dependencies: "", failed: [], verified: [] }
      const both = Effect.andThen(
        store.apply({ runId: "undone", number: 7 }, [{ ...outcome, succeeded: [success] }]),
        Effect.fail("no")
      )
      expect(yield* Effect.flip(runs.atomically(both))).toBe("no")
      expect((yield* store.states(new Map([["undone", [""]]]))).size).toBe(0)
      expect((yield* store.classes(new Map([["undone", space]]))).size).toBe(0)
    }))

  it.effect("states are found by the index among 100,000 successes", () =>
    Effect.gen(function*() {
      const [sql, store] = [yield* SqlClient.SqlClient, yield* MaterializationStore]
      yield* sql`insert into barograph.materializations
          (asset, partition, run_id, code_version, data_version, inputs, output, materialized_at, seconds)
        select 'many', 'n=' || n % 20000, 'r' || n, '1', n::text, '{}', null, now(), 0 from generate_series(1, 100000) n`
      yield* sql`insert into barograph.failures (asset, partition, run_id, error)
        select 'many', 'n=' || n, 'r', 'boom' from generate_series(1, 5000) n`
      yield* sql`analyze barograph.materializations`
      yield* sql`analyze barograph.failures`
      const asked = Array.from({ length: 50 }, (_, at) => `n=${at * 300}`)
      const scans = sql<{ table: string; seq: number; index: number }>`select relname as table, seq_scan::int as seq,
          idx_scan::int as index from pg_stat_user_tables
        where schemaname = 'barograph' and relname in ('materializations', 'failures') order by 1`
      const flush = sql`select pg_stat_force_next_flush()`
      yield* sql.withTransaction(flush)
      const start = yield* scans
      const states = yield* sql.withTransaction(Effect.andThen(flush, store.states(new Map([["many", asked]]))))
      expect(states.get("many")!.size).toBe(50)
      expect(states.get("many")!.get("n=300")!.latest!.dataVersion).toBe("80300")
      const end = yield* scans
      expect(end.map(({ seq }, at) => seq - start[at]!.seq)).toEqual([0, 0])
      expect(end.every(({ index }, at) => index > start[at]!.index)).toBe(true)
    }))
})
