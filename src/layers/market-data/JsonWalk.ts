/**
 * Walks JSON in place: calls back for each member or item with the position of its value and takes the position after it
 * in return, so a reader decides which values it looks into. -1 stands for damage, as in `JsonBytes.ts`.
 */
import * as JsonBytes from "./JsonBytes.ts"

const OPEN_ARRAY = 91
const CLOSE_ARRAY = 93

/** The position after the object at `at`; `member` gets where the name begins and ends, without quotes, and the value. */
export const object = (
  bytes: Uint8Array,
  at: number,
  member: (nameFrom: number, nameTo: number, value: number) => number
): number => {
  if (bytes[at] !== JsonBytes.OPEN_OBJECT) return -1
  let i = JsonBytes.skipBlank(bytes, at + 1)
  if (bytes[i] === JsonBytes.CLOSE_OBJECT) return i + 1
  for (;;) {
    const nameEnd = JsonBytes.stringEnd(bytes, i)
    const colon = nameEnd === -1 ? -1 : JsonBytes.skipBlank(bytes, nameEnd)
    if (colon === -1 || bytes[colon] !== JsonBytes.COLON) return -1
    const end = member(i + 1, nameEnd - 1, JsonBytes.skipBlank(bytes, colon + 1))
    if (end === -1) return -1
    i = JsonBytes.skipBlank(bytes, end)
    if (bytes[i] === JsonBytes.CLOSE_OBJECT) return i + 1
    if (bytes[i] !== JsonBytes.COMMA) return -1
    i = JsonBytes.skipBlank(bytes, i + 1)
  }
}

/** The position after the array at `at`; `item` gets the position of each value and its index. */
export const array = (bytes: Uint8Array, at: number, item: (value: number, index: number) => number): number => {
  if (bytes[at] !== OPEN_ARRAY) return -1
  let i = JsonBytes.skipBlank(bytes, at + 1)
  if (bytes[i] === CLOSE_ARRAY) return i + 1
  for (let index = 0;; index++) {
    const end = item(i, index)
    if (end === -1) return -1
    i = JsonBytes.skipBlank(bytes, end)
    if (bytes[i] === CLOSE_ARRAY) return i + 1
    if (bytes[i] !== JsonBytes.COMMA) return -1
    i = JsonBytes.skipBlank(bytes, i + 1)
  }
}

/** Of ten, those that are exact with a mantissa of 15 digits. */
export const powers = Float64Array.from({ length: 16 }, (_, exponent) => 10 ** exponent)

/** The position after the value at `at`, which nobody reads. Numbers, the usual case, are passed quickly. */
export const skip = (bytes: Uint8Array, at: number): number => {
  let i = at
  for (let code = bytes[i]!; code >= 45 && code <= 57;) code = bytes[++i]!
  return i > at && bytes[i] === JsonBytes.COMMA ? i : JsonBytes.valueEnd(bytes, at)
}

/**
 * The number between two positions, a string's quotes left out, else NaN: a plain decimal, or one with an exponent. Up
 * to 15 digits mantissa and power are exact, so one division rounds as `Number` does.
 */
export const decimal = (bytes: Uint8Array, from: number, to: number): number => {
  const quoted = bytes[from] === JsonBytes.QUOTE
  const start = quoted ? from + 1 : from
  const end = quoted ? to - 1 : to
  const first = bytes[start] === 45 ? start + 1 : start
  let mantissa = 0
  let dot = -1
  for (let i = first; i < end; i++) {
    const code = bytes[i]!
    if (code >= 48 && code <= 57) mantissa = mantissa * 10 + code - 48
    else if (code === 46 && dot === -1 && i > first && i < end - 1) dot = i
    else return exponential(JsonBytes.text(bytes, start, end))
  }
  if (first >= end) return Number.NaN
  if (end - first > 15) return finite(Number(JsonBytes.text(bytes, start, end)))
  const value = dot === -1 ? mantissa : mantissa / powers[end - dot - 1]!
  return first === start ? value : -value
}

const exponential = (text: string): number => {
  if (text.includes("\\")) return unescaped(text)
  return EXPONENTIAL.test(text) ? finite(Number(text)) : Number.NaN
}

const EXPONENTIAL = /^-?\d+(\.\d+)?[eE][+-]?\d+$/

/** Digits may be escaped as any character may, and never are. */
const unescaped = (text: string): number => {
  const quoted = new TextEncoder().encode(`"${text}"`)
  const value = JsonBytes.parsed(quoted, 0, quoted.length)
  if (typeof value !== "string" || value.includes("\\")) return Number.NaN
  const plain = new TextEncoder().encode(value)
  return decimal(plain, 0, plain.length)
}

const finite = (value: number): number => Number.isFinite(value) ? value : Number.NaN
