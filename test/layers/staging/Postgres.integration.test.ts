import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as Postgres from "../../../src/layers/staging/Postgres.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import { suite, Tables } from "./BarStoreSuite.ts"

type Row<Table extends "history" | "quarantined"> = Effect.Success<ReturnType<Tables["Service"][Table]>>[number]

const look = Layer.effect(
  Tables,
  Effect.map(SqlClient.SqlClient, (sql) => ({
    history: (symbol) =>
      Effect.orDie(
        sql<Row<"history">>`select extract(epoch from ts)::float8 * 1000 as ts, change, close, session, payload
        from staging.bar_history where symbol = ${symbol} order by id`
      ),
    quarantined: (symbol) =>
      Effect.orDie(sql<Row<"quarantined">>`select session, extract(epoch from ts)::float8 * 1000 as ts, reason, raw
        from staging.quarantined_rows where symbol = ${symbol} order by id`),
    sources: (symbol) =>
      sql<{ source: string }>`select distinct source from staging.bars where symbol = ${symbol}`.pipe(
        Effect.map((rows) => rows.map(({ source }) => source)),
        Effect.orDie
      )
  } satisfies Tables["Service"]))
)

suite(
  "the staging area in PostgreSQL",
  Layer.merge(Postgres.layer, look).pipe(Layer.provide(EmbeddedDatabase.layer))
)
