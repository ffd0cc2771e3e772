/**
 * Adjusts raw bars for splits and dividends, so that prices of different years compare. Pure.
 *
 * Every event changes the sessions before its ex-date: a split of n for 1 divides their prices by n and multiplies their
 * volumes, a dividend multiplies their prices by (c - d) / c, where c is the raw close of the last session before. The
 * newest session is as traded. That is the convention of the vendors' adjusted closes and of LEAN's factor files.
 */
import { allocate, type Bars } from "./Bars.ts"

export interface Split {
  /** The first session with the new shares, `YYYY-MM-DD`. */
  readonly date: string
  /** New shares for an old one. */
  readonly factor: number
}

export interface Dividend {
  /** The first session without it, `YYYY-MM-DD`. */
  readonly date: string
  /** For a share of that day, in the listing's currency. */
  readonly amount: number
}

export interface Actions {
  readonly splits: ReadonlyArray<Split>
  readonly dividends: ReadonlyArray<Dividend>
}

/** What sessions before `before`, back to the row before it, are changed by. */
export interface Factor {
  readonly before: string
  /** Of dividends: prices are multiplied by it. */
  readonly price: number
  /** Of splits: prices are divided by it, volumes multiplied. */
  readonly shares: number
}

export interface Factors {
  /** Ascending. A session at or after the last row's date is as traded. */
  readonly rows: ReadonlyArray<Factor>
  /** Dividends of which no close before them is known: nothing was adjusted for them. */
  readonly unadjusted: ReadonlyArray<string>
}

/** `closes` are raw, of regular hours, by session, ascending. */
export const factors = (
  { dividends, splits }: Actions,
  closes: ReadonlyArray<{ readonly session: string; readonly close: number }>
): Factors => {
  const dates = [...new Set([...splits, ...dividends].map(({ date }) => date))].sort().toReversed()
  const rows: Array<Factor> = []
  const unadjusted: Array<string> = []
  let [price, shares] = [1, 1]
  for (const before of dates) {
    for (const { date, factor } of splits) if (date === before) shares *= factor
    for (const { amount, date } of dividends) {
      if (date !== before) continue
      const reference = closes.findLast(({ session }) => session < before)?.close
      if (reference === undefined || amount >= reference) unadjusted.push(before)
      else price *= (reference - amount) / reference
    }
    rows.push({ before, price, shares })
  }
  return { rows: rows.toReversed(), unadjusted: unadjusted.toReversed() }
}

const asTraded = { price: 1, shares: 1 }

/** What the session's bars are changed by. */
export const factorOf = (
  rows: ReadonlyArray<Factor>,
  session: string
): { readonly price: number; readonly shares: number } => rows.find(({ before }) => session < before) ?? asTraded

/** The same bars where nothing changes. Volumes stay whole, rounded. */
export const apply = (
  bars: Bars,
  { price, shares }: { readonly price: number; readonly shares: number }
): Bars => {
  if (price === 1 && shares === 1) return bars
  const adjusted = allocate(bars.length)
  adjusted.ts.set(bars.ts)
  for (const name of ["open", "high", "low", "close"] as const) {
    for (let row = 0; row < bars.length; row++) adjusted[name][row] = bars[name][row]! * price / shares
  }
  for (let row = 0; row < bars.length; row++) {
    adjusted.volume[row] = shares === 1 ? bars.volume[row]! : Math.round(bars.volume[row]! * shares)
  }
  return adjusted
}
