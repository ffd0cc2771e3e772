/** What every `Warehouse` refuses before it touches a row. */
import type { Bars } from "../bars/Bars.ts"
import * as SessionWindow from "../bars/SessionWindow.ts"
import type { LoadPartition } from "./Warehouse.ts"
import { Refused } from "./WarehouseReason.ts"

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
    if (!isDate(session)) return `${name}: no date of the form YYYY-MM-DD`
    const stray = SessionWindow.stray(bars, session)
    if (stray !== undefined) return `${name}: ${stray}`
    for (let at = 0; at < bars.length; at++) {
      const ts = bars.ts[at]!
      if (!isSound(bars, at)) {
        return `${name}: the bar at ${SessionWindow.instant(ts)} has a value that is no finite number`
      }
      if (at > 0 && ts <= bars.ts[at - 1]!) {
        return `${name}: bars are not in order, one per instant, at ${SessionWindow.instant(ts)}`
      }
    }
  }
  return undefined
}

export const refused = (text: string): Refused =>
  new Refused({ text, fix: "Correct what is loaded; nothing of it was written" })

const isDate = (session: string): boolean => /^\d{4}-\d\d-\d\d$/.test(session) && !Number.isNaN(Date.parse(session))

const isSound = ({ close, high, low, open, ts, volume }: Bars, at: number): boolean =>
  Number.isInteger(ts[at]) && Number.isFinite(open[at]! + high[at]! + low[at]! + close[at]! + volume[at]!)
