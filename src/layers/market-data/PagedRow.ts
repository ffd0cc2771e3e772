/**
 * One row of a page, read in place, in whatever order and white space: an object or an array of fields, of which the
 * source says what each is. `PagedTemplate.ts` is the fast way for the rows that look like the one before.
 */
import { Columns } from "./Columns.ts"
import * as JsonBytes from "./JsonBytes.ts"
import * as JsonWalk from "./JsonWalk.ts"

/** A field is a column by its number (open, high, low, close, volume), the row's time, or nothing that is read. */
export const TIME = 5
export const UNREAD = -1

/** How a source writes a row. */
export interface Fields {
  readonly kind: "object" | "array"
  /** What a field is: by its name in an object, quotes excluded, by its index in an array. */
  readonly columnOf: (bytes: Uint8Array, nameFrom: number, nameTo: number, index: number) => number
  /** Epoch milliseconds of the time between two positions, NaN where there is none. */
  readonly instant: (bytes: Uint8Array, from: number, to: number) => number
}

type Visit = (column: number, value: number) => number

/** Hands every field to `visit`, which answers the position after it. The position after the row, -1 for damage. */
export const walk = (fields: Fields, bytes: Uint8Array, at: number, visit: Visit): number =>
  fields.kind === "array"
    ? JsonWalk.array(bytes, at, (value, index) => visit(fields.columnOf(bytes, at, at, index), value))
    : JsonWalk.object(bytes, at, (from, to, value) => visit(columnOfName(fields, bytes, from, to), value))

const BACKSLASH = 92

/** Names are hardly ever escaped. */
const columnOfName = (fields: Fields, bytes: Uint8Array, from: number, to: number): number => {
  if (bytes[from] !== BACKSLASH) return fields.columnOf(bytes, from, to, UNREAD)
  const name = JsonBytes.parsed(bytes, from - 1, to + 1)
  const plain = new TextEncoder().encode(typeof name === "string" ? name : "")
  return fields.columnOf(plain, 0, plain.length, UNREAD)
}

const OPEN = { object: 123, array: 91 } as const

/** Filled again for every row. */
export class PagedRow {
  /** Epoch milliseconds, NaN where it cannot be read. */
  ts = Number.NaN
  /** Why the row is refused before its values are looked at. */
  reason: string | undefined
  private readonly columns = new Columns()
  private readonly fields: Fields
  private readonly bytes: Uint8Array

  constructor(fields: Fields, bytes: Uint8Array) {
    this.fields = fields
    this.bytes = bytes
  }

  /** Open, high, low, close, volume. */
  get values(): Float64Array {
    return this.columns.values
  }

  /** Reads the row at `at` and answers the position after it, -1 for damage. */
  read(at: number): number {
    this.ts = Number.NaN
    this.columns.clear()
    if (this.bytes[at] !== OPEN[this.fields.kind]) {
      this.reason = "not a row of fields"
      return JsonBytes.valueEnd(this.bytes, at)
    }
    const end = walk(this.fields, this.bytes, at, this.visit)
    this.reason = this.columns.problem()
    return end
  }

  private readonly visit = (column: number, value: number): number => {
    if (column === UNREAD) return JsonWalk.skip(this.bytes, value)
    if (column !== TIME) return this.columns.read(column, this.bytes, value)
    const end = JsonBytes.valueEnd(this.bytes, value)
    if (end !== -1) this.ts = this.fields.instant(this.bytes, value, end)
    return end
  }
}
