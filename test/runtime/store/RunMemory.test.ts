import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"

const RUNS = 20_000

/** All of these looks together are one turn of a daemon's. */
const look = Effect.gen(function*() {
  const runs = yield* RunStore
  const found = [yield* runs.requested([]), yield* runs.going, yield* runs.unfinished({}), yield* runs.list(queued)]
  return [...found.map(({ length }) => length), (yield* runs.waiting).requested, (yield* runs.ends([1])).size]
})

const queued = { status: "queued", limit: 100 } as const

it.effect("thousands of runs that are over do not slow down the looks for those that are not", () =>
  Effect.gen(function*() {
    const runs = yield* RunStore
    const made = Array.from({ length: RUNS }, (_, n) => ({ runId: `r${n}`, request: {}, tags: {}, priority: 0 }))
    for (const run of made) {
      yield* runs.enqueue(run)
      if (run.runId === "r7") continue
      yield* runs.begin(run.runId, {})
      yield* runs.end(run.runId, "succeeded", {})
    }
    for (let at = 0; at < RUNS; at++) expect(yield* look).toEqual([0, 1, 1, 1, 0, 1])
  }).pipe(Effect.provide(RunStore.layerMemory)))
