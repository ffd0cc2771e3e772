/**
 * How a backfill is shown while this process works on it: on a terminal two lines that are drawn again in place, elsewhere
 * a line per slice. Goes to stderr. The rate counts what other processes do, as far as their slices are over.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Stdio from "effect/Stdio"
import { type BackfillEvent, doneIn } from "../../run/Backfill.ts"
import type { Backfill, Slice } from "../../store/BackfillStore.ts"
import * as BackfillText from "./BackfillText.ts"
import * as EventText from "./EventText.ts"
import * as Picture from "./Picture.ts"
import * as Print from "./Print.ts"

export interface Progress {
  readonly observe: (event: BackfillEvent) => Effect.Effect<void>
  readonly close: Effect.Effect<void>
}

const WIDTH = 30

/** The backfill as it was last read, and what this process has done of its slice since. */
interface Seen {
  readonly startedAt: number
  readonly before: number
  backfill: Backfill
  slice: Slice | undefined
  inSlice: number
}

const apply = (seen: Seen, event: BackfillEvent): void => {
  if (event.type === "Step") {
    seen.inSlice += doneIn(event.slice, [event.event])
    return
  }
  seen.backfill = event.backfill
  seen.slice = event.type === "SliceStarted" ? event.slice : undefined
  seen.inSlice = seen.slice?.done ?? 0
}

const now = ({ backfill, inSlice }: Seen): Backfill => ({ ...backfill, done: backfill.done + inSlice })

/** `, 120 partitions/s, about 10 s left`. */
const rate = (seen: Seen, at: number): string => {
  const { done, failed, partitions } = now(seen)
  const seconds = (at - seen.startedAt) / 1000
  const through = done + failed - seen.before
  if (through <= 0 || seconds <= 0) return ""
  const perSecond = through / seconds
  const left = partitions - done - failed
  const eta = left > 0 ? `, about ${EventText.number(Math.ceil(left / perSecond))} s left` : ""
  return `, ${perSecond.toFixed(perSecond < 10 ? 1 : 0)} partitions/s${eta}`
}

const bar = ({ done, failed, partitions }: Backfill): string =>
  Picture.bar((done + failed) / Math.max(1, partitions), WIDTH)

const sliceLine = (slice: Slice | undefined, backfill: Backfill): string => {
  const over = `${backfill.over} of ${backfill.slices} slices over`
  return slice === undefined ? over : `${over}; slice ${slice.position + 1}: ${slice.asset}`
}

const live = (seen: Seen): Progress => {
  let drawnAt = 0
  const picture = Picture.make()
  const redraw = (at: number) => {
    drawnAt = at
    return picture([
      `backfill ${seen.backfill.backfillId}  ${BackfillText.progress(now(seen))}${rate(seen, at)}`,
      `${bar(now(seen))}  ${sliceLine(seen.slice, seen.backfill)}`
    ])
  }
  return {
    observe: (event) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) => {
        apply(seen, event)
        return at - drawnAt < Picture.REDRAW_MILLIS ? Effect.void : redraw(at)
      }),
    close: Effect.flatMap(Clock.currentTimeMillis, redraw)
  }
}

const plain = (seen: Seen): Progress => ({
  observe: (event) =>
    Effect.flatMap(Clock.currentTimeMillis, (at) => {
      apply(seen, event)
      if (event.type !== "SliceEnded") return Effect.void
      const { result, slice } = event
      const what = `slice ${slice.position + 1} of ${seen.backfill.slices} ${result.status}: ${slice.asset}`
      return Print.talk(`${what}; ${BackfillText.progress(now(seen))}${rate(seen, at)}`)
    }),
  close: Effect.void
})

export const make = (backfill: Backfill): Effect.Effect<Progress, never, Stdio.Stdio> =>
  Effect.gen(function*() {
    const startedAt = yield* Clock.currentTimeMillis
    const before = backfill.done + backfill.failed
    const seen: Seen = { startedAt, before, backfill, slice: undefined, inSlice: 0 }
    if (yield* Picture.isPossible) return live(seen)
    yield* Print.talk(`backfill ${backfill.backfillId}: ${BackfillText.progress(backfill)}`)
    return plain(seen)
  })
