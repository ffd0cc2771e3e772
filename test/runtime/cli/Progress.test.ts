import { expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as TestClock from "effect/testing/TestClock"
import * as TestConsole from "effect/testing/TestConsole"
import { vi } from "vitest"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Progress from "../../../src/runtime/cli/render/Progress.ts"
import * as Testing from "../../../src/runtime/testing/Testing.ts"

const names = ["first", "second", "third"]
const graph = AssetGraph.make(...names.map((name) => Asset.make(name, {}, () => Effect.void)))

/** What a terminal with so many rows is sent while one of three assets fails and one is skipped. */
const drawn = (env: Record<string, string>, rows: number | undefined) =>
  Effect.gen(function*() {
    const sent: Array<string> = []
    const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => sent.push(String(text)) > 0)
    const before = Object.getOwnPropertyDescriptor(process.stderr, "rows")
    Object.defineProperty(process.stderr, "rows", { value: rows, configurable: true })
    yield* Effect.gen(function*() {
      const progress = yield* Progress.make(yield* Testing.plan(graph, { asset: names }))
      yield* TestClock.adjust("1 second")
      yield* progress.observe({ type: "StepStarted", step: 1, asset: "first", partitions: 1 })
      yield* progress.observe({
        type: "Failed",
        step: 1,
        asset: "first",
        partitions: [""],
        error: "no",
        blocked: false
      })
      yield* progress.observe({ type: "Skipped", step: 2, asset: "second", partitions: [""], why: "" })
      yield* progress.close
    }).pipe(
      Effect.provide([Testing.layer, Stdio.layerTest({ stderrIsTerminal: Effect.succeed(true) })]),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env })),
      Effect.ensuring(Effect.sync(() => {
        write.mockRestore()
        if (before === undefined) delete (process.stderr as { rows?: number }).rows
        else Object.defineProperty(process.stderr, "rows", before)
      }))
    )
    return sent
  })

const last = (sent: ReadonlyArray<string>) => sent.at(-1)!

it.effect("a run is drawn in place, each line cut where the terminal ends", () =>
  Effect.gen(function*() {
    for (const rows of [undefined, 0, 24]) expect(last(yield* drawn({}, rows))).toContain("third")
    const sent = yield* drawn({}, undefined)
    expect(last(sent)).toMatch(/\[4A\r.\[J.\[\?7lmaterializing [^]*\n.\[\?7h$/)
    for (const name of names) expect(last(sent)).toContain(name)
    expect(last(sent)).toContain("\u001b[31m✗\u001b[0m first")
    expect(last(yield* drawn({ NO_COLOR: "1" }, undefined))).toContain("├ ✗ first")
  }))

it.effect("where not all assets have room, those that failed or go on are drawn", () =>
  Effect.gen(function*() {
    const text = last(yield* drawn({}, 4))
    expect(text).toContain("\u001b[2A")
    expect(text).toContain("first")
    expect(text).not.toContain("second")
  }))

it.effect("a terminal whose cursor does not move gets lines", () =>
  Effect.gen(function*() {
    expect(yield* drawn({ TERM: "dumb" }, undefined)).toEqual([])
    expect(yield* TestConsole.errorLines).toContainEqual(expect.stringContaining("first: failed"))
  }))
