/** What every `ObjectStore` does. Each test has a prefix of its own, so they share a store. */
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { ObjectStore, segment } from "../../../src/layers/lake/ObjectStore.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export const suite = <E>(name: string, store: Layer.Layer<ObjectStore, E>): void =>
  layer(store)(name, (it) => {
    it.effect("what was put is got, byte by byte", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const all = Uint8Array.from({ length: 100_000 }, (_, at) => at % 251)
        expect(yield* store.put("round/trip", all)).toBe("written")
        expect(new Uint8Array(yield* store.get("round/trip"))).toEqual(all)
        expect(yield* store.put("round/nothing", new Uint8Array(0))).toBe("written")
        expect((yield* store.get("round/nothing")).length).toBe(0)
      }))

    it.effect("the same bytes are unchanged, others replace them", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        expect(yield* store.put("again/a", bytes("one"))).toBe("written")
        expect(yield* store.put("again/a", bytes("one"))).toBe("unchanged")
        expect(yield* store.put("again/a", bytes("two"))).toBe("written")
        expect(new TextDecoder().decode(yield* store.get("again/a"))).toBe("two")
      }))

    it.effect("what is not there is not found, and removing it is no error", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const error = yield* Effect.flip(store.get("missing/x"))
        expect(error.reason._tag).toBe("NotFound")
        expect(error.message).toBe("get missing/x: no such object")
        yield* store.remove("missing/x")
        yield* store.put("missing/x", bytes("x"))
        yield* store.remove("missing/x")
        expect((yield* Effect.flip(store.get("missing/x"))).reason._tag).toBe("NotFound")
      }))

    it.effect("keys are listed in order, by any prefix", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const keys = ["list/symbol=A/x", "list/symbol=AA/x", "list/symbol=B/date=2/x", "list/symbol=B/date=1/x"]
        for (const key of keys) yield* store.put(key, bytes(key))
        expect(yield* store.list("list/")).toEqual(keys.toSorted())
        expect(yield* store.list("list/symbol=A")).toEqual(["list/symbol=A/x", "list/symbol=AA/x"])
        expect(yield* store.list("list/symbol=B/")).toEqual(["list/symbol=B/date=1/x", "list/symbol=B/date=2/x"])
        expect(yield* store.list("list/nothing")).toEqual([])
        expect(yield* store.list("list/symbol=A/x/y")).toEqual([])
      }))

    it.effect("odd symbols make keys of their own", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const symbols = ["BRK/B", "BRK.B", "^GSPC", "BTC:USD", "EUR=X", "100%", "%2F", "a b", "ä", "TRUE"]
        const keys = symbols.map((symbol) => `odd/symbol=${segment(symbol)}/x`)
        for (const key of keys) yield* store.put(key, bytes(key))
        expect(yield* store.list("odd/")).toEqual(keys.toSorted())
      }))

    it.effect("keys that lead elsewhere or would be hidden are refused", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        for (const key of ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "a/.hidden", "a\0b", "a\\b"]) {
          for (const one of [store.put(key, bytes("x")), store.get(key), store.remove(key)]) {
            expect((yield* Effect.flip(one)).reason._tag).toBe("Failed")
          }
        }
        expect((yield* Effect.flip(store.list("../"))).reason._tag).toBe("Failed")
      }))

    it.effect("many at once for one key leave the bytes of one of them", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const all = Array.from({ length: 16 }, (_, at) => new Uint8Array(50_000).fill(at))
        yield* Effect.all(all.map((one) => store.put("race/x", one)), { concurrency: "unbounded" })
        const held = yield* store.get("race/x")
        expect(new Set(held).size).toBe(1)
        expect(yield* store.list("race/")).toEqual(["race/x"])
      }))

    it.effect("putting and removing neighbours at once fails for neither", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        yield* Effect.all(
          Array.from({ length: 100 }, (_, at) =>
            at % 2 === 0
              ? store.put(`churn/date=${at % 4}/x${at}`, bytes(`${at}`))
              : store.remove(`churn/date=${at % 4 - 1}/x${at - 1}`)),
          { concurrency: "unbounded" }
        )
        yield* Effect.forEach(yield* store.list("churn/"), store.remove)
        expect(yield* store.list("churn/")).toEqual([])
      }))
  })
