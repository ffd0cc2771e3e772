/** Databases of before the bars had one index. */
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import initial from "../../../src/layers/staging/migrations/0001_staging.ts"
import asOf from "../../../src/layers/staging/migrations/0002_as_of.ts"
import * as StagingPostgres from "../../../src/layers/staging/Postgres.ts"
import warehouse from "../../../src/layers/warehouse/migrations/0001_warehouse.ts"
import * as WarehousePostgres from "../../../src/layers/warehouse/Postgres.ts"
import * as Migrate from "../../../src/runtime/store/Migrate.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"

layer(EmbeddedDatabase.layer, { timeout: "60 seconds", excludeTestServices: true })("an earlier database", (it) => {
  it.effect("keeps its bars; one that lies outside of its session's window becomes history", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* Migrate.migrate("staging", { "0001_staging": initial, "0002_as_of": asOf })
      yield* sql`insert into staging.bars
        select 'test', 'IBM', '1min', ts::timestamptz, 1, 2, 1, 2, 10, date '2024-03-05', timestamptz '2024-03-06T00:00Z'
        from unnest(array['2024-03-04T00:00Z', '2024-03-06T23:59Z', '2024-03-07T00:00Z']) as times(ts)`
      yield* Effect.scoped(Layer.build(StagingPostgres.layer))
      expect(yield* sql`select count(*)::int4 as bars from staging.bars`).toEqual([{ bars: 2 }])
      expect(yield* sql`select ts, change from staging.bar_history`).toEqual([
        { ts: new Date("2024-03-07T00:00Z"), change: "removed" }
      ])
    }))

  it.effect("whose key somebody's view needs says which view that is", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* Migrate.migrate("warehouse", { "0001_warehouse": warehouse })
      yield* sql`drop index warehouse.bars_by_session`
      yield* sql`create view warehouse.latest as select symbol, interval, ts, close from warehouse.bars
        group by symbol, interval, ts`
      const build = Effect.scoped(Layer.build(WarehousePostgres.layer("here")))
      expect((yield* Effect.flip(build)).message).toContain("view warehouse.latest depends on constraint bars_pkey")
      yield* sql`drop view warehouse.latest`
      yield* build
    }))
})
