import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as CommandLine from "../../support/CommandLine.ts"

const graph = AssetGraph.make(Asset.make("plain", {}, () => Effect.void))

it.effect("who cancels a run is told what becomes of it", () =>
  Effect.gen(function*() {
    const { inMemory, run } = yield* CommandLine.make(graph)
    const runs = yield* inMemory(RunStore)
    const wanted = (runId: string) => ({ runId, runKey: runId, request: {}, tags: {}, priority: 0, attempts: 2 })
    yield* runs.request(["waits", "runs", "was_cut_off"].map(wanted))
    for (const one of ["runs", "was_cut_off"]) {
      yield* runs.enqueue(wanted(one))
      yield* runs.begin(one, {})
    }
    yield* runs.end("was_cut_off", "interrupted", {}, "the server is gone")
    const cancel = (id: string) => Effect.map(run("run", "cancel", id), ({ stderr, stdout }) => stdout || stderr)
    expect(yield* cancel("waits")).toBe("Run waits is canceled; what it has finished is kept.")
    expect(yield* cancel("runs")).toBe("Asked run runs to stop; what it has finished is kept.")
    expect(yield* cancel("was_cut_off")).toBe(
      "Run was_cut_off was cut off and is not taken up again; what it has finished is kept."
    )
    expect(yield* cancel("was_cut_off")).toContain(`Run "was_cut_off" is not running.`)
    expect(yield* runs.resume).toEqual([])
  }).pipe(Effect.scoped))
