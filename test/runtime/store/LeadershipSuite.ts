/** What every `Leadership` does. The tests share one lead: each begins when nobody has it. */
import { describe, expect, type Vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { AutomationStore } from "../../../src/runtime/store/AutomationStore.ts"
import { Leadership } from "../../../src/runtime/store/Leadership.ts"

const LONG = 60_000

/** Nobody leads. */
export const vacant = Effect.gen(function*() {
  const leadership = yield* Leadership
  const leader = yield* leadership.leader
  if (leader !== undefined) yield* leadership.resign(leader.term)
  return leadership
})

/** A write that is seen when it has happened. */
export const remember = (name: string, cursor: string) =>
  Effect.flatMap(AutomationStore, (store) => store.record(name, cursor, []))

export const remembered = (name: string) =>
  Effect.flatMap(AutomationStore, (store) => Effect.map(store.all, (all) => all.get(name)?.cursor))

export const suite = (it: Vitest.MethodsNonLive<Leadership | AutomationStore>) =>
  describe("the lead", () => {
    it.effect("of eight that want it at once, one has it, and its term is a new one", () =>
      Effect.gen(function*() {
        const leadership = yield* vacant
        const before = (yield* leadership.leader)?.term ?? 0
        const names = ["a", "b", "c", "d", "e", "f", "g", "h"]
        const terms = yield* Effect.forEach(names, (holder) => leadership.acquire(holder, LONG), {
          concurrency: "unbounded"
        })
        expect(terms.filter((term) => term !== undefined)).toEqual([before + 1])
        expect(yield* leadership.leader).toMatchObject({
          term: before + 1,
          holder: names[terms.indexOf(before + 1)],
          isExpired: false
        })
      }))

    it.effect("a lease that expires is anybody's, one that is renewed is not", () =>
      Effect.gen(function*() {
        const leadership = yield* vacant
        const first = (yield* leadership.acquire("first", 1))!
        yield* Effect.sleep("20 millis")
        expect(yield* leadership.leader).toMatchObject({ holder: "first", isExpired: true })
        const second = (yield* leadership.acquire("second", 1))!
        expect(second).toBe(first + 1)
        yield* leadership.renew(second, LONG)
        yield* Effect.sleep("20 millis")
        expect(yield* leadership.acquire("third", LONG)).toBeUndefined()
        expect(yield* Effect.flip(leadership.renew(first, LONG))).toMatchObject({ _tag: "NotLeader", term: first })
        expect(yield* leadership.leader).toMatchObject({ term: second, holder: "second", isExpired: false })
      }))

    it.effect("who resigns is followed at once, and cannot resign for the next", () =>
      Effect.gen(function*() {
        const leadership = yield* vacant
        const first = (yield* leadership.acquire("first", LONG))!
        expect(yield* leadership.acquire("second", LONG)).toBeUndefined()
        yield* leadership.resign(first)
        const second = (yield* leadership.acquire("second", LONG))!
        expect(second).toBe(first + 1)
        yield* leadership.resign(first)
        expect(yield* leadership.acquire("third", LONG)).toBeUndefined()
      }))

    it.effect("what a leader writes is kept until another term begins; after that nothing is", () =>
      Effect.gen(function*() {
        const leadership = yield* vacant
        const first = (yield* leadership.acquire("first", 1))!
        yield* Effect.sleep("20 millis")
        // Nobody else leads yet.
        yield* leadership.fenced(first)(remember("fence", "of the first"))
        expect(yield* remembered("fence")).toBe("of the first")
        yield* leadership.acquire("second", LONG)
        const refused = yield* Effect.flip(leadership.fenced(first)(remember("fence", "late")))
        expect(refused).toMatchObject({ _tag: "NotLeader", term: first })
        expect(yield* remembered("fence")).toBe("of the first")
      }))
  })
