/** What every `CheckStore` and every history of materializations must do. */
import { expect, type Vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Check from "../../../src/runtime/asset/Check.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import type { Executor } from "../../../src/runtime/run/Executor.ts"
import { type CheckResult, CheckStore } from "../../../src/runtime/store/CheckStore.ts"
import type { DynamicPartitions } from "../../../src/runtime/store/DynamicPartitions.ts"
import { MaterializationStore } from "../../../src/runtime/store/MaterializationStore.ts"
import type { RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as TestGraph from "../../support/TestGraph.ts"

type Stores = CheckStore | MaterializationStore | RunStore | DynamicPartitions | Executor

const Value = Schema.Struct({ rows: Schema.Finite, text: Schema.String, deep: Schema.Array(Schema.Finite) })

const result = (asset: string, partition: string, passed: boolean, more: Partial<CheckResult> = {}): CheckResult => ({
  asset,
  check: "one",
  partition,
  passed,
  severity: "error",
  blocking: false,
  description: undefined,
  metadata: {},
  ...more
})

/** Counted letters, of which `b` is as the test says. */
const counted = (name: string) => {
  const rows = { b: 1 }
  const source = Asset.make(
    name,
    { partitions: { letter: Partitions.statics(["a", "b", "c"]) }, output: Value, batch: { max: 3 } },
    ({ items }) =>
      Effect.succeed(
        items.map(({ partition: { letter } }) =>
          Result.succeed({ rows: letter === "b" ? rows.b : 1, text: letter, deep: [1] })
        )
      )
  )
  const check = Check.make(
    "has_rows",
    { asset: source, blocking: true },
    ({ output }) =>
      Effect.succeed({ passed: output.rows > 0, description: `${output.rows} rows`, metadata: { rows: output.rows } })
  )
  return { rows, source, graph: AssetGraph.make(check) }
}

export const suite = (it: Vitest.MethodsNonLive<Stores>) => {
  it.effect("of each check and partition the latest result is kept, and counted per check", () =>
    Effect.gen(function*() {
      const store = yield* CheckStore
      yield* store.record("first", [
        result("kept", "p=2", false, { description: "bad", metadata: { count: 3, word: "x" } }),
        result("kept", "p=1", false),
        result("kept", "p=3", true, { check: "two", severity: "warn" }),
        result("other", "p=1", false)
      ])
      yield* store.record(undefined, [result("kept", "p=1", true)])
      yield* store.record("none", [])
      const totals = yield* store.totals("kept")
      expect(totals.get("one")).toMatchObject({ passed: 1, failed: 1 })
      expect(totals.get("two")).toMatchObject({ passed: 1, failed: 0 })
      expect(yield* store.failing("kept", "one", 5)).toMatchObject([{
        partition: "p=2",
        severity: "error",
        description: "bad",
        metadata: { count: 3, word: "x" },
        runId: "first"
      }])
      expect(yield* store.latest("kept", "one", ["p=1", "p=9"])).toMatchObject([
        { partition: "p=1", passed: true, description: undefined, metadata: {}, runId: undefined }
      ])
      expect(yield* store.totals("unknown")).toEqual(new Map())
    }))

  it.effect("of those that did not pass the first are given, in the order of their texts", () =>
    Effect.gen(function*() {
      const store = yield* CheckStore
      yield* store.record("run", ["p=c", "p=a", "p=b"].map((partition) => result("ordered", partition, false)))
      expect((yield* store.failing("ordered", "one", 2)).map(({ partition }) => partition)).toEqual(["p=a", "p=b"])
    }))

  it.effect("a rejected success is in the history, counts as failed, and is not the latest success", () =>
    Effect.gen(function*() {
      const { graph, rows } = counted("rejecting")
      const store = yield* MaterializationStore
      rows.b = 0
      const { summary } = yield* TestGraph.materialize(graph, { assets: ["rejecting"], partition: "letter=b" })
      expect(summary.status).toBe("failed")
      expect(yield* store.latestSuccess(["rejecting", "unknown"])).toEqual(new Map())
      const history = yield* store.history({ asset: "rejecting", partition: undefined, limit: 5, before: undefined })
      expect(history).toMatchObject([{
        partition: "letter=b",
        runId: summary.runId,
        metadata: { rows: 0, text: "b" },
        rejected: "check has_rows: 0 rows"
      }])
      const planned = (yield* TestGraph.plan(graph, { assets: ["rejecting"] })).plan
      expect(TestGraph.planned(planned)).toMatchObject([
        { partition: "letter=a", reason: { _tag: "NeverMaterialized" } },
        { partition: "letter=c", reason: { _tag: "NeverMaterialized" } },
        { partition: "letter=b", reason: { _tag: "Failed", error: "check has_rows: 0 rows" } }
      ])
      rows.b = 1
      expect((yield* TestGraph.materialize(graph, { assets: ["rejecting"] })).summary.status).toBe("succeeded")
      expect((yield* store.latestSuccess(["rejecting"])).size).toBe(1)
      const states = yield* store.states(new Map([["rejecting", ["letter=b"]]]))
      const state = states.get("rejecting")!.get("letter=b")!
      expect([state.failure, state.latest!.rejected]).toEqual([undefined, undefined])
      expect((yield* (yield* CheckStore).totals("rejecting")).get("has_rows")).toMatchObject({ passed: 3, failed: 0 })
    }))

  it.effect("rejected again, by another reason, it has the new one", () =>
    Effect.gen(function*() {
      const { graph, rows } = counted("again")
      rows.b = -1
      yield* TestGraph.materialize(graph, { assets: ["again"] })
      rows.b = -2
      yield* TestGraph.materialize(graph, { assets: ["again"] })
      const states = yield* (yield* MaterializationStore).states(new Map([["again", ["letter=b"]]]))
      expect(states.get("again")!.get("letter=b")).toMatchObject({ failure: "check has_rows: -2 rows" })
    }))

  it.effect("the history of an asset and of a partition is paged, newest first", () =>
    Effect.gen(function*() {
      const { graph } = counted("paged")
      const store = yield* MaterializationStore
      for (let round = 0; round < 3; round++) yield* TestGraph.materialize(graph, { assets: ["paged"], force: true })
      const asked = { asset: "paged", partition: undefined, limit: 4, before: undefined }
      const first = yield* store.history(asked)
      const rest = yield* store.history({ ...asked, limit: 9, before: first.at(-1)!.id })
      const ids = [...first, ...rest].map(({ id }) => id)
      expect(ids).toHaveLength(9)
      expect(ids).toEqual(ids.toSorted((a, b) => b - a))
      const one = yield* store.history({ ...asked, partition: "letter=c" })
      expect(one.map(({ partition }) => partition)).toEqual(["letter=c", "letter=c", "letter=c"])
      expect(first[0]!.metadata).toHaveProperty("rows", 1)
      expect(first[0]!.metadata).not.toHaveProperty("deep")
    }))
}
