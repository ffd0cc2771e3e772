/**
 * How far a simulation has come: on a terminal a line that is drawn again in place and wiped at the end, elsewhere a line
 * now and then. Goes to stderr.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as EventText from "./EventText.ts"
import * as Picture from "./Picture.ts"
import * as Print from "./Print.ts"

const WIDTH = 30

/** Most simulations are over before their first line. */
const LINE_MILLIS = 10_000

const WIPE = "\r\u001b[K"

/** `, about 40 s left`: by now the rest takes as long as what is over took. */
const left = (part: number, millis: number): string =>
  part === 0 ? "" : `, about ${EventText.number(Math.ceil(millis / part * (1 - part) / 1000))} s left`

export const make = (span: Duration.Duration) =>
  Effect.gen(function*() {
    const isTerminal = yield* Picture.isPossible
    const startedAt = yield* Clock.currentTimeMillis
    let saidAt = isTerminal ? Number.NEGATIVE_INFINITY : startedAt
    const say = (elapsed: number, now: number) => {
      saidAt = now
      const part = Math.min(1, elapsed / Duration.toMillis(span))
      const days = EventText.number(Math.floor(elapsed / Duration.toMillis("1 day")))
      const text = `simulated ${days} of ${Math.ceil(Duration.toDays(span))} days${left(part, now - startedAt)}`
      return isTerminal
        ? Print.raw(`${WIPE}${Picture.unwrapped(`${Picture.bar(part, WIDTH)}  ${text}`)}`)
        : Print.talk(text)
    }
    return {
      observe: (elapsed: number) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          now - saidAt < (isTerminal ? Picture.REDRAW_MILLIS : LINE_MILLIS) ? Effect.void : say(elapsed, now)),
      close: isTerminal ? Print.raw(WIPE) : Effect.void
    }
  })
