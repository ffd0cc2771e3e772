/**
 * Decodes a payload of pages: JSON documents one after the other, each a page of bars as the vendor sent it. Pure, never
 * throws. One pass over the bytes fills the columns; a source says how a page and a row are read.
 *
 * What cannot be believed is a rejected row and its neighbours are kept. Damage ends the reading: what follows is one
 * rejected piece, and the payload is not complete. Neither is one without rows: the vendor has none, or a bad minute.
 */
import * as BarRule from "../bars/BarRule.ts"
import { BarsBuilder } from "../bars/BarsBuilder.ts"
import * as LocalDates from "../bars/LocalDates.ts"
import * as Rule from "../bars/Rule.ts"
import * as JsonBytes from "./JsonBytes.ts"
import type { Decoded } from "./MarketData.ts"

/** How much of a refused text is kept: enough to see the damage, the payload itself is stored anyway. */
const RAW_LIMIT = 2000

/** One bar as it is being read; filled again for every row. */
export interface Row {
  /** Epoch milliseconds, NaN where it cannot be read. */
  ts: number
  /** Open, high, low, close, volume. */
  readonly values: Float64Array
  /** Why the row is refused before its values are looked at. */
  reason: string | undefined
  /** Reads the row at `at` and answers the position after it, -1 for damage. */
  readonly read: (bytes: Uint8Array, at: number) => number
}

/** The position after a page, -1 for damage, and whether it says that another one follows. */
export interface Page {
  readonly end: number
  readonly more: boolean
}

export interface Shape {
  readonly format: string
  /** Whose local dates are the sessions. */
  readonly zone: string
  readonly interval: string
  readonly intervalMillis: number
  /** Rules that make no sense here: parts of a coin are traded. */
  readonly without: ReadonlyArray<Rule.Name>
  readonly row: () => Row
  /** Walks the page at `at` and hands the position of each row to `item`. */
  readonly page: (bytes: Uint8Array, at: number, item: (at: number) => number) => Page
}

/** What a source of this shape puts into its `decode`. */
export const decoder = (shape: Shape, active: Rule.Rules = Rule.all) => {
  const dates = LocalDates.make(shape.zone)
  const rules = new Set([...active].filter((name) => !shape.without.includes(name)))
  return (format: string, bytes: Uint8Array): Decoded =>
    format === shape.format
      ? new Reading(shape, rules, dates, bytes).decoded()
      : refused(`no decoder for the format ${format}`, bytes)
}

const refused = (reason: string, bytes: Uint8Array): Decoded => ({
  sessions: [],
  rejects: [{ session: null, ts: null, reason, raw: JsonBytes.text(bytes, 0, RAW_LIMIT) }],
  complete: false
})

class Reading {
  private readonly shape: Shape
  private readonly rules: Rule.Rules
  private readonly anyVolume: boolean
  private readonly dates: LocalDates.LocalDates
  private readonly bytes: Uint8Array
  private readonly row: Row
  private readonly rows: BarsBuilder
  private readonly starts: Array<number> = []
  private readonly rejects: Array<Decoded["rejects"][number]> = []
  /** Everything before it is read. */
  private at = 0

  constructor(shape: Shape, rules: Rule.Rules, dates: LocalDates.LocalDates, bytes: Uint8Array) {
    this.shape = shape
    this.rules = rules
    this.anyVolume = !rules.has("volume_whole")
    this.dates = dates
    this.bytes = bytes
    this.row = shape.row()
    this.rows = new BarsBuilder(Math.ceil(bytes.length / 80))
  }

  decoded(): Decoded {
    const whole = this.pages()
    const { bars, conflicts } = this.rows.finish()
    for (const row of this.rules.has("duplicate") ? conflicts : []) this.rejectConflict(this.starts[row]!)
    return {
      sessions: LocalDates.sessions(this.dates, bars),
      rejects: this.rejects,
      complete: whole && (this.starts.length > 0 || this.rejects.length > 0)
    }
  }

  /** True when every page is whole and the last one says that it is the last. */
  private pages(): boolean {
    const item = (at: number): number => this.item(at)
    let more = true
    for (this.at = JsonBytes.skipBlank(this.bytes, 0); this.at < this.bytes.length;) {
      const page = this.shape.page(this.bytes, this.at, item)
      if (page.end === -1) return this.damaged()
      more = page.more
      this.at = JsonBytes.skipBlank(this.bytes, page.end)
    }
    return more ? this.damaged() : true
  }

  private item(at: number): number {
    this.at = at
    const { row } = this
    row.reason = undefined
    row.ts = Number.NaN
    const end = row.read(this.bytes, at)
    if (end === -1) return -1
    this.at = end
    const reason = this.problem()
    if (reason !== undefined) this.reject(reason, row.ts, at, end)
    else {
      const [open, high, low, close, volume] = row.values as unknown as [number, number, number, number, number]
      this.rows.push(row.ts, open, high, low, close, volume)
      this.starts.push(at)
    }
    return end
  }

  private problem(): string | undefined {
    const { reason, ts, values } = this.row
    if (Number.isNaN(ts)) return reason ?? "timestamp not readable"
    if (this.rules.has("grid") && ts % this.shape.intervalMillis !== 0) {
      return `timestamp off the ${this.shape.interval} grid`
    }
    if (reason !== undefined) return reason
    const [open, high, low, close, volume] = values as unknown as [number, number, number, number, number]
    // The rules are asked one by one only where the quick look is not enough.
    return BarRule.holds(open, high, low, close, Math.floor(volume)) && (this.anyVolume || Number.isSafeInteger(volume))
      ? undefined
      : BarRule.violation(open, high, low, close, volume, this.rules)
  }

  private reject(reason: string, ts: number, start: number, end: number): void {
    const session = Number.isNaN(ts) ? null : LocalDates.dateOf(this.dates.dayOf(ts))
    const raw = JsonBytes.text(this.bytes, start, Math.min(end, start + RAW_LIMIT))
    this.rejects.push({ session, ts: Number.isNaN(ts) ? null : ts, reason, raw })
  }

  private rejectConflict(start: number): void {
    const end = this.row.read(this.bytes, start)
    this.reject("duplicate timestamp with other values", this.row.ts, start, end)
  }

  private damaged(): false {
    const { length } = this.bytes
    const reason = this.at === 0 ? "not a series" : "the answer is cut off or damaged from here on"
    this.reject(this.at < length ? reason : "the answer is cut off here", Number.NaN, this.at, length)
    return false
  }
}
