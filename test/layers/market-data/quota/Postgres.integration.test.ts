import * as PgClient from "@effect/sql-pg/PgClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Database from "../../../../src/layers/database/Database.ts"
import { Quota } from "../../../../src/layers/market-data/Quota.ts"
import * as Postgres from "../../../../src/layers/market-data/quota/Postgres.ts"
import * as EmbeddedDatabase from "../../../support/EmbeddedDatabase.ts"
import { suite } from "./QuotaSuite.ts"

/** The ledger over connections of its own, as a further process has it. */
class Further extends Context.Service<Further, { readonly open: Effect.Effect<Quota["Service"]> }>()("test/Further") {}

const further = Layer.effect(
  Further,
  Effect.gen(function*() {
    const { config } = yield* Database.Database
    const scope = yield* Effect.scope
    const ledger = Layer.fresh(Postgres.layer).pipe(Layer.provide(Layer.fresh(PgClient.layer(config))))
    const open = Layer.buildWithScope(ledger, scope).pipe(
      Effect.map((context) => Context.get(context, Quota)),
      Effect.orDie
    )
    return { open }
  })
)

suite(
  "quotas in PostgreSQL",
  Layer.merge(Postgres.layer, further).pipe(Layer.provide(EmbeddedDatabase.layer)),
  Effect.flatMap(Further, ({ open }) => open)
)
