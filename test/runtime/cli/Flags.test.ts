import * as NodeServices from "@effect/platform-node/NodeServices"
import { expect, it } from "@effect/vitest"
import * as Command from "effect/cli/Command"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { span } from "../../../src/runtime/cli/Flags.ts"

/** The milliseconds of `--span`, or undefined where it is refused. */
const read = (text: string, zero: boolean) => {
  let found: number | undefined
  const command = Command.make(
    "test",
    { span: span("span", "A time", { zero }) },
    (given) => Effect.sync(() => void (found = Duration.toMillis(given.span)))
  )
  return Effect.ignore(Command.runWith(command, { version: "0" })([`--span=${text}`])).pipe(
    Effect.map(() => found),
    Effect.provide(NodeServices.layer)
  )
}

it.effect("a time is over some day, and is none at all only where that means something", () =>
  Effect.gen(function*() {
    for (const [text, millis] of [["30d", 2_592_000_000], ["2 hours", 7_200_000], ["5s", 5000]] as const) {
      expect(yield* read(text, false), text).toBe(millis)
    }
    for (const text of ["Infinity", "-Infinity", "-5 seconds", "3661d", "soon", ""]) {
      expect([yield* read(text, false), yield* read(text, true)], text).toEqual([undefined, undefined])
    }
    expect([yield* read("0s", false), yield* read("0s", true)]).toEqual([undefined, 0])
  }))
