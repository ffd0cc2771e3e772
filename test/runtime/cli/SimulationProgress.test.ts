import { expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as TestClock from "effect/testing/TestClock"
import * as TestConsole from "effect/testing/TestConsole"
import { vi } from "vitest"
import * as SimulationProgress from "../../../src/runtime/cli/render/SimulationProgress.ts"

const DAY = 86_400_000

/** A day of it takes three seconds. */
const observed = Effect.gen(function*() {
  const progress = yield* SimulationProgress.make(Duration.days(30))
  for (let day = 0; day <= 6; day++) {
    yield* progress.observe(day * DAY)
    yield* progress.observe(day * DAY)
    yield* TestClock.adjust("3 seconds")
  }
  yield* progress.close
})

const on = (isTerminal: boolean) => Effect.provide(Stdio.layerTest({ stderrIsTerminal: Effect.succeed(isTerminal) }))

it.effect("a long simulation says every ten seconds how far it has come, where nobody can see it drawn", () =>
  Effect.gen(function*() {
    yield* observed.pipe(on(false))
    expect(yield* TestConsole.errorLines).toEqual(["simulated 4 of 30 days, about 78 s left"])
  }))

it.effect("on a terminal it is a line that is drawn again, and wiped at the end", () =>
  Effect.gen(function*() {
    const drawn: Array<string> = []
    const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => drawn.push(String(text)) > 0)
    yield* Effect.ensuring(observed.pipe(on(true)), Effect.sync(() => write.mockRestore()))
    expect(drawn).toHaveLength(8)
    expect(drawn[6]).toBe(
      `\r\u001b[K\u001b[?7l${"━".repeat(6)}${"─".repeat(24)}  simulated 6 of 30 days, about 72 s left\u001b[?7h`
    )
    expect(drawn[7]).toBe("\r\u001b[K")
  }))
