/**
 * Reads the rows of a page that look like the one before, which are all but the last.
 *
 * A vendor's program prints every row alike. The template is learned from a row that `PagedRow` has read: the bytes
 * between its values, and what each value is. Where the next bytes are the same, nothing has to be looked for; where they
 * are not, or a value is not plain, `read` steps aside and the row is read the careful way. So this decides nothing.
 */
import * as JsonBytes from "./JsonBytes.ts"
import { powers } from "./JsonWalk.ts"
import { type Fields, TIME, UNREAD, walk } from "./PagedRow.ts"
import * as Timestamps from "./Timestamps.ts"

const COLUMNS = 5
const ZERO = 48
const DOT = 46
/** More digits than this are not exact in a mantissa: the careful way reads them. */
const DIGITS = 15
/** So many digits stay within 32 bits, before the dot and after it. */
const HALF = 9
/** Near the end of the bytes the careful way reads, so that the loops here need not ask where they are. */
const VALUE = 32

interface Slot {
  readonly column: number
  /** Where the value begins and ends, quotes excluded. */
  readonly from: number
  readonly to: number
}

export class PagedTemplate {
  ts = Number.NaN
  /** Open, high, low, close, volume. */
  readonly values = new Float64Array(COLUMNS)
  private readonly bytes: Uint8Array
  /** The bytes before each value, then those from the last value to the next row, one after the other. */
  private readonly literals: DataView
  private readonly view: DataView
  private readonly ends: Int32Array
  private readonly columns: Int32Array
  private readonly dates: Timestamps.Dates
  private readonly hasText: boolean
  /** No row begins after this. */
  private readonly last: number

  private constructor(
    bytes: Uint8Array,
    literals: ReadonlyArray<number>,
    ends: Int32Array,
    slots: ReadonlyArray<Slot>
  ) {
    this.bytes = bytes
    this.literals = viewOf(Uint8Array.from(literals))
    this.view = viewOf(bytes)
    this.ends = ends
    this.columns = Int32Array.from(slots, ({ column }) => column)
    this.dates = new Timestamps.Dates(bytes)
    this.hasText = slots.some(({ column, from }) => column === TIME && bytes[from - 1] === JsonBytes.QUOTE)
    this.last = bytes.length - literals.length - slots.length * VALUE
  }

  /** From the row at `at`, which was read without a complaint; `next` is where the next one begins. */
  static learn(bytes: Uint8Array, at: number, next: number, fields: Fields): PagedTemplate | undefined {
    const slots = slotsOf(bytes, at, fields)
    if (slots === undefined) return undefined
    const literals: Array<number> = []
    const ends = new Int32Array(slots.length + 1)
    let from = at
    for (let slot = 0; slot <= slots.length; slot++) {
      const to = slots[slot]?.from ?? next
      for (let i = from; i < to; i++) literals.push(bytes[i]!)
      ends[slot] = literals.length
      from = slots[slot]?.to ?? next
    }
    return new PagedTemplate(bytes, literals, ends, slots)
  }

  /** Fills `ts` and `values` from the row at `at`; where the next row begins, or -1. */
  read(at: number): number {
    if (at > this.last) return -1
    const { columns, ends } = this
    const slots = columns.length
    let i = at
    let literal = 0
    for (let slot = 0; slot < slots; slot++) {
      const end = ends[slot]!
      if (!this.matches(i, literal, end)) return -1
      i += end - literal
      literal = end
      const column = columns[slot]!
      i = column === UNREAD ? this.pass(i) : column === TIME ? this.time(i) : this.number(column, i)
      if (i === -1) return -1
    }
    return this.matches(i, literal, ends[slots]!) ? i + ends[slots]! - literal : -1
  }

  /** Whether the literal from `from` to `to` is at `at`. */
  private matches(at: number, from: number, to: number): boolean {
    const { literals, view } = this
    let [i, literal] = [at, from]
    for (; literal + 4 <= to; literal += 4, i += 4) {
      if (view.getInt32(i) !== literals.getInt32(literal)) return false
    }
    for (; literal < to; literal++, i++) if (view.getUint8(i) !== literals.getUint8(literal)) return false
    return true
  }

  private pass(from: number): number {
    const { bytes, view } = this
    let i = from
    for (let code = bytes[i]!; code >= DOT - 1 && code < ZERO + 10;) {
      if (i - from > DIGITS + 4) return -1
      code = bytes[i += areDigits(view.getInt32(i, true)) ? 4 : 1]!
    }
    return i === from ? -1 : i
  }

  private time(from: number): number {
    if (this.hasText) {
      this.ts = this.dates.plain(from)
      return Number.isNaN(this.ts) ? -1 : from + Timestamps.LENGTH
    }
    const { bytes, view } = this
    let i = from
    let millis = 0
    for (let four = view.getInt32(i, true); areDigits(four) && i - from < DIGITS; four = view.getInt32(i += 4, true)) {
      millis = millis * 10_000 + valueOf(four)
    }
    for (let digit = bytes[i]! - ZERO; digit >= 0 && digit < 10 && i - from <= DIGITS; digit = bytes[++i]! - ZERO) {
      millis = millis * 10 + digit
    }
    this.ts = millis
    return i === from || i - from > DIGITS ? -1 : i
  }

  private number(column: number, from: number): number {
    const { bytes, view } = this
    const most = from + HALF
    let i = from
    let whole = 0
    let digit = bytes[i]! - ZERO
    for (; digit >= 0 && digit < 10 && i < most; digit = bytes[++i]! - ZERO) whole = (Math.imul(whole, 10) + digit) | 0
    if (i === from || i === most) return -1
    if (bytes[i] !== DOT) {
      this.values[column] = whole
      return i
    }
    const dot = i++
    let fraction = 0
    for (let four = view.getInt32(i, true); areDigits(four) && i - dot < 8; four = view.getInt32(i += 4, true)) {
      fraction = (Math.imul(fraction, 10_000) + valueOf(four)) | 0
    }
    for (digit = bytes[i]! - ZERO; digit >= 0 && digit < 10 && i - dot <= HALF; digit = bytes[++i]! - ZERO) {
      fraction = (Math.imul(fraction, 10) + digit) | 0
    }
    if (i - dot === 1 || i - dot > HALF || i - from > DIGITS) return -1
    const power = powers[i - dot - 1]!
    this.values[column] = (whole * power + fraction) / power
    return i
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Whether four bytes, the first one lowest, are digits. */
const areDigits = (four: number): boolean =>
  (four & 0xf0f0f0f0) === 0x30303030 && (four + 0x06060606 & 0xf0f0f0f0) === 0x30303030

/** The number that they write: digits to pairs, pairs to the whole, each in its own bits of one word. */
const valueOf = (four: number): number => {
  const digits = four & 0x0f0f0f0f
  const pairs = Math.imul(digits, 10) + (digits >>> 8) & 0x00ff00ff
  return Math.imul(pairs, 100) + (pairs >>> 16) & 0xffff
}

/** The values of a row in their order; undefined where one is nothing that `read` could read again. */
const slotsOf = (bytes: Uint8Array, at: number, fields: Fields): ReadonlyArray<Slot> | undefined => {
  const slots: Array<Slot> = []
  walk(fields, bytes, at, (column, value) => {
    const end = JsonBytes.valueEnd(bytes, value)
    const quote = bytes[value] === JsonBytes.QUOTE ? 1 : 0
    slots.push({ column, from: value + quote, to: end - quote })
    return end
  })
  const times = slots.filter(({ column }) => column === TIME)
  const isPlain = slots.every(({ column, from, to }) => column === TIME || PLAIN.test(JsonBytes.text(bytes, from, to)))
  return isPlain && times.length === 1 ? slots : undefined
}

const PLAIN = /^[\d.-]+$/
