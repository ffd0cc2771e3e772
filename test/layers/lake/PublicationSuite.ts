/** What publishing promises over every `ObjectStore`. Each test has a key of its own, so they share a store. */
import { expect, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { parquetWriteBuffer } from "hyparquet-writer"
import { type Bars, contentHash, empty } from "../../../src/layers/bars/Bars.ts"
import { ObjectStore } from "../../../src/layers/lake/ObjectStore.ts"
import * as Parquet from "../../../src/layers/lake/Parquet.ts"
import { ParquetFormat, parse } from "../../../src/layers/lake/ParquetFormat.ts"
import * as ParquetReader from "../../../src/layers/lake/ParquetReader.ts"
import * as Publication from "../../../src/layers/lake/Publication.ts"
import * as TestBars from "../../support/TestBars.ts"

const day = "2024-03-05"

export const fileOf = (key: string, bars: Bars): Publication.File => ({
  key,
  parts: [{ bars }],
  contentHash: contentHash(bars),
  meta: { source: "test", interval: "1min", symbol: "IBM", session: day }
})

/** A store that counts what is asked of it. */
const counted = (store: ObjectStore["Service"]) => {
  const counts = { put: 0, remove: 0, read: 0, get: 0, list: 0 }
  const counting: ObjectStore["Service"] = {
    location: store.location,
    put: (...args) => (counts.put++, store.put(...args)),
    get: (...args) => (counts.get++, store.get(...args)),
    read: (...args) => (counts.read++, store.read(...args)),
    remove: (...args) => (counts.remove++, store.remove(...args)),
    list: (...args) => (counts.list++, store.list(...args))
  }
  return { counts, counting }
}

/** A store whose first `many` puts wait for each other, and then happen in the opposite order. */
const lastFirst = Effect.fnUntraced(function*(store: ObjectStore["Service"], many: number) {
  const turns = yield* Effect.forEach(Array.from({ length: many }), () => Deferred.make<void>())
  let arrived = 0
  const put: ObjectStore["Service"]["put"] = (...args) =>
    Effect.suspend(() => {
      const turn = arrived++
      if (turn >= many) return store.put(...args)
      const next = turn === 0 ? Effect.void : Deferred.succeed(turns[turn - 1]!, undefined)
      const start = turn === many - 1 ? Deferred.succeed(turns[turn]!, undefined) : Effect.void
      return Effect.andThen(start, Deferred.await(turns[turn]!)).pipe(
        Effect.andThen(store.put(...args)),
        Effect.ensuring(next)
      )
    })
  return { ...store, put } satisfies ObjectStore["Service"]
})

/** Publishes one partition and answers what it records. */
const publish = (store: ObjectStore["Service"], key: string, bars: Bars) =>
  Effect.map(
    Publication.publish(store, [key], () => Effect.succeed([fileOf(key, bars)])),
    ([outcome]) => Result.getOrThrow(outcome!)
  )

const metaAt = Effect.fnUntraced(function*(store: ObjectStore["Service"], key: string) {
  return Parquet.metaOf(Parquet.footer(yield* store.get(key)))
})

const hashAt = Effect.fnUntraced(function*(store: ObjectStore["Service"], key: string) {
  return contentHash(yield* ParquetReader.decode(yield* store.get(key)))
})

export const suite = <E>(name: string, store: Layer.Layer<ObjectStore, E>): void =>
  layer(store)(name, (it) => {
    it.effect("rows that did not change are not written again", () =>
      Effect.gen(function*() {
        const { counting, counts } = counted(yield* ObjectStore)
        const bars = TestBars.make(day, 390)
        const first = yield* publish(counting, "same/x", bars)
        expect(counts).toMatchObject({ read: 1, put: 1 })
        const { etag } = yield* counting.read("same/x", { last: 1 })
        Object.assign(counts, { read: 0, put: 0 })
        expect(yield* publish(counting, "same/x", bars)).toEqual(first)
        expect(counts).toEqual({ put: 0, remove: 0, read: 1, get: 0, list: 0 })
        expect((yield* counting.read("same/x", { last: 1 })).etag).toBe(etag)
      }))

    it.effect("rows that changed replace the file, under the next generation", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const bars = TestBars.make(day, 390)
        yield* publish(store, "change/x", bars)
        const other = TestBars.withClose(bars, 7, 1)
        const published = yield* publish(store, "change/x", other)
        expect(published).toMatchObject({ rows: 390, contentHash: contentHash(other) })
        expect(yield* hashAt(store, "change/x")).toBe(contentHash(other))
        expect(yield* metaAt(store, "change/x")).toMatchObject({ generation: "2", contentHash: contentHash(other) })
        expect((yield* store.get("change/x")).length).toBe(published.bytes)
      }))

    it.effect("no rows leave no file, and that is no error where there was none", () =>
      Effect.gen(function*() {
        const { counting, counts } = counted(yield* ObjectStore)
        yield* publish(counting, "empty/x", TestBars.make(day, 3))
        expect(yield* publish(counting, "empty/x", empty)).toMatchObject({ rows: 0, bytes: 0 })
        expect(yield* counting.list("empty/")).toEqual([])
        yield* publish(counting, "empty/x", empty)
        expect(counts).toMatchObject({ put: 1, remove: 1 })
      }))

    it.effect("a file that is damaged, or of somebody else, is replaced", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const bars = TestBars.make(day, 390)
        yield* publish(store, "damaged/x", bars)
        const whole = yield* store.get("damaged/x")
        for (const wrong of [whole.subarray(0, 500), new Uint8Array(0), new TextEncoder().encode("hello PAR1")]) {
          yield* store.put("damaged/x", wrong)
          yield* publish(store, "damaged/x", bars)
          expect(yield* hashAt(store, "damaged/x")).toBe(contentHash(bars))
        }
      }))

    it.effect("a file that another program wrote anew, our words included, is replaced; so is one that lacks a part", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const bars = TestBars.make(day, 390)
        yield* publish(store, "rewritten/x", bars)
        const whole = yield* store.get("rewritten/x")
        // As pyarrow does with a table that it has read and filtered.
        const filtered = parquetWriteBuffer({
          columnData: [{ name: "ts", data: [1n], type: "INT64" }],
          kvMetadata: Object.entries(Parquet.metaOf(Parquet.footer(whole))).map(([key, value]) => ({ key, value }))
        })
        const lacking = Uint8Array.from([...whole.subarray(0, 200), ...whole.subarray(300)])
        for (const wrong of [new Uint8Array(filtered), lacking]) {
          yield* store.put("rewritten/x", wrong)
          yield* publish(store, "rewritten/x", bars)
          expect(yield* hashAt(store, "rewritten/x")).toBe(contentHash(bars))
        }
      }))

    it.effect("another format is another file, with the same rows", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const bars = TestBars.make(day, 390)
        yield* publish(store, "format/x", bars)
        const snappy = Effect.provideService(ParquetFormat, Result.getOrThrow(parse("codec=snappy,pages=v1")))
        yield* snappy(publish(store, "format/x", bars))
        expect(yield* metaAt(store, "format/x")).toMatchObject({ generation: "2", format: "2 snappy double v1" })
        expect(yield* hashAt(store, "format/x")).toBe(contentHash(bars))
      }))

    it.effect("a long footer is read whole", () =>
      Effect.gen(function*() {
        const { counting, counts } = counted(yield* ObjectStore)
        const long = { ...fileOf("long/x", TestBars.make(day, 3)), meta: { note: "x".repeat(10_000) } }
        const once = Publication.publish(counting, ["long/x"], () => Effect.succeed([long]))
        yield* once
        yield* once
        expect(counts).toMatchObject({ put: 1, read: 3 })
      }))

    it.effect("a writer that read its rows before somebody else wrote newer ones reads again", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const [old, newer] = [TestBars.make(day, 390, 10), TestBars.make(day, 390, 20)]
        let staged = old
        let reads = 0
        const outcomes = yield* Publication.publish(store, ["stale/x"], () =>
          Effect.gen(function*() {
            const file = fileOf("stale/x", staged)
            if (++reads === 1) {
              staged = newer
              yield* publish(store, "stale/x", newer)
            }
            return [file]
          }))
        expect(reads).toBe(2)
        expect(Result.getOrThrow(outcomes[0]!).contentHash).toBe(contentHash(newer))
        expect(yield* hashAt(store, "stale/x")).toBe(contentHash(newer))
        expect(yield* metaAt(store, "stale/x")).toMatchObject({ generation: "1" })
      }))

    it.effect("eight writers, of whom who read first writes last, leave the rows that were read last", () =>
      Effect.gen(function*() {
        const { counts, counting } = counted(yield* ObjectStore)
        const store = yield* lastFirst(counting, 8)
        let version = 0
        const writer = Publication.publish(
          store,
          ["race/x"],
          () => Effect.sync(() => [fileOf("race/x", TestBars.make(day, 390, 100 + ++version))])
        )
        const outcomes = yield* Effect.all(Array.from({ length: 8 }, () => writer), { concurrency: "unbounded" })
        expect(outcomes.flat().every(Result.isSuccess)).toBe(true)
        const latest = contentHash(TestBars.make(day, 390, 100 + version))
        expect(yield* hashAt(store, "race/x")).toBe(latest)
        expect(yield* metaAt(store, "race/x")).toMatchObject({ contentHash: latest, generation: "8" })
        expect(counts.put).toBeGreaterThan(8)
        expect(yield* store.list("race/")).toEqual(["race/x"])
      }))

    it.effect("in a batch one partition's error is its own", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const files = [fileOf("batch/a", TestBars.make(day, 3)), fileOf("../x", TestBars.make(day, 3))]
        const outcomes = yield* Publication.publish(store, files.map(({ key }) => key), () => Effect.succeed(files))
        expect(outcomes.map(Result.isSuccess)).toEqual([true, false])
        expect(yield* store.list("batch/")).toEqual(["batch/a"])
      }))
  })
