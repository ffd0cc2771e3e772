/**
 * Decodes the series of Alpha Vantage from its CSV: `timestamp,open,high,low,close,volume`, newest first. Pure, never
 * throws. Columns are found by their names; prices with an adjusted close beside them are scaled to it, other columns
 * (dividends, split coefficients) are left alone.
 *
 * CSV names neither symbol nor zone: its labels are New York's, as in the JSON of every listing that we have seen.
 */
import * as Rule from "../../bars/Rule.ts"
import * as Json from "../JsonBytes.ts"
import * as Outline from "../JsonOutline.ts"
import type { Decoded } from "../MarketData.ts"
import * as Interval from "./Interval.ts"
import * as Labels from "./Labels.ts"
import { adjust, decimal } from "./SeriesRow.ts"
import { refused, type Row, SeriesRows } from "./SeriesRows.ts"

const NEWLINE = 10
const RETURN = 13
const BYTES_PER_ROW = 50

const names = ["open", "high", "low", "close", "volume"] as const
/** The vendor writes the column in two ways, by function. */
const adjustedNames = ["adjusted_close", "adjusted close"]

export const isCsv = (bytes: Uint8Array): boolean =>
  /^time(stamp)?,/.test(Json.text(bytes, Outline.start(bytes), Outline.start(bytes) + 10))

/** The first row's label, when there is a row. */
export const newest = (bytes: Uint8Array): string | undefined => {
  const line = new Line(bytes)
  line.read(line.read(Outline.start(bytes)))
  return line.count < 2 ? undefined : line.cell(0)
}

/** `interval`: what the rows are taken for; nothing in CSV says it. */
export const decode = (bytes: Uint8Array, interval: Interval.Interval, rules: Rule.Rules = Rule.all): Decoded => {
  const line = new Line(bytes)
  const first = line.read(Outline.start(bytes))
  const header = Array.from({ length: line.count }, (_, at) => line.cell(at))
  const columns = names.map((name) => header.indexOf(name))
  if (!isCsv(bytes) || columns.includes(-1)) return refused("not a series", bytes, Outline.start(bytes))
  const clock = Labels.clockOf(ZONE)!
  const rows = new SeriesRows(bytes, interval, clock, BYTES_PER_ROW, rules)
  if (first >= bytes.length) return { sessions: [], rejects: [], complete: false }
  const reader = new Reader(line, columns, header.findIndex((name) => adjustedNames.includes(name)), header.length)
  let complete = true
  for (let at = first; at < bytes.length;) {
    const next = line.read(at)
    const row = reader.row(at)
    // A last line with too few cells is where the answer broke off.
    if (next > bytes.length && line.count < header.length && line.end > at) {
      complete = false
      rows.damaged("the answer is cut off here", at, line.end)
    } else if (
      line.end > at && !(row.reason === undefined && isTimed(row, interval) && rows.take(row.values, at, at))
    ) {
      rows.keep(row, at, line.end)
    }
    at = next
  }
  return rows.decoded(complete, undefined, (start) => {
    line.read(start)
    return { ...reader.row(start), end: line.end }
  })
}

const ZONE = "America/New_York"

/** `SeriesRows.take` reads a label of the interval's kind without a look at its length. */
const isTimed = ({ labelLength }: Row, interval: Interval.Interval): boolean =>
  labelLength === (Interval.isIntraday(interval) ? 19 : 10)

/** One line, its cells by position. */
class Line {
  readonly from = new Int32Array(32)
  readonly to = new Int32Array(32)
  count = 0
  /** Without the line end. */
  end = 0
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Reads the line that begins at `at`; where the next one begins. */
  read(at: number): number {
    const { bytes, from, to } = this
    this.count = 0
    from[0] = at
    let i = at
    for (; i < bytes.length && bytes[i] !== NEWLINE; i++) {
      if (bytes[i] !== Json.COMMA || this.count >= from.length - 1) continue
      to[this.count++] = i
      from[this.count] = i + 1
    }
    this.end = i > at && bytes[i - 1] === RETURN ? i - 1 : i
    to[this.count++] = Math.max(this.end, from[this.count - 1]!)
    return i + 1
  }

  cell(at: number): string {
    return Json.text(this.bytes, this.from[at]!, this.to[at]!)
  }
}

class Reader {
  private readonly line: Line
  private readonly columns: ReadonlyArray<number>
  /** The cell of the adjusted close, or -1. */
  private readonly adjusted: number
  private readonly width: number
  private readonly values = new Float64Array(names.length)

  constructor(line: Line, columns: ReadonlyArray<number>, adjusted: number, width: number) {
    this.line = line
    this.columns = columns
    this.adjusted = adjusted
    this.width = width
  }

  /** The line that was just read, which begins at `at`. */
  row(at: number): Row {
    const { bytes, to } = this.line
    return { values: this.values, label: bytes, labelAt: at, labelLength: to[0]! - at, reason: this.problem() }
  }

  private problem(): string | undefined {
    const { adjusted, columns, line, values, width } = this
    if (line.count !== width) return `${line.count} cells instead of ${width}`
    for (let column = 0; column < names.length; column++) {
      const cell = columns[column]!
      values[column] = decimal(line.bytes, line.from[cell]!, line.to[cell]!)
      if (Number.isNaN(values[column])) return `"${names[column]}" is not a number: ${line.cell(cell).slice(0, 100)}`
    }
    if (adjusted === -1) return undefined
    const close = decimal(line.bytes, line.from[adjusted]!, line.to[adjusted]!)
    if (Number.isNaN(close)) return `"adjusted close" is not a number: ${line.cell(adjusted).slice(0, 100)}`
    adjust(values, close)
    return undefined
  }
}
