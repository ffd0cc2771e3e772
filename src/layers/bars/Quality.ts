/**
 * The rules that need more than one bar: the session's hours, the clock, the neighbours. Pure; `Rule.ts` says what each
 * demands. Refused bars leave the session with their reason; warnings are counted.
 */
import { allocate, type Bars, type Reject, slice } from "./Bars.ts"
import type * as Rule from "./Rule.ts"

/** Epoch milliseconds, the end exclusive. */
export interface Hours {
  readonly from: number
  readonly to: number
}

/** What is known about a session besides its bars. */
export interface Facts {
  /** Milliseconds of a bar; of one by date the session's end counts instead. */
  readonly width: number
  readonly isByDate: boolean
  readonly regular: Hours
  /** Where bars may lie at all. */
  readonly extended: Hours
  readonly fetchedAt: number
  /** The close of the last bar before the session, where the payload has one. */
  readonly previousClose?: number
  /** The payload has bars, and all of them before the session. */
  readonly hasStopped?: boolean
}

export type Warnings = { readonly [Name in Rule.Warning]?: number }

export interface Judged {
  readonly bars: Bars
  readonly rejects: ReadonlyArray<Reject>
  /** Per rule, how often it was broken; a rule that was not is absent. */
  readonly warnings: Warnings
  /**
   * The close before the session by its first open, where that step is odd unless a split explains it: splits may become
   * known later, so it is not among the warnings. `oddStep` says which it is.
   */
  readonly step: number | undefined
}

export const judge = (bars: Bars, facts: Facts, rules: Rule.Rules): Judged => {
  const { kept, rejects } = refuse(bars, facts, rules)
  const counts: { readonly [Name in Exclude<Rule.Warning, "restated">]: (bars: Bars, facts: Facts) => number } = {
    gap: gaps,
    wick: wicks,
    split: (bars) => countSteps(bars, "split", rules),
    jump: (bars) => countSteps(bars, "jump", rules),
    volume_zero: zeroVolumes,
    stale
  }
  const warnings: { [name: string]: number } = {}
  for (const [name, count] of Object.entries(counts)) {
    const found = rules.has(name as Rule.Name) ? count(kept, facts) : 0
    if (found > 0) warnings[name] = found
  }
  return { bars: kept, rejects, warnings, step: openingStep(kept, facts, rules) }
}

const refuse = (bars: Bars, facts: Facts, rules: Rule.Rules) => {
  const rejects: Array<Reject> = []
  const good: Array<number> = []
  for (let at = 0; at < bars.length; at++) {
    const reason = problem(bars.ts[at]!, facts, rules)
    if (reason === undefined) good.push(at)
    else rejects.push({ reason, raw: rowText(bars, at), ts: bars.ts[at]! })
  }
  return { kept: rejects.length === 0 ? bars : picked(bars, good), rejects }
}

export const STILL_OPEN = "the bar was still open when it was fetched"

const problem = (ts: number, { extended, fetchedAt, isByDate, regular, width }: Facts, rules: Rule.Rules) => {
  if (rules.has("session_hours") && !isByDate && (ts < extended.from || ts >= extended.to)) {
    return "outside the hours in which the exchange trades"
  }
  const ends = isByDate ? regular.to : ts + width
  return rules.has("open_bar") && ends > fetchedAt ? STILL_OPEN : undefined
}

const columns = ["ts", "open", "high", "low", "close", "volume"] as const

const picked = (bars: Bars, rows: ReadonlyArray<number>): Bars => {
  if (rows.at(-1) === rows.length - 1) return slice(bars, 0, rows.length)
  const kept = allocate(rows.length)
  for (const column of columns) rows.forEach((row, at) => kept[column][at] = bars[column][row]!)
  return kept
}

/** A decoded row as text, for the quarantine: the vendor's own text is in the payload. */
export const rowText = (bars: Bars, at: number): string =>
  JSON.stringify({
    ts: new Date(bars.ts[at]!).toISOString(),
    open: bars.open[at],
    high: bars.high[at],
    low: bars.low[at],
    close: bars.close[at],
    volume: bars.volume[at]
  })

/** The intervals of the regular hours that were over when the answer was fetched. */
const gaps = (bars: Bars, { fetchedAt, isByDate, regular, width }: Facts): number => {
  if (isByDate) return bars.length === 0 && regular.to <= fetchedAt ? 1 : 0
  // An hour's grid does not begin with the session: the bar that holds the opening begins before it.
  const first = Math.floor(regular.from / width) * width
  const end = Math.min(regular.to, fetchedAt - width + 1)
  let present = 0
  for (let at = 0; at < bars.length; at++) if (bars.ts[at]! >= first && bars.ts[at]! < end) present++
  return Math.max(0, Math.ceil((end - first) / width) - present)
}

const WICK = 0.1

const wicks = (bars: Bars): number => {
  let count = 0
  for (let at = 0; at < bars.length; at++) {
    const [open, close] = [bars.open[at]!, bars.close[at]!]
    const isLow = bars.low[at]! < (1 - WICK) * Math.min(open, close)
    const isHigh = bars.high[at]! > (1 + WICK) * Math.max(open, close)
    if (isLow || isHigh) count++
  }
  return count
}

const JUMP = 1.4
/** How far from the ratio a split's first price may be. */
const NEAR = 0.02

const isSplitRatio = (ratio: number): boolean => {
  const nearest = Math.abs(ratio / 1.5 - 1) < NEAR ? 1.5 : Math.round(ratio)
  return nearest > 1 && Math.abs(ratio / nearest - 1) < NEAR
}

/** What a step is, from a price to `1 / ratio` of it, by the rules that are on; up or down. */
export const oddStep = (ratio: number, rules: Rule.Rules): "split" | "jump" | undefined => {
  const size = Math.max(ratio, 1 / ratio)
  if (isSplitRatio(size)) return rules.has("split") ? "split" : undefined
  return size > JUMP && rules.has("jump") ? "jump" : undefined
}

const openingStep = (bars: Bars, { previousClose }: Facts, rules: Rule.Rules): number | undefined => {
  if (previousClose === undefined || bars.length === 0) return undefined
  const ratio = previousClose / bars.open[0]!
  return oddStep(ratio, rules) === undefined ? undefined : ratio
}

/** Within the session: a split comes between two. */
const countSteps = (bars: Bars, kind: "split" | "jump", rules: Rule.Rules): number => {
  let count = 0
  for (let at = 1; at < bars.length; at++) {
    if (oddStep(bars.close[at - 1]! / bars.open[at]!, rules) === kind) count++
  }
  return count
}

const zeroVolumes = (bars: Bars): number => {
  let count = 0
  for (let at = 0; at < bars.length; at++) if (bars.volume[at] === 0) count++
  return count
}

const stale = (_bars: Bars, { fetchedAt, hasStopped, regular }: Facts): number =>
  hasStopped === true && regular.to <= fetchedAt ? 1 : 0
