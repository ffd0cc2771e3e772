/**
 * Which bars of a session are there, measured against its regular hours. A minute in which nobody traded has no bar, so a
 * gap is a question and not an error: a liquid name has none, a quiet one many short ones.
 */
export interface Gap {
  /** The first missing bar, epoch milliseconds. */
  readonly from: number
  /** How many bars are missing in a row. */
  readonly bars: number
}

export interface Coverage {
  readonly expected: number
  readonly present: number
  readonly gaps: ReadonlyArray<Gap>
}

/**
 * Bars are expected on every multiple of the interval from `opens` (inclusive) to `closes` (exclusive): hourly bars of
 * New York begin at 10:00. `ts` ascends and may hold bars of other hours.
 */
export const measure = (ts: Float64Array, opens: number, closes: number, intervalMillis: number): Coverage => {
  const gaps: Array<Gap> = []
  let [expected, present, missing, row] = [0, 0, 0, 0]
  for (let at = Math.ceil(opens / intervalMillis) * intervalMillis; at < closes; at += intervalMillis) {
    expected++
    while (row < ts.length && ts[row]! < at) row++
    if (ts[row] !== at) {
      missing++
      continue
    }
    present++
    if (missing > 0) gaps.push({ from: at - missing * intervalMillis, bars: missing })
    missing = 0
  }
  if (missing > 0) gaps.push({ from: Math.ceil(closes / intervalMillis - missing) * intervalMillis, bars: missing })
  return { expected, present, gaps }
}

/** The longest gap; the first of several that are equally long. */
export const longest = ({ gaps }: Coverage): Gap | undefined => {
  let found: Gap | undefined
  for (const gap of gaps) if (found === undefined || gap.bars > found.bars) found = gap
  return found
}
