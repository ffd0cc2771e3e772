import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { empty } from "../../../src/layers/bars/Bars.ts"
import * as Postgres from "../../../src/layers/warehouse/Postgres.ts"
import { Warehouse } from "../../../src/layers/warehouse/Warehouse.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import * as TestBars from "../../support/TestBars.ts"
import { suite, Tables } from "./WarehouseSuite.ts"

const services = Layer.merge(Postgres.layer("PostgreSQL of the tests"), Tables.layer).pipe(
  Layer.provide(EmbeddedDatabase.layer)
)

suite("a warehouse in PostgreSQL", services)

it.effect("a load that fails at its last statement has not happened", () =>
  Effect.gen(function*() {
    const warehouse = yield* Warehouse
    const tables = yield* Tables
    const bars = TestBars.make("2024-03-05", 3)
    const load = { source: "test", interval: "1min", symbol: "CUT", session: "2024-03-05", bars, contentHash: "first" }
    yield* warehouse.replace([load])
    const error = yield* Effect.flip(warehouse.replace([{ ...load, bars: empty, contentHash: "\0" }]))
    expect(error).toMatchObject({ operation: "replace", retryable: false })
    expect(error.message).toContain("invalid byte sequence")
    expect(yield* tables.bars("CUT", "2024-03-05")).toMatchObject({ rows: 3 })
    expect(yield* tables.ledger("CUT")).toMatchObject([{ contentHash: "first" }])
  }).pipe(Effect.provide(services)))
