/**
 * Binance's pages of klines: `[[openTime,"open","high","low","close","volume",closeTime,...],...]`, twelve fields, prices
 * and volumes as decimal strings, times in epoch milliseconds. The open time is the start of the bar; rows ascend.
 */
import { Columns } from "../Columns.ts"
import * as JsonBytes from "../JsonBytes.ts"
import * as JsonWalk from "../JsonWalk.ts"
import type { Page, Row } from "../PagedRows.ts"

export const format = "binance/klines-json"

/** The most klines that the vendor puts into a page. */
export const PAGE = 1000

/** A page does not say whether another one follows: the source asks until one comes back short. */
export const page = (bytes: Uint8Array, at: number, item: (at: number) => number): Page => {
  let rows = 0
  const end = JsonWalk.array(bytes, at, (value) => {
    rows++
    return item(value)
  })
  return { end, more: rows >= PAGE }
}

const ARRAY = 91

export const row = (): Row => {
  const columns = new Columns()
  let current: Uint8Array
  const openTime = (value: number): number => {
    const end = JsonBytes.valueEnd(current, value)
    if (end !== -1) self.ts = instant(current, value, end)
    return end
  }
  const field = (value: number, index: number): number => {
    if (index === 0) return openTime(value)
    return index <= 5 ? columns.read(index - 1, current, value) : JsonWalk.skip(current, value)
  }
  const self: Row = {
    ts: Number.NaN,
    values: columns.values,
    reason: undefined,
    read: (bytes, at) => {
      current = bytes
      columns.clear()
      if (bytes[at] !== ARRAY) {
        self.reason = "not a row of fields"
        return JsonBytes.valueEnd(bytes, at)
      }
      const end = JsonWalk.array(bytes, at, field)
      self.reason = columns.problem()
      return end
    }
  }
  return self
}

const LATEST = 8_640_000_000_000_000

const instant = (bytes: Uint8Array, from: number, to: number): number => {
  const value = JsonWalk.decimal(bytes, from, to)
  return Number.isSafeInteger(value) && value >= 0 && value <= LATEST ? value : Number.NaN
}
