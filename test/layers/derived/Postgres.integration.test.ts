import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as Postgres from "../../../src/layers/derived/Postgres.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import { suite, Tables } from "./DerivedStoreSuite.ts"

type Row<Table extends keyof Tables["Service"]> = Effect.Success<Tables["Service"][Table]>[number]

const look = Layer.effect(
  Tables,
  Effect.map(SqlClient.SqlClient, (sql) => ({
    sessionBars: Effect.orDie(
      sql<Row<"sessionBars">>`select session::text, vwap from derived.session_bars order by symbol, session`
    ),
    coverage: Effect.orDie(sql<Row<"coverage">>`select session::text, present,
      (extract(epoch from longest_from) * 1000)::float8 as "longestFrom" from derived.coverage order by symbol, session`)
  }))
)

suite("derived tables in PostgreSQL", Layer.merge(Postgres.layer, look).pipe(Layer.provide(EmbeddedDatabase.layer)))
