/**
 * Binance's pages of klines: `[[openTime,"open","high","low","close","volume",closeTime,...],...]`, twelve fields, prices
 * and volumes as decimal strings, times in epoch milliseconds. The open time is the start of the bar; rows ascend.
 */
import { TIME, UNREAD } from "../PagedRow.ts"
import type { Page, ReadList, Shape } from "../PagedRows.ts"
import * as Timestamps from "../Timestamps.ts"

export const format = "binance/klines-json"

/** The most klines that the vendor puts into a page. */
export const PAGE = 1000

/** A page does not say whether another one follows: the source asks until one comes back short. */
export const page = (_: Uint8Array, at: number, list: ReadList): Page => {
  const { count, end } = list(at)
  return { end, more: count >= PAGE }
}

/** The open time, then open, high, low, close and volume. */
const columnOf = (_: Uint8Array, __: number, ___: number, index: number): number =>
  index === 0 ? TIME : index <= 5 ? index - 1 : UNREAD

/** How a payload is read. Parts of a coin are traded. */
export const shape = (interval: string, intervalMillis: number): Shape => ({
  format,
  zone: "UTC",
  interval,
  intervalMillis,
  without: ["volume_whole"],
  fields: { kind: "array", columnOf, instant: Timestamps.millis },
  page
})
