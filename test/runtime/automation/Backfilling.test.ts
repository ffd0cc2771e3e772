import { expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import { AlertStore } from "../../../src/runtime/store/AlertStore.ts"
import { BackfillStore } from "../../../src/runtime/store/BackfillStore.ts"
import { Leadership } from "../../../src/runtime/store/Leadership.ts"
import * as TestBackfill from "../../support/TestBackfill.ts"
import * as TestDaemon from "../../support/TestDaemon.ts"

const START = "2024-01-01T00:00:30Z"

it.effect("a backfill that cannot be planned any more fails and is told, and the next one goes on", () =>
  Effect.gen(function*() {
    let isBroken = false
    const version = Effect.suspend(() => isBroken ? Effect.fail("no such file") : Effect.succeed("1"))
    const broken = Asset.make("broken", { codeVersion: version }, () => Effect.void)
    const calls: Array<string> = []
    const counted = TestDaemon.counted(calls)
    const graph = AssetGraph.make(broken, counted)
    const clock = TestDaemon.makeClock(START)
    yield* Effect.gen(function*() {
      const first = yield* TestBackfill.create(graph, { assets: ["broken"] })
      yield* clock.advance("1 second")
      const second = yield* TestBackfill.create(graph, { assets: ["counted"] })
      isBroken = true
      yield* TestDaemon.start({ ...TestDaemon.project(counted, []), graph })
      yield* clock.advance("1 minute")
      const store = yield* BackfillStore
      expect(yield* store.find(first.backfillId)).toMatchObject({ status: "failed", failed: 1 })
      expect((yield* store.slices(first.backfillId))[0]!.failures).toMatchObject([
        { asset: "broken", error: "code version of broken: no such file", count: 1 }
      ])
      expect((yield* store.find(second.backfillId))!.status).toBe("succeeded")
      expect(calls).toHaveLength(1)
      const open = yield* (yield* AlertStore).open
      expect(open.map(({ incident }) => incident)).toEqual([`backfill/${first.backfillId}`])
    }).pipe(clock.on)
  }).pipe(Effect.provide(TestDaemon.patient)))

it.effect("a backfill that failed here and was resumed by somebody else is told to be over, also after a restart", () =>
  Effect.gen(function*() {
    let isBroken = true
    const flaky = Asset.make("flaky", {}, () => isBroken ? Effect.fail("no answer") : Effect.void)
    const graph = AssetGraph.make(flaky)
    const project = { ...TestDaemon.project(TestDaemon.counted([]), []), graph }
    const clock = TestDaemon.makeClock(START)
    const { find } = yield* AlertStore
    yield* Effect.gen(function*() {
      const { backfillId } = yield* TestBackfill.create(graph, { assets: ["flaky"] })
      const first = yield* TestDaemon.start(project)
      yield* clock.advance("1 minute")
      expect((yield* find(`backfill/${backfillId}`))!.status).toBe("open")
      yield* Fiber.interrupt(first)
      isBroken = false
      yield* (yield* BackfillStore).reopen(backfillId)
      yield* TestBackfill.work(graph, backfillId)
      yield* TestDaemon.start(project)
      yield* clock.advance("1 minute")
      expect((yield* find(`backfill/${backfillId}`))!.status).toBe("resolved")
    }).pipe(clock.on)
  }).pipe(Effect.provide(TestDaemon.patient)))

it.effect("a backfill behind a hundred newer ones is worked on", () =>
  Effect.gen(function*() {
    const calls: Array<string> = []
    const counted = TestDaemon.counted(calls)
    const graph = AssetGraph.make(counted)
    const clock = TestDaemon.makeClock(START)
    yield* Effect.gen(function*() {
      const store = yield* BackfillStore
      const oldest = yield* TestBackfill.create(graph, { assets: ["counted"] })
      for (let newer = 0; newer < 100; newer++) {
        yield* clock.advance("1 second")
        yield* store.cancel((yield* TestBackfill.create(graph, { assets: ["counted"] })).backfillId)
      }
      yield* TestDaemon.start(TestDaemon.project(counted, []))
      yield* clock.advance("1 minute")
      expect((yield* store.find(oldest.backfillId))!.status).toBe("succeeded")
      expect(calls).toHaveLength(1)
    }).pipe(clock.on)
  }).pipe(Effect.provide(TestDaemon.patient)))

/** Three slices of a call each. A daemon is asked to stop ten seconds into the first; how things stand a minute later. */
const stopped = (takes: Duration.Input) =>
  Effect.gen(function*() {
    const letters = Asset.make("letters", {
      partitions: { letter: Partitions.statics(["a", "b", "c"]) }
    }, () => Effect.sleep(takes))
    const graph = AssetGraph.make(letters)
    const clock = TestDaemon.makeClock(START)
    return yield* Effect.gen(function*() {
      const { backfillId } = yield* TestBackfill.create(graph, { assets: ["letters"], slice: 1 })
      const daemon = yield* TestDaemon.start({ ...TestDaemon.project(TestDaemon.counted([]), []), graph }, {
        drain: Duration.seconds(30)
      })
      yield* clock.advance("10 seconds")
      daemon.interruptUnsafe()
      yield* clock.advance("1 minute")
      expect(yield* (yield* Leadership).leader).toMatchObject({ term: 1, isExpired: true })
      const slices = yield* (yield* BackfillStore).slices(backfillId)
      return { runs: (yield* TestDaemon.runs).map(({ status }) => status), slices: slices.map(({ status }) => status) }
    }).pipe(clock.on)
  }).pipe(Effect.provide(TestDaemon.patient))

it.effect("a daemon that is asked to stop lets its slice end, and begins no other", () =>
  Effect.gen(function*() {
    expect(yield* stopped("25 seconds")).toEqual({ runs: ["succeeded"], slices: ["done", "pending", "pending"] })
  }))

it.effect("a slice that takes longer than a daemon may that is asked to stop is given back", () =>
  Effect.gen(function*() {
    expect(yield* stopped("45 seconds")).toEqual({ runs: ["interrupted"], slices: ["pending", "pending", "pending"] })
  }))
