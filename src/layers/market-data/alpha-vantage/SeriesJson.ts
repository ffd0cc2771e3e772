/**
 * Decodes the series of Alpha Vantage from its JSON, straight from bytes to columns. Pure, never throws.
 *
 * One pass reads every complete row before any damage; what follows is one rejected piece and `complete` is false.
 * Reading entry by entry also sees a label given twice, which `JSON.parse` would silently drop. Not judged here: hours
 * and holidays.
 */
import * as Rule from "../../bars/Rule.ts"
import type * as WallClock from "../../bars/WallClock.ts"
import * as Json from "../JsonBytes.ts"
import * as Outline from "../JsonOutline.ts"
import type { Decoded } from "../MarketData.ts"
import type * as Interval from "./Interval.ts"
import * as Labels from "./Labels.ts"
import { RowTemplate } from "./RowTemplate.ts"
import * as Envelope from "./SeriesEnvelope.ts"
import { Row } from "./SeriesRow.ts"
import { refused, SeriesRows } from "./SeriesRows.ts"

/** A row takes 216 bytes as the vendor prints it; others may be tighter. */
const BYTES_PER_ROW = 180

/** `interval`: the one that the caller stores; an answer of another interval is refused whole. */
export const decode = (bytes: Uint8Array, interval?: string, rules: Rule.Rules = Rule.all): Decoded => {
  const envelope = Envelope.read(bytes)
  // No series says nothing about rows that were there before: a vendor that has none, or one that has a bad minute.
  if (envelope.empty) return { sessions: [], rejects: [], complete: false }
  const problem = Envelope.problem(envelope, interval)
  if (problem !== undefined) return refused(problem, bytes, Outline.start(bytes))
  const zone = envelope.meta?.zone
  const clock = zone === undefined ? undefined : Labels.clockOf(zone)
  return clock === undefined
    ? refused(`time zone not known: ${Envelope.quoted(zone)}`, bytes, Outline.start(bytes))
    : new Series(bytes, envelope, clock, rules).decoded()
}

class Series {
  private readonly bytes: Uint8Array
  private readonly envelope: Envelope.Envelope
  private readonly row = new Row()
  private template: RowTemplate | undefined
  private readonly rows: SeriesRows

  constructor(
    bytes: Uint8Array,
    envelope: Envelope.Envelope,
    clock: WallClock.WallClock,
    rules: Rule.Rules
  ) {
    this.bytes = bytes
    this.envelope = envelope
    this.rows = new SeriesRows(bytes, envelope.seriesInterval as Interval.Interval, clock, BYTES_PER_ROW, rules)
  }

  decoded(): Decoded {
    const closed = this.scan(this.envelope.seriesAt!)
    const { meta } = this.envelope
    // A compact answer holds the latest rows only: what it lacks is not gone.
    const complete = closed && !/^compact/i.test(meta?.outputSize ?? "")
    return this.rows.decoded(complete, meta?.information, (start) => {
      const end = this.row.read(this.bytes, start)
      return { ...this.row, end }
    })
  }

  /** True when the series and everything after it are whole. */
  private scan(brace: number): boolean {
    const { bytes, row } = this
    let at = Json.skipBlank(bytes, brace + 1)
    if (bytes[at] === Json.CLOSE_OBJECT) return this.tail(at)
    for (;;) {
      at = this.alike(at)
      const end = row.read(bytes, at)
      if (end === -1) return this.damaged(at)
      this.rows.keep(row, at, end)
      const next = Json.skipBlank(bytes, end)
      if (bytes[next] === Json.CLOSE_OBJECT) return this.tail(next)
      if (bytes[next] !== Json.COMMA) return this.damaged(next)
      at = Json.skipBlank(bytes, next + 1)
      if (row.reason === undefined) this.template ??= RowTemplate.learn(bytes, row, at)
    }
  }

  /** Takes the rows that look like the template and obey every rule. The position of the first that does not. */
  private alike(from: number): number {
    const { rows, template } = this
    if (template === undefined) return from
    let at = from
    for (let next = template.read(at); next !== -1; next = template.read(at)) {
      if (!rows.take(template.values, at + 1, at)) break
      at = next
    }
    return at
  }

  private damaged(at: number): false {
    if (at >= this.bytes.length) this.rows.damaged("the answer is cut off here", at, at)
    else this.rows.damaged("the answer is cut off or damaged from here on", at, this.bytes.length)
    return false
  }

  private tail(brace: number): boolean {
    const closed = this.envelope.closed ?? Outline.closesFrom(this.bytes, brace + 1)
    return closed || this.damaged(Json.skipBlank(this.bytes, brace + 1))
  }
}
