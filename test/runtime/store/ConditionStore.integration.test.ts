import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { engine } from "../../../src/engine.ts"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Condition from "../../../src/runtime/asset/Condition.ts"
import * as Conditions from "../../../src/runtime/automation/Conditions.ts"
import * as Launcher from "../../../src/runtime/automation/Launcher.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import { ConditionStore } from "../../../src/runtime/store/ConditionStore.ts"
import { Leadership } from "../../../src/runtime/store/Leadership.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import * as TestGraph from "../../support/TestGraph.ts"
import { suite } from "./ConditionStoreSuite.ts"
import { wanted } from "./RunQueueSuite.ts"

const stores = Layer.provideMerge(engine, EmbeddedDatabase.layer)

layer(stores, { timeout: "60 seconds", excludeTestServices: true })("conditions in PostgreSQL", (it) => {
  suite(it)

  it.effect("a slot that a run leaves is the next one's at once", () =>
    Effect.scoped(Effect.gen(function*() {
      const [leadership, runs] = [yield* Leadership, yield* RunStore]
      const one = Asset.make("one_of_many", {}, () => Effect.sleep("50 millis"))
      const graph = AssetGraph.make(one)
      const term = (yield* leadership.acquire("slots", 60_000))!
      const asked = ["a", "b", "c", "d", "e", "f"].map((name) => ({
        ...wanted(`slot ${name}`),
        request: { assets: ["one_of_many"], select: null, partition: null, force: true }
      }))
      yield* runs.request(asked)
      const project = { graph, automations: [], members: Effect.succeed({}), concurrency: 2, pools: {}, limits: {} }
      yield* Effect.forkScoped(Launcher.run(project, yield* Launcher.running, { term, slots: 1 }))
      yield* Effect.map(runs.list({ limit: 100, status: "succeeded" }), (all) =>
        all.filter(({ runId }) => runId.startsWith("slot ")).length).pipe(
          Effect.repeat({
            until: (count) =>
              count === asked.length,
            schedule: Schedule.spaced("50 millis")
          }),
          Effect.timeout("10 seconds")
        )
      yield* leadership.resign(term)
    })))

  it.effect("a leader asks for what a condition says, and one that lost the lead does not", () =>
    Effect.scoped(Effect.gen(function*() {
      const [leadership, runs, store] = [yield* Leadership, yield* RunStore, yield* ConditionStore]
      const letters = { letter: Partitions.statics(["a", "b"]) }
      const source = Asset.make("eager_source", { partitions: letters }, () => Effect.void)
      const reader = Asset.make(
        "eager_reader",
        { partitions: letters, deps: { source }, automation: Condition.eager },
        () => Effect.void
      )
      const graph = AssetGraph.make(reader)
      const term = (yield* leadership.acquire("one", 60_000))!
      const project = { graph, automations: [], members: Effect.succeed({}), concurrency: 2, pools: {}, limits: {} }
      yield* Effect.forkScoped(Launcher.run(project, yield* Launcher.running, { term, slots: 1 }))
      const concern = yield* Effect.forkScoped(Conditions.run(graph, leadership.fenced(term)))
      yield* TestGraph.materialize(graph, { assets: ["eager_source"], partition: "letter=b" })
      const took = runs.list({ limit: 10, status: "succeeded" }).pipe(
        Effect.map((found) => found.find(({ tags }) => tags["automation"] !== undefined)?.runId)
      )
      const ended = Effect.repeat(took, { until: (id) => id !== undefined, schedule: Schedule.spaced("50 millis") })
      const runId = (yield* ended)!
      expect(yield* runs.find(runId)).toMatchObject({
        status: "succeeded",
        tags: { automation: "condition/eager_reader" },
        request: { targets: [{ asset: "eager_reader", partitions: "letter=b" }], force: false }
      })
      const asked = Effect.map(store.records("eager_reader", 10), (all) => all.filter(({ count }) => count > 0))
      expect(yield* asked).toMatchObject([{ count: 1, partitions: "letter=b", runId }])
      yield* leadership.resign(term)
      yield* leadership.acquire("two", 60_000)
      yield* TestGraph.materialize(graph, { assets: ["eager_source"], partition: "letter=a" })
      expect((yield* Effect.flip(Fiber.join(concern)))._tag).toBe("NotLeader")
      expect(yield* asked).toHaveLength(1)
    })))
})
