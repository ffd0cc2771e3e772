/** What the quality rules have to know about a session: its hours, and what the payload holds around it. */
import * as BarInterval from "../layers/bars/BarInterval.ts"
import type * as Quality from "../layers/bars/Quality.ts"
import type { Decoded } from "../layers/market-data/MarketData.ts"
import * as Calendar from "../runtime/partition/Calendar.ts"
import { nyse } from "./nyse.ts"

const MINUTE = 60_000
/** New York trades before and after regular hours: 04:00 to 20:00, half days included. */
const BEFORE_OPEN = 330 * MINUTE
const AFTER_OPEN = 630 * MINUTE

/** The last session before this one that the payload has bars of. */
export const sessionBefore = (decoded: Decoded, session: string) =>
  decoded.sessions.findLast((one) => one.session < session && one.bars.length > 0)

export const sessionFacts = (
  calendar: Calendar.Calendar,
  decoded: Decoded,
  session: string,
  { fetchedAt, interval }: { readonly interval: string; readonly fetchedAt: string }
): Quality.Facts => {
  const opens = Calendar.opensAt(calendar, session)
  const regular = { from: opens, to: Calendar.closesAt(calendar, session) }
  const before = sessionBefore(decoded, session)?.bars.close.at(-1)
  const last = decoded.sessions.at(-1)
  return {
    width: BarInterval.widthOf(interval),
    isByDate: BarInterval.isByDate(interval),
    regular,
    extended: calendar === nyse ? { from: opens - BEFORE_OPEN, to: opens + AFTER_OPEN } : regular,
    fetchedAt: Date.parse(fetchedAt),
    ...(before === undefined ? {} : { previousClose: before }),
    hasStopped: last !== undefined && last.session < session
  }
}
