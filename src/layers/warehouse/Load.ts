/** What every `Warehouse` refuses before it touches a row. */
import type { Bars } from "../bars/Bars.ts"
import type { LoadPartition } from "./Warehouse.ts"

const DAY = 86_400_000

/** What a load is about, for a person. */
export const subject = (partitions: ReadonlyArray<LoadPartition>): string => {
  const { session, symbol } = partitions[0]!
  return partitions.length === 1 ? `${symbol} ${session}` : `${partitions.length} partitions from ${symbol} ${session}`
}

export const rowsOf = (partitions: ReadonlyArray<LoadPartition>): number =>
  partitions.reduce((sum, { bars }) => sum + bars.length, 0)

/** Why the load makes no sense, or undefined. */
export const violation = (partitions: ReadonlyArray<LoadPartition>): string | undefined => {
  const seen = new Set<string>()
  for (const { bars, session, symbol } of partitions) {
    const name = `${symbol} ${session}`
    if (seen.has(name)) return `${name} is given twice`
    seen.add(name)
    const day = midnight(session)
    if (Number.isNaN(day)) return `${name}: no date of the form YYYY-MM-DD`
    for (let at = 0; at < bars.length; at++) {
      const ts = bars.ts[at]!
      if (!isNear(ts, day)) return `${name}: a bar at ${instant(ts)} cannot belong to this session`
      if (!isSound(bars, at)) return `${name}: the bar at ${instant(ts)} has a value that is no finite number`
      if (at > 0 && ts <= bars.ts[at - 1]!) return `${name}: bars are not in order, one per instant, at ${instant(ts)}`
    }
  }
  return undefined
}

const midnight = (session: string): number => /^\d{4}-\d\d-\d\d$/.test(session) ? Date.parse(session) : NaN

// Sessions are local dates: with evening hours and any zone, a session's bars begin within a day of its UTC midnight.
const isNear = (ts: number, day: number): boolean => ts >= day - DAY && ts < day + 2 * DAY

const isSound = ({ close, high, low, open, ts, volume }: Bars, at: number): boolean =>
  Number.isInteger(ts[at]) && Number.isFinite(open[at]! + high[at]! + low[at]! + close[at]! + volume[at]!)

const instant = (ts: number): string => Math.abs(ts) <= 8.64e15 ? new Date(ts).toISOString() : String(ts)
