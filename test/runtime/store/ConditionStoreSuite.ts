/** What every store of conditions promises. */
import { expect, type Vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Answer, State } from "../../../src/runtime/automation/ConditionState.ts"
import { ConditionStore, KEPT, type Record } from "../../../src/runtime/store/ConditionStore.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"

const answer: Answer = [1, 3, 1_000, "letter=a", [[0, 3, 1_000, "", []]]]

const stateOf = (number: number): State => ({
  condition: "abc",
  number,
  at: 1_000 + number,
  sets: { ".0": "letter=a,letter=b" },
  seen: { upstream: { 7: "day=2026-01-01..2026-01-03" } },
  asked: { number: 0, partitions: "" },
  answer
})

const recordOf = (count: number): Record => ({
  at: Date.parse("2026-01-01T00:00:00Z") + count,
  condition: "abc",
  count,
  partitions: "letter=a",
  runId: count % 2 === 0 ? undefined : `run ${count}`,
  answer
})

export const suite = (it: Vitest.MethodsNonLive<ConditionStore | RunStore>) => {
  it.effect("what a condition remembers is read back as it was, and replaced by the next", () =>
    Effect.gen(function*() {
      const store = yield* ConditionStore
      yield* store.save([
        { asset: "a", state: stateOf(1), record: undefined },
        { asset: "b", state: stateOf(2), record: undefined }
      ])
      yield* store.save([{ asset: "a", state: stateOf(3), record: undefined }])
      yield* store.save([])
      expect(yield* store.state("a")).toEqual(stateOf(3))
      expect(yield* store.state("nobody")).toBeUndefined()
      expect(yield* store.states).toEqual(new Map([["a", stateOf(3)], ["b", stateOf(2)]]))
      expect(yield* store.records("a", 10)).toEqual([])
    }))

  it.effect("the newest records of each asset are kept, newest first", () =>
    Effect.gen(function*() {
      const store = yield* ConditionStore
      yield* store.save([{ asset: "rare", state: stateOf(1), record: recordOf(1) }])
      for (let count = 0; count < KEPT + 3; count++) {
        yield* store.save([{ asset: "often", state: stateOf(count), record: recordOf(count) }])
      }
      const kept = yield* store.records("often", KEPT * 2)
      expect(kept.map(({ count }) => count)).toEqual(Array.from({ length: KEPT }, (_, at) => KEPT + 2 - at))
      expect(kept.slice(0, 2)).toEqual([recordOf(KEPT + 2), recordOf(KEPT + 1)])
      expect(yield* store.records("often", 1)).toEqual([recordOf(KEPT + 2)])
      expect(yield* store.records("rare", 5)).toEqual([recordOf(1)])
    }))

  it.effect("the runs that ended after a number are found, whether or not they ever began", () =>
    Effect.gen(function*() {
      const runs = yield* RunStore
      const enqueue = (runId: string) => runs.enqueue({ runId, request: {}, tags: {}, priority: 0 })
      yield* Effect.forEach(["early", "late", "canceled", "going"], enqueue)
      yield* runs.begin("early", {})
      yield* runs.begin("late", {})
      yield* runs.begin("going", {})
      yield* runs.end("early", "succeeded", { a: {} })
      const number = yield* runs.nextNumber
      yield* runs.end("late", "failed", { b: {} })
      yield* runs.end("canceled", "canceled", {})
      const found = yield* runs.endedSince(number)
      expect(found.map(({ runId, totals }) => [runId, totals]).sort()).toEqual([["canceled", {}], ["late", { b: {} }]])
      expect(yield* runs.endedSince(yield* runs.nextNumber)).toEqual([])
    }))
}
