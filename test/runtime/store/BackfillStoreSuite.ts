/** What every `BackfillStore` does. Each test has a backfill of its own, so they share a store. */
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import {
  type BackfillRequest,
  BackfillStore,
  type NewSlice,
  type Slice
} from "../../../src/runtime/store/BackfillStore.ts"
import { Claims } from "../../../src/runtime/store/Claims.ts"
import * as TestDaemon from "../../support/TestDaemon.ts"

export const request: BackfillRequest = {
  ancestors: true,
  assets: ["copy"],
  select: null,
  partition: "letter=a..c",
  force: false,
  only: "all",
  tags: {}
}

export const slice = (stage: number, asset: string, partitions: string, count = 2): NewSlice => ({
  stage,
  asset,
  partitions,
  count
})

const failed = (count: number) => ({
  status: "failed" as const,
  done: 0,
  failures: [{ asset: "copy", error: "no", tag: undefined, blocked: false, count, partitions: ["letter=a"] }]
})

const done = (done: number) => ({ status: "done" as const, done, failures: [] })

/** Workers that are alive, of the names given. */
const alive = Effect.fnUntraced(function*(...names: ReadonlyArray<string>) {
  const claims = yield* Claims
  for (const name of names) yield* claims.hold(name)
  return yield* BackfillStore
})

const positions = (slices: ReadonlyArray<Slice | undefined>) => slices.map((slice) => slice?.position)

export const suite = <E>(name: string, stores: Layer.Layer<BackfillStore | Claims, E>): void =>
  layer(stores, { excludeTestServices: true })(name, (it) => {
    it.effect("a backfill is kept with its slices, and counted", () =>
      Effect.gen(function*() {
        const store = yield* BackfillStore
        yield* store.create("kept", request, [slice(0, "copy", "letter=a..b"), slice(0, "copy", "letter=c", 1)])
        expect(yield* store.find("kept")).toMatchObject({
          backfillId: "kept",
          status: "requested",
          request,
          endedAt: undefined,
          slices: 2,
          over: 0,
          partitions: 3,
          done: 0,
          failed: 0
        })
        expect(yield* store.slices("kept")).toMatchObject([
          { position: 0, partitions: "letter=a..b", count: 2, status: "pending", worker: undefined, runId: undefined },
          { position: 1, partitions: "letter=c", count: 1, status: "pending", failures: [] }
        ])
        expect((yield* store.list(50)).map(({ backfillId }) => backfillId)).toContain("kept")
        expect(yield* store.find("never")).toBeUndefined()
        expect(yield* store.slices("never")).toEqual([])
        expect(yield* store.settle("never")).toBeUndefined()
        expect(yield* store.cancel("never")).toBe(false)
        expect(yield* store.claim("never", "nobody")).toBeUndefined()
      }))

    it.effect("backfills are open until they are over, the oldest first", () =>
      Effect.scoped(Effect.gen(function*() {
        const store = yield* alive("open/1")
        const open = Effect.map(
          store.open,
          (all) => all.map(({ backfillId }) => backfillId).filter((name) => name.startsWith("open"))
        )
        const clock = TestDaemon.makeClock("2024-01-01T00:00:00Z")
        for (const name of ["open first", "open second", "open third"]) {
          yield* store.create(name, request, [slice(0, "copy", "letter=a")]).pipe(clock.on)
          yield* clock.jump("1 second")
        }
        expect(yield* open).toEqual(["open first", "open second", "open third"])
        yield* store.cancel("open second")
        yield* store.finish((yield* store.claim("open first", "open/1"))!, done(2))
        expect(yield* open).toEqual(["open first", "open third"])
        yield* store.settle("open first")
        expect(yield* open).toEqual(["open third"])
      })))

    it.effect("slices are claimed in order, once each, and a stage waits for the one before", () =>
      Effect.scoped(Effect.gen(function*() {
        const store = yield* alive("stages/1", "stages/2")
        const cut = [slice(0, "source", "letter=a"), slice(0, "source", "letter=b"), slice(1, "copy", "letter=a")]
        yield* store.create("stages", request, cut)
        const first = (yield* store.claim("stages", "stages/1"))!
        const second = (yield* store.claim("stages", "stages/2"))!
        expect(positions([first, second])).toEqual([0, 1])
        expect(first).toMatchObject({ asset: "source", status: "running", worker: "stages/1" })
        expect(yield* store.claim("stages", "stages/2")).toBeUndefined()
        yield* store.finish(first, done(2))
        expect(yield* store.claim("stages", "stages/1")).toBeUndefined()
        yield* store.finish(second, failed(2))
        const third = (yield* store.claim("stages", "stages/1"))!
        expect(third.position).toBe(2)
        expect((yield* store.settle("stages"))!.status).toBe("running")
        yield* store.finish(third, done(2))
        expect(yield* store.settle("stages")).toMatchObject({ status: "failed", over: 3, done: 4, failed: 2 })
      })))

    it.effect("a slice that is given back is the next to be claimed, and its former owner is not heard", () =>
      Effect.scoped(Effect.gen(function*() {
        const store = yield* alive("back/1", "back/2")
        yield* store.create("back", request, [slice(0, "copy", "letter=a"), slice(0, "copy", "letter=b")])
        const claimed = (yield* store.claim("back", "back/1"))!
        expect(yield* store.attach(claimed, "run-1", 1)).toBe(true)
        expect((yield* store.find("back"))!.done).toBe(1)
        yield* store.release(claimed)
        expect(yield* store.find("back")).toMatchObject({ status: "running", done: 0 })
        const again = (yield* store.claim("back", "back/2"))!
        expect(again).toMatchObject({ position: 0, worker: "back/2" })
        yield* store.finish(claimed, failed(2))
        yield* store.release(claimed)
        expect((yield* store.slices("back"))[0]).toMatchObject({ status: "running", worker: "back/2", failures: [] })
      })))

    it.effect("a canceled backfill gives no slice and begins no run, until it is taken up again", () =>
      Effect.scoped(Effect.gen(function*() {
        const store = yield* alive("canceled/1")
        yield* store.create("canceled", request, [slice(0, "copy", "letter=a"), slice(0, "copy", "letter=b")])
        const claimed = (yield* store.claim("canceled", "canceled/1"))!
        expect(yield* store.cancel("canceled")).toBe(true)
        expect(yield* store.cancel("canceled")).toBe(false)
        expect(yield* store.attach(claimed, "run-1", 0)).toBe(false)
        yield* store.release(claimed)
        expect(yield* store.claim("canceled", "canceled/1")).toBeUndefined()
        expect((yield* store.settle("canceled"))!.status).toBe("canceled")
        yield* store.reopen("canceled")
        expect(yield* store.find("canceled")).toMatchObject({ status: "running", endedAt: undefined })
        expect((yield* store.claim("canceled", "canceled/1"))!.position).toBe(0)
      })))

    it.effect("taking up a failed backfill makes its failed slices pending, and leaves a finished one alone", () =>
      Effect.scoped(Effect.gen(function*() {
        const store = yield* alive("failed/1")
        yield* store.create("failed", request, [slice(0, "copy", "letter=a"), slice(0, "copy", "letter=b")])
        yield* store.finish((yield* store.claim("failed", "failed/1"))!, done(2))
        yield* store.finish((yield* store.claim("failed", "failed/1"))!, failed(2))
        expect((yield* store.slices("failed"))[1]).toMatchObject({
          status: "failed",
          failures: [{ error: "no", count: 2 }]
        })
        expect(yield* store.settle("failed")).toMatchObject({ status: "failed", failed: 2 })
        yield* store.reopen("failed")
        expect(yield* store.find("failed")).toMatchObject({ status: "running", over: 1, done: 2, failed: 0 })
        const again = (yield* store.claim("failed", "failed/1"))!
        expect(again).toMatchObject({ position: 1, failures: [] })
        yield* store.finish(again, done(2))
        const ended = yield* store.settle("failed")
        expect(ended).toMatchObject({ status: "succeeded", done: 4 })
        expect(ended!.endedAt).toBeDefined()
        yield* store.reopen("failed")
        expect((yield* store.find("failed"))!.status).toBe("succeeded")
      })))
  })
