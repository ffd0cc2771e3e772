/** What every `ObjectStore` does. Each test has a prefix of its own, so they share a store. */
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import {
  ensure,
  ObjectStore,
  type ObjectStoreError,
  type Range,
  segment,
  tail
} from "../../../src/layers/lake/ObjectStore.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

export const suite = <E>(name: string, store: Layer.Layer<ObjectStore, E>): void =>
  layer(store)(name, (it) => {
    it.effect("what was put is got, byte by byte", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const all = Uint8Array.from({ length: 100_000 }, (_, at) => at % 251)
        yield* store.put("round/trip", all)
        expect(new Uint8Array(yield* store.get("round/trip"))).toEqual(all)
        yield* store.put("round/nothing", new Uint8Array(0))
        expect((yield* store.get("round/nothing")).length).toBe(0)
      }))

    it.effect("every write has an etag of its own, and a reader is told the etag of what it reads", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const one = yield* store.put("etag/a", bytes("one"))
        expect(yield* store.read("etag/a", { last: 2 })).toMatchObject({ etag: one, size: 3 })
        const two = yield* store.put("etag/a", bytes("two"))
        expect(two).not.toBe(one)
        expect(text(yield* store.get("etag/a"))).toBe("two")
        expect((yield* store.read("etag/a", { last: 2 })).etag).toBe(two)
      }))

    it.effect("a part is read from either end, as far as there are bytes, and of the expected object only", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const etag = yield* store.put("part/x", bytes("0123456789"))
        yield* store.put("part/empty", new Uint8Array(0))
        const part = (range: Range) => Effect.map(store.read("part/x", range, etag), ({ bytes }) => text(bytes))
        expect(yield* part({ last: 3 })).toBe("789")
        expect(yield* part({ last: 99 })).toBe("0123456789")
        expect(yield* part({ from: 2, to: 5 })).toBe("234")
        expect(yield* part({ from: 8, to: 99 })).toBe("89")
        expect(yield* part({ from: 10, to: 12 })).toBe("")
        expect(yield* store.read("part/empty", { last: 8 })).toMatchObject({ size: 0, bytes: new Uint8Array(0) })
        yield* store.put("part/x", bytes("abc"))
        expect((yield* Effect.flip(store.read("part/x", { last: 3 }, etag))).reason._tag).toBe("Conflict")
        expect((yield* Effect.flip(store.read("part/none", { last: 3 }))).reason._tag).toBe("NotFound")
        expect(yield* tail(store, "part/none", 8)).toBe(undefined)
      }))

    it.effect("a write replaces only what its writer has seen", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const first = yield* store.put("expect/x", bytes("1"), null)
        const conflicts = (write: Effect.Effect<unknown, ObjectStoreError>) =>
          Effect.map(Effect.flip(write), ({ reason }) => expect(reason._tag).toBe("Conflict"))
        yield* conflicts(store.put("expect/x", bytes("2"), null))
        const second = yield* store.put("expect/x", bytes("2"), first)
        yield* conflicts(store.put("expect/x", bytes("3"), first))
        yield* conflicts(store.put("expect/none", bytes("3"), first))
        yield* conflicts(store.remove("expect/x", first))
        expect(text(yield* store.get("expect/x"))).toBe("2")
        yield* store.remove("expect/x", second)
        yield* store.remove("expect/x", second)
        expect(yield* store.list("expect/")).toEqual([])
      }))

    it.effect("of many that expect the same, one wins", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        let etag: string | null = null
        for (let round = 0; round < 3; round++) {
          const tried: ReadonlyArray<Result.Result<string, ObjectStoreError>> = yield* Effect.all(
            Array.from({ length: 8 }, (_, at) => Effect.result(store.put("one/x", bytes(`${round}/${at}`), etag))),
            { concurrency: "unbounded" }
          )
          expect(tried.filter(Result.isSuccess)).toHaveLength(1)
          const winner = tried.findIndex(Result.isSuccess)
          expect(text(yield* store.get("one/x"))).toBe(`${round}/${winner}`)
          etag = Result.getOrThrow(tried[winner]!)
        }
      }))

    it.effect("what is ensured is put once", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        yield* Effect.all(Array.from({ length: 8 }, () => ensure(store, "ensure/x", bytes("x"))), {
          concurrency: "unbounded"
        })
        const { etag } = yield* store.read("ensure/x", { last: 1 })
        yield* ensure(store, "ensure/x", bytes("x"))
        expect((yield* store.read("ensure/x", { last: 1 })).etag).toBe(etag)
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
            expect((yield* Effect.flip<unknown, ObjectStoreError, never>(one)).reason._tag).toBe("Failed")
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
        yield* Effect.forEach(yield* store.list("churn/"), (key) => store.remove(key))
        expect(yield* store.list("churn/")).toEqual([])
      }))
  })
