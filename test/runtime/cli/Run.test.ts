import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
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

it.effect("a run that was forced and canceled is retried for what it did not come to, and one that waits is not", () =>
  Effect.gen(function*() {
    const made: Array<string> = []
    const parts = Asset.make(
      "parts",
      { partitions: { n: Partitions.statics(["a", "b", "c"]) } },
      ({ partition }) => Effect.sync(() => void made.push(partition.n))
    )
    const { inMemory, run } = yield* CommandLine.make(AssetGraph.make(parts))
    const runs = yield* inMemory(RunStore)
    const at = (second: number, args: string) =>
      Effect.andThen(TestClock.setTime(second * 1000), run(...args.split(" ")))
    yield* at(1, "materialize --asset parts")
    const request = { assets: ["parts"], select: null, partition: null, force: true }
    const canceled = { runId: "r1", runKey: "k1", request, tags: {}, priority: 0, attempts: 1 }
    yield* TestClock.setTime(2000)
    yield* runs.request([canceled])
    expect((yield* run("run", "retry", "r1")).stderr).toContain(`Run "r1" waits for a daemon`)
    // As far as it came before somebody canceled it.
    yield* at(3, "materialize --asset parts --partition n=a --force")
    yield* runs.requestCancel("r1")
    made.length = 0
    const { runId } = JSON.parse((yield* at(4, "run retry r1 --json")).stdout)
    expect(made).toEqual(["b", "c"])
    // Of what is done nothing is done again, whichever of the two is retried.
    yield* at(5, `run retry ${runId}`)
    yield* at(6, "run retry r1")
    expect(made).toEqual(["b", "c"])
  }).pipe(Effect.scoped))

it.effect("numbers that mean nothing are refused, before anything is done", () =>
  Effect.gen(function*() {
    const { run } = yield* CommandLine.make(graph)
    for (const flag of ["--concurrency=0", "--concurrency=-3", "--priority=99999999999"]) {
      expect(yield* run("materialize", "--asset", "plain", flag), flag).toMatchObject({ code: 2 })
    }
    expect((yield* run("run", "list", "--limit=0")).code).toBe(2)
    expect(JSON.parse((yield* run("run", "list", "--json")).stdout)).toEqual([])
  }).pipe(Effect.scoped))

it.effect("a page of runs before one that there is not is refused", () =>
  Effect.gen(function*() {
    const { run } = yield* CommandLine.make(graph)
    const ended = yield* run("run", "list", "--before", "nothing")
    expect(ended).toMatchObject({ code: 2, stdout: "" })
    expect(ended.stderr).toContain(`There is no run "nothing".`)
  }).pipe(Effect.scoped))

it.effect("a lifetime begins and ends on dates that there are", () =>
  Effect.gen(function*() {
    const { run } = yield* CommandLine.make(graph)
    for (const date of ["2024-02-30", "2024-2-3", "soon"]) {
      const ended = yield* run("partition", "add", "stations", "hill", "--from", date)
      expect(ended.code).toBe(2)
      expect(ended.stderr, date).not.toContain("dynamic set")
    }
    expect((yield* run("partition", "add", "stations", "hill", "--to", "2024-02-29")).stderr).toContain("dynamic set")
  }).pipe(Effect.scoped))
