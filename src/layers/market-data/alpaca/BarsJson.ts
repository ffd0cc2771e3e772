/**
 * Alpaca's pages of bars: `{"bars":{"IBM":[{"t":"2024-01-03T14:30:00Z","o":1,"h":1,"l":1,"c":1,"v":5,"n":1,"vw":1}]},
 * "next_page_token":null}`. Labels are RFC 3339 instants and name the start of the bar; rows ascend.
 *
 * A page asked for one symbol holds one; whose rows they are is checked when the page arrives.
 */
import * as JsonBytes from "../JsonBytes.ts"
import * as JsonWalk from "../JsonWalk.ts"
import { TIME, UNREAD } from "../PagedRow.ts"
import { type Page, pageStart, type ReadList, type Shape } from "../PagedRows.ts"
import * as Timestamps from "../Timestamps.ts"

export const format = "alpaca/bars-json"

/** Whose dates are the sessions. */
export const zone = "America/New_York"

/** What a page says beside its rows. */
export interface Outline extends Page {
  readonly symbols: ReadonlyArray<string>
  /** Null on the last page. */
  readonly token: string | null
}

/** Walks the page at `at`; a symbol is in `symbols` before its rows are handed on. Without "bars" it is no page: `end` is -1. */
export const page = (bytes: Uint8Array, at: number, list: ReadList, symbols: Array<string> = []): Outline => {
  let token: unknown = null
  let isPage = false
  const end = JsonWalk.object(bytes, at, (from, to, value) => {
    const name = nameOf(bytes, from, to)
    const next = name === "bars" ? bars(bytes, value, symbols, list) : JsonBytes.valueEnd(bytes, value)
    if (name === "bars") isPage = true
    if (name === "next_page_token" && next !== -1) token = JsonBytes.parsed(bytes, value, next)
    return next
  })
  const text = typeof token === "string" && token !== "" ? token : null
  return { end: isPage ? end : -1, more: text !== null, symbols, token: text }
}

const encoder = new TextEncoder()
const END = encoder.encode(`},"next_page_token":null}\n`)

/**
 * The bars of each symbol out of pages of several, as pages of its own: the vendor fills them symbol by symbol, so one may
 * go on from page to page. A symbol without bars has an empty page.
 */
export const parts = (
  pages: ReadonlyArray<Uint8Array>,
  symbols: ReadonlyArray<string>
): ReadonlyMap<string, Uint8Array> => {
  const found = new Map<string, Array<Uint8Array>>(symbols.map((symbol) => [symbol, []]))
  for (const bytes of pages) {
    const names: Array<string> = []
    page(bytes, pageStart(bytes, 0), (at) => {
      const end = JsonBytes.valueEnd(bytes, at)
      const symbol = names.at(-1)!
      found.get(symbol)?.push(encoder.encode(`{"bars":{${JSON.stringify(symbol)}:`), bytes.subarray(at, end), END)
      return { end, count: 0 }
    }, names)
  }
  const none = [encoder.encode(`{"bars":{`), END]
  return new Map(Array.from(found, ([symbol, own]) => [symbol, Buffer.concat(own.length === 0 ? none : own)]))
}

const bars = (bytes: Uint8Array, at: number, symbols: Array<string>, list: ReadList): number =>
  bytes[at] === NULL
    ? JsonBytes.valueEnd(bytes, at)
    : JsonWalk.object(bytes, at, (from, to, value) => {
      symbols.push(nameOf(bytes, from, to))
      return list(value).end
    })

const nameOf = (bytes: Uint8Array, from: number, to: number): string => {
  const name = JsonBytes.text(bytes, from, to)
  return name.includes("\\") ? String(JsonBytes.parsed(bytes, from - 1, to + 1)) : name
}

const NULL = 110

/** A field's name is a letter; `vw` and what else is longer is not read. */
const columnOf = (bytes: Uint8Array, from: number, to: number): number => {
  if (to - from !== 1) return UNREAD
  switch (bytes[from]) {
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
    case 116:
      return TIME
  }
  return UNREAD
}

/** How a payload is read. */
export const shape = (interval: string, intervalMillis: number): Shape => ({
  format,
  zone,
  interval,
  intervalMillis,
  without: [],
  fields: { kind: "object", columnOf, instant: Timestamps.rfc3339 },
  page
})
