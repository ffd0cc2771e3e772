import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import { AlertStore } from "../../../src/runtime/store/AlertStore.ts"
import { BackfillStore } from "../../../src/runtime/store/BackfillStore.ts"
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
