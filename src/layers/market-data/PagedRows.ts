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
import * as JsonWalk from "./JsonWalk.ts"
import type { Decoded } from "./MarketData.ts"
import { type Fields, PagedRow } from "./PagedRow.ts"
import { PagedTemplate } from "./PagedTemplate.ts"

/** How much of a refused text is kept: enough to see the damage, the payload itself is stored anyway. */
const RAW_LIMIT = 2000

/** For the first allocation; some rows are shorter. */
const BYTES_PER_ROW = 80

/** No vendor's row is longer: learning from one copies its bytes. */
const LEARNED = 2000

/** Reads the array of rows at a position: where it ends, -1 for damage, and how many rows it holds. */
export type ReadList = (at: number) => { readonly end: number; readonly count: number }

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
  readonly fields: Fields
  /** Walks the page at `at` and hands the position of each array of rows to `list`. */
  readonly page: (bytes: Uint8Array, at: number, list: ReadList) => Page
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

/** Where the page at or after `at` begins. A byte order mark may stand before each: they were answers of their own. */
export const pageStart = (bytes: Uint8Array, at: number): number => {
  const start = JsonBytes.skipBlank(bytes, at)
  const isMarked = bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf
  return isMarked ? JsonBytes.skipBlank(bytes, start + 3) : start
}

class Reading {
  private readonly shape: Shape
  private readonly rules: Rule.Rules
  private readonly anyVolume: boolean
  private readonly grid: number
  private readonly dates: LocalDates.LocalDates
  private readonly bytes: Uint8Array
  private readonly row: PagedRow
  private template: PagedTemplate | undefined
  private readonly rows: BarsBuilder
  private readonly starts: Array<number> = []
  private readonly rejects: Array<Decoded["rejects"][number]> = []
  /** Everything before it is read. */
  private at = 0
  /** The last row that was read the careful way, where it can be learned from. */
  private example = -1
  /** The rows of the array that is being read. */
  private count = 0

  constructor(shape: Shape, rules: Rule.Rules, dates: LocalDates.LocalDates, bytes: Uint8Array) {
    this.shape = shape
    this.rules = rules
    this.anyVolume = !rules.has("volume_whole")
    this.grid = rules.has("grid") ? shape.intervalMillis : 1
    this.dates = dates
    this.bytes = bytes
    this.row = new PagedRow(shape.fields, bytes)
    this.rows = new BarsBuilder(Math.ceil(bytes.length / BYTES_PER_ROW))
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
    const list: ReadList = (at) => this.list(at)
    let more = true
    for (this.at = pageStart(this.bytes, 0); this.at < this.bytes.length;) {
      const page = this.shape.page(this.bytes, this.at, list)
      if (page.end === -1) return this.damaged()
      more = page.more
      this.at = pageStart(this.bytes, page.end)
    }
    return more ? this.damaged() : true
  }

  private list(at: number): { readonly end: number; readonly count: number } {
    this.count = 0
    // What stands between the last row of a page and the first of the next is no pattern.
    this.example = -1
    const end = JsonWalk.array(this.bytes, at, this.item)
    return { end, count: this.count }
  }

  /** Takes the row at `at`, and before it all that look like the ones before. */
  private readonly item = (start: number): number => {
    this.learn(start)
    const at = this.alike(start)
    this.at = at
    const end = this.row.read(at)
    if (end === -1) return -1
    this.at = end
    this.count++
    const reason = this.problem()
    if (reason !== undefined) this.reject(reason, this.row.ts, at, end)
    else this.keep(this.row, at)
    this.example = reason === undefined ? at : -1
    return end
  }

  private learn(next: number): void {
    const { example } = this
    if (this.template !== undefined || example === -1 || next - example > LEARNED) return
    this.template = PagedTemplate.learn(this.bytes, example, next, this.shape.fields)
  }

  /** Takes the rows that look like the template and obey every rule. The position of the first that does not. */
  private alike(from: number): number {
    const { template } = this
    if (template === undefined) return from
    let at = from
    for (let next = template.read(at); next !== -1; next = template.read(at)) {
      if (!this.isOnGrid(template.ts) || !this.holds(template.values)) break
      this.keep(template, at)
      this.count++
      at = next
    }
    return at
  }

  private keep({ ts, values }: { readonly ts: number; readonly values: Float64Array }, start: number): void {
    this.rows.push(ts, values[0]!, values[1]!, values[2]!, values[3]!, values[4]!)
    this.starts.push(start)
  }

  /** `%` of numbers beyond 32 bits is a call into the C library. */
  private isOnGrid(ts: number): boolean {
    return Math.floor(ts / this.grid) * this.grid === ts
  }

  private holds(values: Float64Array): boolean {
    const volume = values[4]!
    return BarRule.holds(values[0]!, values[1]!, values[2]!, values[3]!, Math.floor(volume)) &&
      (this.anyVolume || Number.isSafeInteger(volume))
  }

  private problem(): string | undefined {
    const { reason, ts, values } = this.row
    if (Number.isNaN(ts)) return reason ?? "timestamp not readable"
    if (!this.isOnGrid(ts)) return `timestamp off the ${this.shape.interval} grid`
    if (reason !== undefined) return reason
    // The rules are asked one by one only where the quick look is not enough.
    return this.holds(values)
      ? undefined
      : BarRule.violation(values[0]!, values[1]!, values[2]!, values[3]!, values[4]!, this.rules)
  }

  private reject(reason: string, ts: number, start: number, end: number): void {
    const session = Number.isNaN(ts) ? null : LocalDates.dateOf(this.dates.dayOf(ts))
    const raw = JsonBytes.text(this.bytes, start, Math.min(end, start + RAW_LIMIT))
    this.rejects.push({ session, ts: Number.isNaN(ts) ? null : ts, reason, raw })
  }

  private rejectConflict(start: number): void {
    const end = this.row.read(start)
    this.reject("duplicate timestamp with other values", this.row.ts, start, end)
  }

  private damaged(): false {
    const { length } = this.bytes
    const reason = this.at === 0 ? "not a series" : "the answer is cut off or damaged from here on"
    this.reject(this.at < length ? reason : "the answer is cut off here", Number.NaN, this.at, length)
    return false
  }
}
