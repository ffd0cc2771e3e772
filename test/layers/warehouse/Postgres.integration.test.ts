import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as Postgres from "../../../src/layers/warehouse/Postgres.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import { suite, Tables } from "./WarehouseSuite.ts"

const look = Layer.effect(
  Tables,
  Effect.map(SqlClient.SqlClient, (sql) => ({
    bars: (symbol, session) =>
      sql<{ rows: number; volume: number }>`select count(*)::int4 as rows, coalesce(sum(volume), 0)::float8 as volume
        from warehouse.bars where symbol = ${symbol} and session = ${session}::date`.pipe(
        Effect.map(([row]) => row!),
        Effect.orDie
      ),
    ledger: (symbol) =>
      Effect.orDie(sql<{ session: string; rows: number; contentHash: string }>`select session, rows,
        content_hash as "contentHash" from warehouse.bar_loads where symbol = ${symbol} order by session`)
  } satisfies Tables["Service"]))
)

suite(
  "a warehouse in PostgreSQL",
  Layer.merge(Postgres.layer("PostgreSQL of the tests"), look).pipe(Layer.provide(EmbeddedDatabase.layer))
)
