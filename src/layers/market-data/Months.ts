/** The window of a month on the clock of a zone. */
import * as DateTime from "effect/DateTime"

export interface Window {
  /** Epoch milliseconds, inclusive. */
  readonly from: number
  /** Exclusive. */
  readonly to: number
}

/** `month` is `YYYY-MM`. */
export const window = (month: string, zone: string): Window => {
  const start = DateTime.makeZonedUnsafe(`${month}-01T00:00:00`, { timeZone: zone, adjustForTimeZone: true })
  return { from: DateTime.toEpochMillis(start), to: DateTime.toEpochMillis(DateTime.add(start, { months: 1 })) }
}
