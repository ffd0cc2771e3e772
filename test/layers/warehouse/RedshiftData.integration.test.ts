import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as RedshiftData from "../../../src/layers/warehouse/RedshiftData.ts"
import * as RedshiftSql from "../../../src/layers/warehouse/RedshiftSql.ts"
import * as RedshiftStandIn from "../../support/RedshiftStandIn.ts"
import { suite, Tables } from "./WarehouseSuite.ts"

/** Looks past the Data API, into the database behind. */
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

const services = (isolation: "serializable" | "snapshot", limits?: RedshiftSql.Limits) =>
  Layer.unwrap(
    Effect.map(RedshiftStandIn.StandIn, ({ url }) => RedshiftData.layer(RedshiftStandIn.targetOf(url), limits))
  ).pipe(
    Layer.merge(look),
    Layer.provide(RedshiftStandIn.layer({ isolation }))
  )

suite("a warehouse in Redshift, serializable", services("serializable"))
suite("a warehouse in Redshift under snapshot isolation", services("snapshot"))
suite("a warehouse in Redshift that takes little at a time", services("snapshot", { statements: 16, bytes: 4_000 }))
