import { expect, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as SqlClient from "effect/sql/SqlClient"
import * as Memory from "../../../src/layers/alerts/Memory.ts"
import { AlertChannels } from "../../../src/runtime/automation/AlertChannels.ts"
import * as AlertPolicy from "../../../src/runtime/automation/AlertPolicy.ts"
import * as Notifier from "../../../src/runtime/automation/Notifier.ts"
import { AlertStore } from "../../../src/runtime/store/AlertStore.ts"
import * as EngineSchema from "../../../src/runtime/store/EngineSchema.ts"
import { Leadership } from "../../../src/runtime/store/Leadership.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import { finding, said } from "../../support/TestAlerts.ts"
import { suite } from "./AlertStoreSuite.ts"

const stores = Layer.merge(AlertStore.layer, Leadership.layer).pipe(
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

  it.effect("what the leader told is recorded in its transaction, and the next one does not tell it again", () =>
    Effect.gen(function*() {
      const store = yield* AlertStore
      yield* store.prune(Date.UTC(2100, 0, 1))
      // Of today: a notifier that starts forgets what is old, and may do so after the first was observed.
      const now = yield* Clock.currentTimeMillis
      const recorded = yield* Queue.unbounded<ReadonlyArray<string>>()
      const watched: AlertStore["Service"] = {
        ...store,
        delivered: (channel, told) =>
          Effect.tap(store.delivered(channel, told), () => Queue.offer(recorded, told.map(({ incident }) => incident)))
      }
      const channel = Memory.make({ name: "leader" })
      const leadership = yield* Leadership
      const term = (yield* leadership.acquire("test", 600_000))!
      const starting = Notifier.make({ fenced: leadership.fenced(term), policy: AlertPolicy.standard }).pipe(
        Effect.provideService(AlertChannels, [channel]),
        Effect.provideService(AlertStore, watched),
        Effect.provide(RunStore.layerMemory),
        Effect.tap(({ run }) => Effect.forkScoped(run))
      )
      yield* Effect.scoped(Effect.gen(function*() {
        const { observe } = yield* starting
        yield* observe([finding({ incident: "first", at: now })])
        expect(yield* Queue.take(recorded)).toEqual(["first"])
        yield* observe([finding({ incident: "first", state: "well", at: now + 1 })])
        expect(yield* Queue.take(recorded)).toEqual(["first"])
      }))
      yield* Effect.scoped(Effect.gen(function*() {
        const { observe } = yield* starting
        yield* observe([finding({ incident: "second", at: now + 2 })])
        expect(yield* Queue.take(recorded)).toEqual(["second"])
      }))
      expect(channel.heard.map(({ message }) => said(message))).toEqual([
        "opened first",
        "resolved first",
        "opened second"
      ])
    }))
})
