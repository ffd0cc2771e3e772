/**
 * Alpaca's pages of bars: `{"bars":{"IBM":[{"t":"2024-01-03T14:30:00Z","o":1,"h":1,"l":1,"c":1,"v":5,"n":1,"vw":1}]},
 * "next_page_token":null}`. Labels are RFC 3339 instants and name the start of the bar; rows ascend.
 *
 * A page asked for one symbol holds one; whose rows they are is checked when the page arrives.
 */
import { Columns } from "../Columns.ts"
import * as JsonBytes from "../JsonBytes.ts"
import * as JsonWalk from "../JsonWalk.ts"
import type { Page, Row } from "../PagedRows.ts"

export const format = "alpaca/bars-json"

/** What a page says beside its rows. */
export interface Outline extends Page {
  readonly symbols: ReadonlyArray<string>
  /** Null on the last page. */
  readonly token: string | null
}

/** Walks the page at `at`. Without "bars" it is no page: `end` is -1. */
export const page = (bytes: Uint8Array, at: number, item: (at: number) => number): Outline => {
  const symbols: Array<string> = []
  let token: unknown = null
  let isPage = false
  const end = JsonWalk.object(bytes, at, (from, to, value) => {
    const name = JsonBytes.text(bytes, from, to)
    const next = name === "bars" ? bars(bytes, value, symbols, item) : JsonBytes.valueEnd(bytes, value)
    if (name === "bars") isPage = true
    if (name === "next_page_token" && next !== -1) token = JsonBytes.parsed(bytes, value, next)
    return next
  })
  const text = typeof token === "string" && token !== "" ? token : null
  return { end: isPage ? end : -1, more: text !== null, symbols, token: text }
}

const bars = (bytes: Uint8Array, at: number, symbols: Array<string>, item: (at: number) => number): number =>
  bytes[at] === NULL
    ? JsonBytes.valueEnd(bytes, at)
    : JsonWalk.object(bytes, at, (from, to, value) => {
      symbols.push(JsonBytes.text(bytes, from, to))
      return JsonWalk.array(bytes, value, item)
    })

const NULL = 110
const LABEL = 116

/** Open, high, low, close, volume. */
const columnOf = (letter: number | undefined): number => {
  switch (letter) {
    case 111:
      return 0
    case 104:
      return 1
    case 108:
      return 2
    case 99:
      return 3
    case 118:
      return 4
  }
  return -1
}

export const row = (): Row => {
  const columns = new Columns()
  let current: Uint8Array
  const label = (value: number): number => {
    const end = JsonBytes.valueEnd(current, value)
    if (end !== -1) self.ts = instant(current, value, end)
    return end
  }
  const field = (from: number, to: number, value: number): number => {
    const column = to - from === 1 ? columnOf(current[from]) : -1
    if (column !== -1) return columns.read(column, current, value)
    return to - from === 1 && current[from] === LABEL ? label(value) : JsonWalk.skip(current, value)
  }
  const self: Row = {
    ts: Number.NaN,
    values: columns.values,
    reason: undefined,
    read: (bytes, at) => {
      current = bytes
      columns.clear()
      if (bytes[at] !== OBJECT) {
        self.reason = "not a row of fields"
        return JsonBytes.valueEnd(bytes, at)
      }
      const end = JsonWalk.object(bytes, at, field)
      self.reason = columns.problem()
      return end
    }
  }
  return self
}

const OBJECT = 123

/** Of `"YYYY-MM-DDTHH:MM:SSZ"`, the form that the vendor writes; of any other RFC 3339 text by the slow way. */
const instant = (bytes: Uint8Array, from: number, to: number): number => {
  const quick = to - from === QUICK.length ? quickly(bytes, from) : Number.NaN
  if (!Number.isNaN(quick)) return quick
  const parsed = JsonBytes.parsed(bytes, from, to)
  return typeof parsed === "string" && RFC_3339.test(parsed) && exists(parsed.slice(0, 10))
    ? Date.parse(parsed)
    : Number.NaN
}

/** `0` stands for a digit. */
const QUICK = new TextEncoder().encode(`"0000-00-00T00:00:00Z"`)
const ZERO = 48

const quickly = (bytes: Uint8Array, from: number): number => {
  for (let i = 0; i < QUICK.length; i++) {
    const code = bytes[from + i]!
    if (QUICK[i] === ZERO ? code < ZERO || code > ZERO + 9 : code !== QUICK[i]) return Number.NaN
  }
  const two = (at: number): number => (bytes[from + at]! - ZERO) * 10 + bytes[from + at + 1]! - ZERO
  const [day, hour, minute, second] = [two(9), two(12), two(15), two(18)]
  const date = Date.UTC(two(1) * 100 + two(3), two(6) - 1, day)
  return day > 0 && new Date(date).getUTCDate() === day && hour < 24 && minute < 60 && second < 60
    ? date + hour * 3_600_000 + minute * 60_000 + second * 1000
    : Number.NaN
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** `Date.parse` takes the 30th of February for the 1st of March. */
const exists = (date: string): boolean => {
  const millis = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(millis) && new Date(millis).toISOString().startsWith(date)
}
