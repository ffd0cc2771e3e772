/**
 * Decodes `alpha-vantage/intraday-json`, the answer of TIME_SERIES_INTRADAY. Pure, never throws.
 *
 * One pass reads every complete row before any damage; what follows is one rejected piece and `complete` is false.
 * Reading entry by entry also sees a label given twice, which `JSON.parse` would silently drop. A label is the start of
 * the bar's window (the vendor's way since 2023), on the wall clock that "Meta Data" names. Not judged here: hours and holidays.
 */
import * as BarRule from "../../bars/BarRule.ts"
import type * as Bars from "../../bars/Bars.ts"
import { slice } from "../../bars/Bars.ts"
import { BarsBuilder } from "../../bars/BarsBuilder.ts"
import * as WallClock from "../../bars/WallClock.ts"
import * as JsonText from "../JsonText.ts"
import type { Decoded } from "../MarketData.ts"
import * as Envelope from "./IntradayEnvelope.ts"
import { Row } from "./IntradayRow.ts"

export const format = "alpha-vantage/intraday-json"

const DAY = 86_400_000
/** How much of a refused text is kept: enough to see the damage, the payload itself is stored anyway. */
const RAW_LIMIT = 2000

type Rejected = Decoded["rejects"][number]

/** `interval`: the one that the caller stores; an answer of another interval is refused whole. */
export const decode = (bytes: Uint8Array, interval?: string): Decoded => {
  const text = new TextDecoder().decode(bytes)
  const envelope = Envelope.read(text)
  // No series says nothing about rows that were there before: a vendor that has none, or one that has a bad minute.
  if (envelope.empty) return { sessions: [], rejects: [], complete: false }
  const problem = Envelope.problem(envelope, interval)
  if (problem !== undefined) return refused(problem, text)
  const zone = envelope.meta?.zone
  const clock = zone === undefined ? undefined : clockOf(zone)
  return clock === undefined
    ? refused(`time zone not known: ${Envelope.quoted(zone)}`, text)
    : new Series(text, envelope, clock).decoded()
}

/** What a source of this format puts into its `decode`. */
export const decoder = (interval: string) => (name: string, bytes: Uint8Array): Decoded =>
  name === format
    ? decode(bytes, interval)
    : refused(`no decoder for the format ${name}`, new TextDecoder().decode(bytes))

/** Everything refused for one reason. */
const refused = (reason: string, text: string): Decoded => ({
  sessions: [],
  rejects: [{ session: null, ts: null, reason, raw: text.slice(0, RAW_LIMIT) }],
  complete: false
})

const newYork = WallClock.make("America/New_York")

/** The vendor's name for New York is an old alias that not every runtime has. */
const clockOf = (zone: string): WallClock.WallClock | undefined =>
  zone === "US/Eastern" || zone === "America/New_York" ? newYork : WallClock.make(zone)

class Series {
  private readonly text: string
  private readonly envelope: Envelope.Envelope
  private readonly clock: WallClock.WallClock
  private readonly grid: number
  private readonly row = new Row()
  private readonly rows: BarsBuilder
  private readonly starts: Array<number> = []
  private readonly rejects: Array<Rejected> = []

  constructor(text: string, envelope: Envelope.Envelope, clock: WallClock.WallClock) {
    this.text = text
    this.envelope = envelope
    this.clock = clock
    this.grid = Envelope.minutesOf[envelope.meta!.interval as Envelope.Interval] * 60_000
    this.rows = new BarsBuilder(Math.ceil(text.length / 180))
  }

  decoded(): Decoded {
    const closed = this.scan(this.envelope.seriesAt!)
    const { bars, conflicts } = this.rows.finish()
    for (const row of conflicts) this.rejectConflict(this.starts[row]!)
    return { sessions: bySession(bars, this.clock), rejects: this.rejects, complete: closed }
  }

  /** True when the series and everything after it are whole. */
  private scan(brace: number): boolean {
    let at = JsonText.skipBlank(this.text, brace + 1)
    if (this.text[at] === "}") return this.tail(at)
    for (;;) {
      const end = this.row.read(this.text, at)
      if (end === -1) return this.damaged(at)
      this.keep(at, end)
      const next = JsonText.skipBlank(this.text, end)
      if (this.text[next] === "}") return this.tail(next)
      if (this.text[next] !== ",") return this.damaged(next)
      at = JsonText.skipBlank(this.text, next + 1)
    }
  }

  private keep(start: number, end: number): void {
    const { row, text } = this
    const local = row.labelLength === 19 ? WallClock.parseLabel(text, row.labelAt) : Number.NaN
    const [open, high, low, close, volume] = row.values as unknown as [number, number, number, number, number]
    const reason = this.labelProblem(local) ?? row.reason ?? BarRule.violation(open, high, low, close, volume)
    if (reason !== undefined) return this.reject(reason, local, start, end)
    this.rows.push(local, open, high, low, close, volume)
    this.starts.push(start)
  }

  private labelProblem(local: number): string | undefined {
    if (Number.isNaN(local)) return "timestamp not readable"
    if (local % this.grid !== 0) return `timestamp off the ${this.envelope.meta!.interval} grid`
    return Number.isNaN(this.clock.toInstant(local)) ? "timestamp does not exist: clocks went forward" : undefined
  }

  private reject(reason: string, local: number, start: number, end: number): void {
    const instant = this.clock.toInstant(local)
    this.rejects.push({
      session: Number.isNaN(local) ? null : WallClock.dateOf(local),
      ts: Number.isNaN(instant) ? null : instant,
      reason,
      raw: this.text.slice(start, Math.min(end, start + RAW_LIMIT))
    })
  }

  private rejectConflict(start: number): void {
    const end = this.row.read(this.text, start)
    this.reject("duplicate timestamp with other values", WallClock.parseLabel(this.text, start + 1), start, end)
  }

  private damaged(at: number): false {
    if (at >= this.text.length) this.reject("the answer is cut off here", Number.NaN, at, at)
    else this.reject("the answer is cut off or damaged from here on", Number.NaN, at, this.text.length)
    return false
  }

  private tail(brace: number): boolean {
    return this.envelope.closed || this.damaged(JsonText.skipBlank(this.text, brace + 1))
  }
}

/** Splits at local dates and turns the local times into instants, in place. */
const bySession = (bars: Bars.Bars, clock: WallClock.WallClock): ReadonlyArray<Bars.SessionBars> => {
  const sessions: Array<Bars.SessionBars> = []
  let from = 0
  for (let row = 0; row < bars.length; row++) {
    const local = bars.ts[row]!
    const isLast = row + 1 === bars.length || Math.floor(bars.ts[row + 1]! / DAY) !== Math.floor(local / DAY)
    bars.ts[row] = clock.toInstant(local)
    if (!isLast) continue
    sessions.push({ session: WallClock.dateOf(local), bars: slice(bars, from, row + 1) })
    from = row + 1
  }
  return sessions
}
