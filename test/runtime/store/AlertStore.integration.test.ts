import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { AlertStore } from "../../../src/runtime/store/AlertStore.ts"
import * as EngineSchema from "../../../src/runtime/store/EngineSchema.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import { finding } from "../../support/TestAlerts.ts"
import { suite } from "./AlertStoreSuite.ts"

const stores = AlertStore.layer.pipe(
  Layer.provideMerge(EngineSchema.layer),
  Layer.provideMerge(EmbeddedDatabase.layer)
)

suite("alerts in PostgreSQL", stores)

layer(stores, { excludeTestServices: true })("alerts in PostgreSQL, by several at once", (it) => {
  it.effect("who observes at the same time waits for the other: no failure is lost or counted twice", () =>
    Effect.gen(function*() {
      const store = yield* AlertStore
      const findings = Array.from({ length: 40 }, (_, n) => finding({ incident: "crowd", at: 7, key: `r${n}` }))
      yield* Effect.forEach(findings, (one) => store.observe([one]), { concurrency: 8, discard: true })
      expect(yield* store.find("crowd")).toMatchObject({ episode: 1, count: 40 })
    }))

  it.effect("what is rolled back with the transaction around it was not observed", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const store = yield* AlertStore
      const deposed = Effect.andThen(store.observe([finding({ incident: "deposed" })]), Effect.fail("not the leader"))
      expect(yield* Effect.flip(sql.withTransaction(deposed))).toBe("not the leader")
      expect(yield* store.find("deposed")).toBeUndefined()
    }))
})
