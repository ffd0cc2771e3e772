/**
 * A session as one bar: open, high, low, close, volume and VWAP of regular hours, and what was traded outside of them.
 *
 * The bar that starts at the close is not regular: it holds the closing auction, but also trades after it. So the close
 * is the last regular bar's, and volumes are below the exchange's official ones. VWAP weighs each bar's
 * (high + low + close) / 3 by its volume, an approximation: bars hold no prices of single trades.
 */
import type { Bars } from "./Bars.ts"

export interface SessionSummary {
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  /** Null where nothing was traded. */
  readonly vwap: number | null
  readonly bars: number
  /** Before and after regular hours. */
  readonly extendedVolume: number
}

/** `opens` and `closes` bound regular hours, epoch milliseconds. Undefined where no bar lies within them. */
export const summarize = (bars: Bars, opens: number, closes: number): SessionSummary | undefined => {
  const from = firstAt(bars.ts, opens)
  const to = firstAt(bars.ts, closes)
  if (from === to) return undefined
  let [high, low, volume, turnover] = [-Infinity, Infinity, 0, 0]
  for (let row = from; row < to; row++) {
    if (bars.high[row]! > high) high = bars.high[row]!
    if (bars.low[row]! < low) low = bars.low[row]!
    volume += bars.volume[row]!
    turnover += bars.volume[row]! * (bars.high[row]! + bars.low[row]! + bars.close[row]!) / 3
  }
  return {
    open: bars.open[from]!,
    high,
    low,
    close: bars.close[to - 1]!,
    volume,
    vwap: volume > 0 ? turnover / volume : null,
    bars: to - from,
    extendedVolume: sum(bars.volume, 0, from) + sum(bars.volume, to, bars.length)
  }
}

/** The first row at or after that instant. */
const firstAt = (ts: Float64Array, instant: number): number => {
  let row = 0
  while (row < ts.length && ts[row]! < instant) row++
  return row
}

const sum = (column: Float64Array, from: number, to: number): number => {
  let total = 0
  for (let row = from; row < to; row++) total += column[row]!
  return total
}
