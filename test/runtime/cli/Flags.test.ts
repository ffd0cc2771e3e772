import * as NodeServices from "@effect/platform-node/NodeServices"
import { expect, it } from "@effect/vitest"
import * as Command from "effect/cli/Command"
import type * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { instant, span, whole } from "../../../src/runtime/cli/Flags.ts"

/** What `--given` means, or undefined where it is refused. */
const read = <A>(flag: Flag.Flag<A>, text: string) => {
  let found: A | undefined
  const command = Command.make("test", { given: flag }, ({ given }) => Effect.sync(() => void (found = given)))
  return Effect.ignore(Command.runWith(command, { version: "0" })([`--given=${text}`])).pipe(
    Effect.map(() => found),
    Effect.provide(NodeServices.layer)
  )
}

/** In milliseconds. */
const readSpan = (text: string, zero: boolean) =>
  Effect.map(
    read(span("given", "A time", { zero }), text),
    (found) => found === undefined ? undefined : Duration.toMillis(found)
  )

it.effect("a time is over some day, and is none at all only where that means something", () =>
  Effect.gen(function*() {
    for (const [text, millis] of [["30d", 2_592_000_000], ["2 hours", 7_200_000], ["5s", 5000]] as const) {
      expect(yield* readSpan(text, false), text).toBe(millis)
    }
    for (const text of ["Infinity", "-Infinity", "-5 seconds", "3661d", "soon", ""]) {
      expect([yield* readSpan(text, false), yield* readSpan(text, true)], text).toEqual([undefined, undefined])
    }
    expect([yield* readSpan("0s", false), yield* readSpan("0s", true)]).toEqual([undefined, 0])
  }))

it.effect("a count is a whole number within its bounds", () =>
  Effect.gen(function*() {
    const count = whole("given", "How many", { most: 999 })
    for (const [text, number] of [["1", 1], ["999", 999]] as const) expect(yield* read(count, text), text).toBe(number)
    for (const text of ["0", "-1", "1.5", "1000", "many", ""]) expect(yield* read(count, text), text).toBeUndefined()
  }))

it.effect("a moment is in UTC where no zone is said", () =>
  Effect.gen(function*() {
    const moment = instant("given", "When")
    for (
      const [text, iso] of [
        ["2026-11-29", "2026-11-29T00:00:00.000Z"],
        ["2026-11-29 06:08:20Z", "2026-11-29T06:08:20.000Z"],
        ["2026-11-29T06:08", "2026-11-29T06:08:00.000Z"],
        ["2026-11-29T06:08+02:00", "2026-11-29T04:08:00.000Z"]
      ] as const
    ) expect(yield* read(moment, text), text).toBe(iso)
    for (const text of ["yesterday", "1 hour", "2026-13-01", "2026-02-30", "2026-11-31 06:08Z", "2026-11", ""]) {
      expect(yield* read(moment, text), text).toBeUndefined()
    }
  }))
