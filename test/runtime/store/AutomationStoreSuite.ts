/** What every `AutomationStore` does. Each test has automations of its own: the store is shared. */
import { describe, expect, type Vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { AutomationStore } from "../../../src/runtime/store/AutomationStore.ts"
import type { NewTick } from "../../../src/runtime/store/Tick.ts"

const tick = (name: string, at: number, outcome: NewTick["outcome"], why?: string): NewTick => ({
  name,
  due: at - 1,
  at,
  outcome,
  why,
  runs: outcome === "requested" ? [`run at ${at}`] : []
})

const of = (name: string) => Effect.flatMap(AutomationStore, (store) => Effect.map(store.all, (all) => all.get(name)))

export const suite = (it: Vitest.MethodsNonLive<AutomationStore>) =>
  describe("what automations remember", () => {
    it.effect("ticks in a row that say the same are one, with the latest instant; what asked for a run never is", () =>
      Effect.gen(function*() {
        const store = yield* AutomationStore
        const name = "sensor/equal"
        yield* store.record(name, "a", [tick(name, 1000, "skipped", "nothing new")])
        yield* store.record("sensor/between", "a", [tick("sensor/between", 1500, "skipped", "nothing new")])
        yield* store.record(name, "b", [
          tick(name, 2000, "skipped", "nothing new"),
          tick(name, 3000, "skipped", "nothing new"),
          tick(name, 4000, "skipped", "paused"),
          tick(name, 5000, "requested"),
          tick(name, 6000, "requested"),
          tick(name, 7000, "skipped", "nothing new")
        ])
        const ticks = yield* store.ticks(name, 10)
        expect(ticks.map(({ at, count, due, outcome }) => [outcome, due, at, count])).toEqual([
          ["skipped", 6999, 7000, 1],
          ["requested", 5999, 6000, 1],
          ["requested", 4999, 5000, 1],
          ["skipped", 3999, 4000, 1],
          ["skipped", 2999, 3000, 3]
        ])
        expect(ticks[1]!.runs).toEqual(["run at 6000"])
        expect((yield* store.ticks(name, 2)).map(({ at }) => at)).toEqual([7000, 6000])
        expect(yield* of(name)).toMatchObject({ cursor: "b", tickedAt: 7000, failures: 0 })
      }))

    it.effect("failures in a row are counted, and forgotten with the first that is none", () =>
      Effect.gen(function*() {
        const store = yield* AutomationStore
        const name = "sensor/failing"
        for (const at of [1000, 2000, 3000]) yield* store.record(name, "kept", [tick(name, at, "failed", "away")])
        expect(yield* of(name)).toMatchObject({ failures: 3, tickedAt: 3000, cursor: "kept" })
        expect((yield* store.ticks(name, 9)).map(({ count }) => count)).toEqual([3])
        yield* store.record(name, "kept", [tick(name, 4000, "skipped")])
        expect(yield* of(name)).toMatchObject({ failures: 0, tickedAt: 4000 })
      }))

    it.effect("one that is paused stays so through its ticks, and pausing forgets nothing", () =>
      Effect.gen(function*() {
        const store = yield* AutomationStore
        const name = "schedule/paused"
        expect(yield* of(name)).toBeUndefined()
        yield* store.setPaused(name, true)
        expect(yield* of(name)).toMatchObject({ paused: true, cursor: undefined, tickedAt: undefined })
        yield* store.record(name, { since: 7 }, [tick(name, 1000, "skipped", "paused")])
        expect(yield* of(name)).toMatchObject({ paused: true, cursor: { since: 7 } })
        yield* store.setPaused(name, false)
        expect(yield* of(name)).toMatchObject({ paused: false, cursor: { since: 7 }, tickedAt: 1000 })
      }))

    it.effect("a tick by hand is in the history and changes nothing else", () =>
      Effect.gen(function*() {
        const store = yield* AutomationStore
        const name = "schedule/manual"
        yield* store.record(name, { since: 7 }, [tick(name, 1000, "failed", "away")])
        yield* store.note(tick(name, 2000, "requested"))
        expect(yield* of(name)).toMatchObject({ cursor: { since: 7 }, tickedAt: 1000, failures: 1 })
        expect((yield* store.ticks(name, 9)).map(({ outcome }) => outcome)).toEqual(["requested", "failed"])
      }))

    it.effect("remembering without a tick keeps the instant of the last one", () =>
      Effect.gen(function*() {
        const store = yield* AutomationStore
        const name = "freshness/bars"
        yield* store.record(name, "fresh", [tick(name, 1000, "skipped")])
        yield* store.record(name, "overdue", [])
        expect(yield* of(name)).toMatchObject({ cursor: "overdue", tickedAt: 1000 })
      }))

    it.effect("old ticks are forgotten, what is remembered is not", () =>
      Effect.gen(function*() {
        const store = yield* AutomationStore
        const name = "schedule/old"
        yield* store.record(name, { since: 7 }, [tick(name, -9000, "requested"), tick(name, -5000, "requested")])
        expect(yield* store.forget(-5000)).toBe(1)
        expect((yield* store.ticks(name, 9)).map(({ at }) => at)).toEqual([-5000])
        expect(yield* of(name)).toMatchObject({ cursor: { since: 7 } })
      }))

    it.effect("the latest tick of a schedule that ticks once a quarter is kept until the next one", () =>
      Effect.gen(function*() {
        const store = yield* AutomationStore
        const name = "schedule/quarterly"
        yield* store.record(name, { since: 7 }, [
          tick(name, -9000, "skipped", "paused"),
          tick(name, -8000, "requested")
        ])
        expect(yield* store.forget(-5000)).toBe(1)
        expect((yield* store.ticks(name, 9)).map(({ at }) => at)).toEqual([-8000])
        yield* store.record(name, { since: 8 }, [tick(name, -4000, "requested")])
        expect(yield* store.forget(-5000)).toBe(1)
        expect((yield* store.ticks(name, 9)).map(({ at }) => at)).toEqual([-4000])
      }))
  })
