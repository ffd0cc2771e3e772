/** Lines that are drawn again in place, on a terminal's stderr. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Print from "./Print.ts"

const variable = (name: string) => Effect.orDie(Config.String(name).pipe(Config.withDefault("")))

/** A terminal whose cursor moves. */
export const isPossible = Effect.gen(function*() {
  const isTerminal = yield* (yield* Stdio.Stdio).stderrIsTerminal
  return isTerminal && (yield* variable("TERM")) !== "dumb"
})

/** See https://no-color.org: any text means none. */
export const isColored = Effect.map(variable("NO_COLOR"), (text) => text === "")

/** Cut where the terminal ends: a line that went on below would be left there when it is drawn again. */
export const unwrapped = (text: string): string => `\u001b[?7l${text}\u001b[?7h`

/** How many lines stay on the screen; what is above it cannot be drawn again. A serial line says that it has none. */
export const rows = (): number => (process.stderr.rows || Infinity) - 1

/** Often enough to look alive. */
export const REDRAW_MILLIS = 80

/** `part` of it, from 0 to 1, is done. */
export const bar = (part: number, width: number): string => {
  const filled = Math.round(Math.min(1, part) * width)
  return `${"━".repeat(filled)}${"─".repeat(width - filled)}`
}

/** Draws lines where it drew the last ones. */
export const make = (): (lines: ReadonlyArray<string>) => Effect.Effect<void> => {
  let height = 0
  return (lines) =>
    Effect.suspend(() => {
      const up = height === 0 ? "" : `\u001b[${height}A\r\u001b[J`
      const shown = lines.slice(0, rows())
      height = shown.length
      return Print.raw(`${up}${unwrapped(`${shown.join("\n")}\n`)}`)
    })
}
