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
  /** Milliseconds of a bar; of a daily bar the session's end counts instead. */
  readonly width: number
  readonly isDaily: boolean
  readonly regular: Hours
  /** Where bars may lie at all. */
  readonly extended: Hours
  readonly fetchedAt: number
  /** The close of the last bar before the session, where the payload has one. */
  readonly previousClose?: number
  /** True on the first session after a known split. */
  readonly isSplit?: boolean
  /** The start of the last bar that the payload has of any session. */
  readonly lastBar?: number
}

export type Warnings = { readonly [Name in Rule.Warning]?: number }

export interface Judged {
  readonly bars: Bars
  readonly rejects: ReadonlyArray<Reject>
  /** Per rule, how often it was broken; a rule that was not is absent. */
  readonly warnings: Warnings
}

export const judge = (bars: Bars, facts: Facts, rules: Rule.Rules): Judged => {
  const { kept, rejects } = refuse(bars, facts, rules)
  const counts: { readonly [Name in Exclude<Rule.Warning, "restated">]: (bars: Bars, facts: Facts) => number } = {
    gap: gaps,
    wick: wicks,
    split: splits,
    jump: jumps,
    volume_zero: zeroVolumes,
    stale
  }
  const warnings: { [name: string]: number } = {}
  for (const [name, count] of Object.entries(counts)) {
    const found = rules.has(name as Rule.Name) ? count(kept, facts) : 0
    if (found > 0) warnings[name] = found
  }
  return { bars: kept, rejects, warnings }
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

const problem = (ts: number, { extended, fetchedAt, isDaily, regular, width }: Facts, rules: Rule.Rules) => {
  if (rules.has("session_hours") && !isDaily && (ts < extended.from || ts >= extended.to)) {
    return "outside the hours in which the exchange trades"
  }
  const ends = isDaily ? regular.to : ts + width
  return rules.has("open_bar") && ends > fetchedAt ? "the bar was still open when it was fetched" : undefined
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
const gaps = (bars: Bars, { fetchedAt, isDaily, regular, width }: Facts): number => {
  if (isDaily) return bars.length === 0 && regular.to <= fetchedAt ? 1 : 0
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

const splits = (bars: Bars, facts: Facts): number => countSteps(bars, facts, isSplitRatio)

const jumps = (bars: Bars, facts: Facts): number =>
  countSteps(bars, facts, (ratio) => ratio > JUMP && !isSplitRatio(ratio))

const isSplitRatio = (ratio: number): boolean => {
  const nearest = Math.abs(ratio / 1.5 - 1) < NEAR ? 1.5 : Math.round(ratio)
  return nearest > 1 && Math.abs(ratio / nearest - 1) < NEAR
}

/** Steps from close to open whose ratio, the larger by the smaller price, is as asked; a known split's is left out. */
const countSteps = (
  bars: Bars,
  { isSplit, previousClose }: Facts,
  isOdd: (ratio: number) => boolean
): number => {
  let count = 0
  let before = isSplit === true ? undefined : previousClose
  for (let at = 0; at < bars.length; at++) {
    const open = bars.open[at]!
    if (before !== undefined && isOdd(Math.max(before, open) / Math.min(before, open))) count++
    before = bars.close[at]!
  }
  return count
}

const zeroVolumes = (bars: Bars): number => {
  let count = 0
  for (let at = 0; at < bars.length; at++) if (bars.volume[at] === 0) count++
  return count
}

const stale = (_bars: Bars, { fetchedAt, lastBar, regular }: Facts): number =>
  lastBar !== undefined && lastBar < regular.from && regular.to <= fetchedAt ? 1 : 0
