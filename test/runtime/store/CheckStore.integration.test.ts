import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type * as Statement from "effect/sql/Statement"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Check from "../../../src/runtime/asset/Check.ts"
import { Executor } from "../../../src/runtime/run/Executor.ts"
import { type CheckResult, CheckStore } from "../../../src/runtime/store/CheckStore.ts"
import { Claims } from "../../../src/runtime/store/Claims.ts"
import { DynamicPartitions } from "../../../src/runtime/store/DynamicPartitions.ts"
import * as EngineSchema from "../../../src/runtime/store/EngineSchema.ts"
import * as History from "../../../src/runtime/store/History.ts"
import { MaterializationStore } from "../../../src/runtime/store/MaterializationStore.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import * as TestGraph from "../../support/TestGraph.ts"
import { suite } from "./CheckStoreSuite.ts"

const stores = Executor.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      RunStore.layer,
      MaterializationStore.layer,
      CheckStore.layer,
      Claims.layer,
      DynamicPartitions.layer
    )
  ),
  Layer.provideMerge(EngineSchema.layer),
  Layer.provideMerge(EmbeddedDatabase.layer)
)

/** How PostgreSQL goes about the very statement that the store uses. */
const explain = (statement: Statement.Statement<unknown>) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [text, parameters] = statement.compile()
    const plan = yield* sql.unsafe<{ "QUERY PLAN": string }>(`explain (analyze, costs off) ${text}`, parameters)
    return plan.map((row) => row["QUERY PLAN"]).join("\n")
  })

layer(stores, { timeout: "60 seconds", excludeTestServices: true })("checks and history in PostgreSQL", (it) => {
  suite(it)

  it.effect("a history is read by an index, never by a scan or a sort, whoever else has more", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      // Half of the rows are of an asset that was not materialized lately: walking the newest ones backwards would read
      // the other half in vain.
      yield* sql`insert into barograph.materializations
          (asset, partition, run_id, code_version, data_version, inputs, output, materialized_at, seconds, rejected)
        select case when n <= 50 then 'rare' when n <= 30000 then 'early' else 'late' end, 'n=' || n % 1000, 'r', '1', 'v',
          '{}', '{"rows": 1}', now(), 0, case when n % 10 = 0 then 'check' end
        from generate_series(1, 60000) n order by n`
      yield* sql`analyze barograph.materializations`
      const asked = { partition: undefined, limit: 20, before: undefined }
      const pages = [
        { ...asked, asset: "rare" },
        { ...asked, asset: "early" },
        { ...asked, asset: "late", before: 45_000 },
        { ...asked, asset: "early", partition: "n=10" },
        { ...asked, asset: "late", partition: "n=11", before: 45_000 }
      ]
      for (const page of pages) {
        const plan = yield* explain(History.page(sql, page))
        expect(plan).toMatch(/Index Scan( Backward)? using materializations_(pkey|by_partition)/)
        expect(plan).not.toMatch(/Seq Scan|Sort|Rows Removed by Filter: \d{3}/)
      }
      const latest = yield* explain(History.latest(sql, ["rare", "early", "late"]))
      expect(latest).toMatch(/Index Scan( Backward)? using materializations_pkey/)
      expect(latest).not.toMatch(/Seq Scan|Sort|Rows Removed by Filter: \d{3}/)
    }))

  it.effect("two that record the same results in opposite orders do not wait for each other for ever", () =>
    Effect.gen(function*() {
      const store = yield* CheckStore
      const results = Array.from({ length: 400 }, (_, n): CheckResult => ({
        asset: "crossed",
        check: "one",
        partition: `n=${n}`,
        passed: true,
        severity: "warn",
        blocking: false,
        description: undefined,
        metadata: {}
      }))
      const both = [results, results.toReversed()].map((some) =>
        Effect.repeat(store.record(undefined, some), { times: 20 })
      )
      yield* Effect.all(both, { concurrency: 2 })
      expect((yield* store.totals("crossed")).get("one")).toMatchObject({ passed: 400, failed: 0 })
    }))

  it.effect("what a check says is kept although PostgreSQL could not keep it as it is", () =>
    Effect.gen(function*() {
      const odd = Asset.make("odd_text", {}, () => Effect.void)
      const graph = AssetGraph.make(
        Check.make("odd", { asset: odd, blocking: true }, () =>
          Effect.succeed({
            passed: false,
            description: `nul \u0000, half ${"\ud83d"}`,
            metadata: { "\u0000": "\u0000", rows: Number.NaN }
          }))
      )
      const { summary } = yield* TestGraph.materialize(graph, { assets: ["odd_text"] })
      expect(summary.failures.map(({ error }) => error)).toEqual(["check odd: nul \ufffd, half \ufffd"])
      expect(yield* (yield* CheckStore).failing("odd_text", "odd", 1)).toMatchObject([
        { description: "nul \ufffd, half \ufffd", metadata: { "\ufffd": "\ufffd" } }
      ])
    }))
})
