/**
 * One entry of an intraday series: `"YYYY-MM-DD HH:MM:SS": { "1. open": "12.3400", ... }`, read in place.
 *
 * A row that can be located but not believed carries a `reason`; text that is no row at all is damage. One `Row` is
 * filled again for every entry: a month holds 20,000 of them.
 */
import * as JsonText from "../JsonText.ts"

const names = ["open", "high", "low", "close", "volume"] as const

export class Row {
  readonly values = new Float64Array(names.length)
  /** Where the label's text begins, after its quote, and how long it is. */
  labelAt = 0
  labelLength = 0
  /** Why the row is refused. */
  reason: string | undefined
  private seen = 0

  /** Reads the entry whose label's quote is at `at` and returns the position after it, or -1 for damage. */
  read(text: string, at: number): number {
    const labelEnd = JsonText.stringEnd(text, at)
    if (labelEnd === -1) return -1
    this.labelAt = at + 1
    this.labelLength = labelEnd - at - 2
    this.reason = undefined
    this.seen = 0
    const colon = JsonText.skipBlank(text, labelEnd)
    if (text[colon] !== ":") return -1
    const start = JsonText.skipBlank(text, colon + 1)
    if (text[start] !== "{") return this.refuse("not a row of fields", JsonText.valueEnd(text, start))
    const end = this.fields(text, start)
    if (end !== -1 && this.seen !== 31) this.refuse(`missing field ${firstMissing(this.seen)}`, end)
    return end
  }

  private fields(text: string, start: number): number {
    let at = JsonText.skipBlank(text, start + 1)
    if (text[at] === "}") return at + 1
    for (;;) {
      const end = this.field(text, at)
      if (end === -1) return -1
      at = JsonText.skipBlank(text, end)
      if (text[at] === "}") return at + 1
      if (text[at] !== ",") return -1
      at = JsonText.skipBlank(text, at + 1)
    }
  }

  private field(text: string, at: number): number {
    const nameEnd = JsonText.stringEnd(text, at)
    if (nameEnd === -1) return -1
    const colon = JsonText.skipBlank(text, nameEnd)
    if (text[colon] !== ":") return -1
    const start = JsonText.skipBlank(text, colon + 1)
    const end = JsonText.valueEnd(text, start)
    const index = end === -1 ? -1 : columnOf(text, at + 1, nameEnd - 1)
    if (index !== -1) this.keep(index, text, at, start, end)
    return end
  }

  private keep(index: number, text: string, at: number, start: number, end: number): void {
    if ((this.seen & 1 << index) !== 0) this.refuse(`field ${numbered(index)} given twice`, end)
    this.seen |= 1 << index
    const isString = text[start] === "\""
    const value = isString ? decimal(text, start + 1, end - 1) : decimal(text, start, end)
    this.values[index] = value
    if (Number.isNaN(value)) {
      this.refuse(
        `${text.slice(at, JsonText.stringEnd(text, at))} is not a number: ${text.slice(start, end).slice(0, 100)}`,
        end
      )
    }
  }

  /** The first reason counts. */
  private refuse(reason: string, end: number): number {
    this.reason ??= reason
    return end
  }
}

const numbered = (index: number): string => `"${index + 1}. ${names[index]}"`

const firstMissing = (seen: number): string => numbered(names.findIndex((_, index) => (seen & 1 << index) === 0))

/** The column that a field name stands for: its text after the number and dot. -1 for other fields. */
const columnOf = (text: string, from: number, to: number): number => {
  const dot = text.indexOf(". ", from)
  const at = dot === -1 || dot >= to ? from : dot + 2
  for (let index = 0; index < names.length; index++) {
    const name = names[index]!
    if (name.length === to - at && text.startsWith(name, at)) return index
  }
  return -1
}

const powers = Float64Array.from({ length: 16 }, (_, exponent) => 10 ** exponent)

/**
 * A plain decimal such as `-12.3400`, else NaN: no exponent, no sign but minus, no blank. Up to 15 digits the mantissa
 * and the power are exact, so one division rounds as `Number` does.
 */
export const decimal = (text: string, from: number, to: number): number => {
  const start = text[from] === "-" ? from + 1 : from
  let mantissa = 0
  let dot = -1
  for (let i = start; i < to; i++) {
    const code = text.charCodeAt(i)
    if (code >= 48 && code <= 57) mantissa = mantissa * 10 + code - 48
    else if (code === 46 && dot === -1 && i > start && i < to - 1) dot = i
    else return Number.NaN
  }
  if (start >= to) return Number.NaN
  if (to - start > 15) return finite(Number(text.slice(from, to)))
  const value = dot === -1 ? mantissa : mantissa / powers[to - dot - 1]!
  return start === from ? value : -value
}

const finite = (value: number): number => Number.isFinite(value) ? value : Number.NaN
