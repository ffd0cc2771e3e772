/**
 * How a run is shown while it goes on: on a terminal a tree that is drawn again in place, elsewhere a line per event.
 * Goes to stderr, so that stdout holds data only. Nothing is drawn more often than the eye can follow.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Stdio from "effect/Stdio"
import * as Plan from "../../plan/Plan.ts"
import type { Event } from "../../run/Event.ts"
import * as EventText from "./EventText.ts"
import * as Picture from "./Picture.ts"
import * as Print from "./Print.ts"

export interface Progress {
  readonly observe: (event: Event) => Effect.Effect<void>
  readonly close: Effect.Effect<void>
}

interface Branch {
  readonly asset: string
  readonly total: number
  done: number
  failed: number
  running: number
  rows: number
}

const WIDTH = 20

const rowsIn = (event: Event & { readonly type: "Materialized" }): number =>
  event.results.reduce((sum, { output }) => {
    const rows = (output as { readonly rows?: unknown } | null)?.rows
    return sum + (typeof rows === "number" ? rows : 0)
  }, 0)

const apply = (branches: ReadonlyMap<string, Branch>, event: Event): void => {
  if (!("asset" in event)) return
  const branch = branches.get(event.asset)
  if (branch === undefined) return
  if (event.type === "StepStarted") branch.running += event.partitions
  if (event.type === "Skipped") branch.done += event.partitions.length
  if (event.type === "Failed") branch.failed += event.partitions.length
  if (event.type === "Failed" && event.rejected === true) branch.done -= event.partitions.length
  if (event.type !== "Materialized") return
  branch.done += event.results.length
  branch.running = Math.max(0, branch.running - event.results.length)
  branch.rows += rowsIn(event)
}

const RED = 31
const GREEN = 32
const CYAN = 36

type Paint = (color: number, text: string) => string

const mark = (branch: Branch, paint: Paint): string => {
  if (branch.failed > 0) return paint(RED, "✗")
  if (branch.done === branch.total) return paint(GREEN, "✓")
  return branch.running > 0 ? paint(CYAN, "●") : "·"
}

const draw = (branch: Branch, last: boolean, paint: Paint): string => {
  const bar = Picture.bar(branch.total === 0 ? 1 : (branch.done + branch.failed) / branch.total, WIDTH)
  const rows = branch.rows === 0 ? "" : `  ${EventText.number(branch.rows)} rows`
  const failed = branch.failed === 0 ? "" : `  ${branch.failed} failed`
  return `${last ? "└" : "├"} ${mark(branch, paint)} ${
    branch.asset.padEnd(16)
  } ${bar} ${branch.done}/${branch.total}${rows}${failed}`
}

const rate = (branches: ReadonlyArray<Branch>, elapsed: number): string => {
  const done = branches.reduce((sum, branch) => sum + branch.done + branch.failed, 0)
  const left = branches.reduce((sum, branch) => sum + branch.total, 0) - done
  if (done === 0 || elapsed <= 0) return ""
  const perSecond = done / elapsed
  return `  ${perSecond.toFixed(0)} partitions/s${left > 0 ? `, about ${Math.ceil(left / perSecond)} s left` : ""}`
}

/** Where not all have room: those that go on, and those that failed. */
const fitting = (branches: ReadonlyArray<Branch>): ReadonlyArray<Branch> =>
  branches.length < Picture.rows() ? branches : branches.filter(({ failed, running }) => failed > 0 || running > 0)

const live = (plan: Plan.Plan): Effect.Effect<Progress> =>
  Effect.gen(function*() {
    const startedAt = yield* Clock.currentTimeMillis
    const paint: Paint = (yield* Picture.isColored)
      ? (color, text) => `\u001b[${color}m${text}\u001b[0m`
      : (_, text) => text
    const picture = Picture.make()
    const branches = new Map<string, Branch>()
    for (const { asset, partitions } of Plan.summarize(plan)) {
      if (partitions > 0) branches.set(asset, { asset, total: partitions, done: 0, failed: 0, running: 0, rows: 0 })
    }
    let drawnAt = 0
    const redraw = (now: number) => {
      const all = [...branches.values()]
      const shown = fitting(all)
      drawnAt = now
      return picture([
        `materializing ${((now - startedAt) / 1000).toFixed(1)} s${rate(all, (now - startedAt) / 1000)}`,
        ...shown.map((branch, at) => draw(branch, at === shown.length - 1, paint))
      ])
    }
    return {
      observe: (event) =>
        event.type === "RunQueued" ?
          Print.talk(EventText.render(event)) :
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            apply(branches, event)
            return now - drawnAt < Picture.REDRAW_MILLIS ? Effect.void : redraw(now)
          }),
      close: Effect.flatMap(Clock.currentTimeMillis, redraw)
    }
  })

const plain: Progress = {
  observe: (event) => EventText.isQuiet(event) ? Effect.void : Print.talk(EventText.render(event)),
  close: Effect.void
}

export const make = (plan: Plan.Plan): Effect.Effect<Progress, never, Stdio.Stdio> =>
  Effect.flatMap(Picture.isPossible, (isPossible) => isPossible ? live(plan) : Effect.succeed(plain))
