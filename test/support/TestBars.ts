/** Made-up bars for the suites of the stores. */
import { allocate, type Bars } from "../../src/layers/bars/Bars.ts"

/** Minute bars of a session from 14:30 UTC; every value follows from its place and from `base`. */
export const make = (session: string, length: number, base = 100): Bars => {
  const bars = allocate(length)
  const start = Date.parse(`${session}T14:30:00Z`)
  for (let at = 0; at < length; at++) {
    bars.ts[at] = start + at * 60_000
    bars.open[at] = base + at / 100
    bars.high[at] = base + at / 100 + 0.07
    bars.low[at] = base + at / 100 - 0.03
    bars.close[at] = base + at / 100 + 0.1 / 3
    bars.volume[at] = 1000 + at * 7
  }
  return bars
}

/** The rows for which `keep` holds. */
export const filter = (bars: Bars, keep: (at: number) => boolean): Bars => {
  const rows = [...bars.ts.keys()].filter(keep)
  const some = allocate(rows.length)
  for (const column of ["ts", "open", "high", "low", "close", "volume"] as const) {
    for (let at = 0; at < rows.length; at++) some[column][at] = bars[column][rows[at]!]!
  }
  return some
}

/** A copy with another close in one row. */
export const withClose = (bars: Bars, at: number, close: number): Bars => {
  const copy = filter(bars, () => true)
  copy.close[at] = close
  return copy
}
