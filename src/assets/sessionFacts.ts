/** What the quality rules have to know about a session: its hours, and what the payload holds around it. */
import type * as Quality from "../layers/bars/Quality.ts"
import type { Decoded } from "../layers/market-data/MarketData.ts"
import * as Calendar from "../runtime/partition/Calendar.ts"
import { nyse } from "./nyse.ts"

const MINUTE = 60_000
/** New York trades before and after regular hours: 04:00 to 20:00, half days included. */
const BEFORE_OPEN = 330 * MINUTE
const AFTER_OPEN = 630 * MINUTE

export const sessionFacts = (
  calendar: Calendar.Calendar,
  decoded: Decoded,
  session: string,
  { fetchedAt, interval }: { readonly interval: string; readonly fetchedAt: string }
): Quality.Facts => {
  const opens = Calendar.opensAt(calendar, session)
  const regular = { from: opens, to: Calendar.closesAt(calendar, session) }
  const before = decoded.sessions.findLast((one) => one.session < session)?.bars.close.at(-1)
  const lastBar = decoded.sessions.at(-1)?.bars.ts.at(-1)
  return {
    width: Number.parseInt(interval, 10) * MINUTE,
    isDaily: interval === "1day",
    regular,
    extended: calendar === nyse ? { from: opens - BEFORE_OPEN, to: opens + AFTER_OPEN } : regular,
    fetchedAt: Date.parse(fetchedAt),
    ...(before === undefined ? {} : { previousClose: before }),
    ...(lastBar === undefined ? {} : { lastBar })
  }
}
