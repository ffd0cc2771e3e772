/**
 * One entry of a series: `"YYYY-MM-DD HH:MM:SS": { "1. open": "12.3400", ... }`, read in place, in whatever order and
 * white space. `RowTemplate.ts` is the fast way for the rows that look like the one before.
 *
 * A row that can be located but not believed carries a `reason`; bytes that are no row at all are damage. One `Row` is
 * filled again for every entry: a month holds 20,000 of them.
 */
import * as Json from "../JsonBytes.ts"

/** The adjusted series have one column more. */
const names = ["open", "high", "low", "close", "volume", "adjusted close"] as const
const NEEDED = 31
const ADJUSTED = 5
const encodedNames = names.map((name) => new TextEncoder().encode(name))

export class Row {
  readonly values = new Float64Array(names.length)
  /** Where the value of each column begins and ends, quotes excluded. */
  readonly from = new Int32Array(names.length)
  readonly to = new Int32Array(names.length)
  /** The label: `labelLength` bytes at `labelAt` of `label`, which are the answer's own unless it is escaped. */
  label: Uint8Array = new Uint8Array(0)
  labelAt = 0
  labelLength = 0
  /** Why the row is refused. */
  reason: string | undefined
  private seen = 0

  /** Reads the entry whose label's quote is at `at` and returns the position after it, or -1 for damage. */
  read(bytes: Uint8Array, at: number): number {
    const labelEnd = Json.stringEnd(bytes, at)
    if (labelEnd === -1) return -1
    this.keepLabel(bytes, at, labelEnd)
    this.reason = undefined
    this.seen = 0
    const colon = Json.skipBlank(bytes, labelEnd)
    if (bytes[colon] !== Json.COLON) return -1
    const start = Json.skipBlank(bytes, colon + 1)
    if (bytes[start] !== Json.OPEN_OBJECT) return this.refuse("not a row of fields", Json.valueEnd(bytes, start))
    const end = this.fields(bytes, start)
    if (end !== -1 && (this.seen & NEEDED) !== NEEDED) this.refuse(`missing field ${firstMissing(this.seen)}`, end)
    if (this.isAdjusted) adjust(this.values, this.values[ADJUSTED]!)
    return end
  }

  /** Its prices are not those that stand in the text. */
  get isAdjusted(): boolean {
    return (this.seen & 1 << ADJUSTED) !== 0
  }

  private keepLabel(bytes: Uint8Array, at: number, end: number): void {
    const escaped = unescaped(bytes, at, end)
    this.label = escaped ?? bytes
    this.labelAt = escaped === undefined ? at + 1 : 0
    this.labelLength = escaped === undefined ? end - at - 2 : escaped.length
  }

  private fields(bytes: Uint8Array, start: number): number {
    let at = Json.skipBlank(bytes, start + 1)
    if (bytes[at] === Json.CLOSE_OBJECT) return at + 1
    for (;;) {
      const end = this.field(bytes, at)
      if (end === -1) return -1
      at = Json.skipBlank(bytes, end)
      if (bytes[at] === Json.CLOSE_OBJECT) return at + 1
      if (bytes[at] !== Json.COMMA) return -1
      at = Json.skipBlank(bytes, at + 1)
    }
  }

  private field(bytes: Uint8Array, at: number): number {
    const nameEnd = Json.stringEnd(bytes, at)
    if (nameEnd === -1) return -1
    const colon = Json.skipBlank(bytes, nameEnd)
    if (bytes[colon] !== Json.COLON) return -1
    const start = Json.skipBlank(bytes, colon + 1)
    const end = Json.valueEnd(bytes, start)
    const escaped = unescaped(bytes, at, nameEnd)
    const index = escaped === undefined ? columnOf(bytes, at + 1, nameEnd - 1) : columnOf(escaped, 0, escaped.length)
    if (end !== -1 && index !== -1) this.keep(index, bytes, at, nameEnd, start, end)
    return end
  }

  private keep(index: number, bytes: Uint8Array, at: number, nameEnd: number, start: number, end: number): void {
    const name = () => Json.text(bytes, at, nameEnd)
    if ((this.seen & 1 << index) !== 0) this.refuse(`field ${name()} given twice`, end)
    this.seen |= 1 << index
    const quote = bytes[start] === Json.QUOTE ? 1 : 0
    this.from[index] = start + quote
    this.to[index] = end - quote
    const escaped = quote === 1 ? unescaped(bytes, start, end) : undefined
    const value = escaped === undefined
      ? decimal(bytes, start + quote, end - quote)
      : decimal(escaped, 0, escaped.length)
    this.values[index] = value
    if (Number.isNaN(value)) {
      this.refuse(`${name()} is not a number: ${Json.text(bytes, start, end).slice(0, 100)}`, end)
    }
  }

  /** The first reason counts. */
  private refuse(reason: string, end: number): number {
    this.reason ??= reason
    return end
  }
}

const BACKSLASH = 92

/** The content of a string that holds escapes; undefined where it can be read in place. */
const unescaped = (bytes: Uint8Array, from: number, to: number): Uint8Array | undefined => {
  let i = from
  while (i < to && bytes[i] !== BACKSLASH) i++
  const value = i === to ? undefined : Json.parsed(bytes, from, to)
  return typeof value === "string" ? new TextEncoder().encode(value) : undefined
}

const firstMissing = (seen: number): string => names[names.findIndex((_, index) => (seen & 1 << index) === 0)]!

/** The column that a field name stands for: its text after the number and dot. -1 for other fields. */
const columnOf = (bytes: Uint8Array, from: number, to: number): number => {
  let at = from
  for (let i = from; i + 1 < to; i++) {
    if (bytes[i] !== 46 || bytes[i + 1] !== 32) continue
    at = i + 2
    break
  }
  return encodedNames.findIndex((name) => name.length === to - at && name.every((byte, i) => bytes[at + i] === byte))
}

const CLOSE = 3
/** Decimals that survive the scaling: two more than the vendor's, so that the close is the adjusted one exactly. */
const PRECISION = 1e6

/**
 * Scales the four prices of a row, in place, so that its close is the adjusted one: the vendor sends no other adjusted
 * price, and no adjusted volume.
 */
export const adjust = (values: Float64Array, adjustedClose: number): void => {
  const factor = adjustedClose / values[CLOSE]!
  if (!Number.isFinite(factor)) return
  for (let column = 0; column <= CLOSE; column++) {
    values[column] = Math.round(values[column]! * factor * PRECISION) / PRECISION
  }
}

/** 10 to the power of each index. */
export const powers = Float64Array.from({ length: 16 }, (_, exponent) => 10 ** exponent)

/**
 * A plain decimal such as `-12.3400`, else NaN: no exponent, no sign but minus, no blank. Up to 15 digits the mantissa
 * and the power are exact, so one division rounds as `Number` does.
 */
export const decimal = (bytes: Uint8Array, from: number, to: number): number => {
  const start = bytes[from] === 45 ? from + 1 : from
  let mantissa = 0
  let dot = -1
  for (let i = start; i < to; i++) {
    const code = bytes[i]!
    if (code >= 48 && code <= 57) mantissa = mantissa * 10 + code - 48
    else if (code === 46 && dot === -1 && i > start && i < to - 1) dot = i
    else return Number.NaN
  }
  if (start >= to) return Number.NaN
  if (to - start > 15) return finite(Number(Json.text(bytes, from, to)))
  const value = dot === -1 ? mantissa : mantissa / powers[to - dot - 1]!
  return start === from ? value : -value
}

const finite = (value: number): number => Number.isFinite(value) ? value : Number.NaN
