/**
 * The vendor's row labels: a wall clock in the zone that "Meta Data" names, without an offset, or a date alone.
 *
 * Until 2023 a label named the end of a bar (1min 04:01 to 20:00), since then its start (04:00 to 19:59), for all history
 * served since. Answers of the old kind are told by their sentence of 2017 or by a label 20:00 where none is 04:00; their
 * bars are moved back by one interval. A bar by date starts at local midnight of its label.
 */
import type * as Bars from "../../bars/Bars.ts"
import { slice } from "../../bars/Bars.ts"
import type * as Rule from "../../bars/Rule.ts"
import * as WallClock from "../../bars/WallClock.ts"
import type { Decoded } from "../MarketData.ts"
import * as Interval from "./Interval.ts"

const DAY = 86_400_000
const MINUTE = 60_000
const FIRST = 240 * MINUTE
const LAST = 1200 * MINUTE
const DATE_LENGTH = 10
const TIME_LENGTH = 19

/** A refused row; `local` is its label's wall clock, or NaN. */
export interface Rejected {
  readonly local: number
  readonly reason: string
  readonly raw: string
}

const newYork = WallClock.make("America/New_York")

/** The vendor's name for New York is an old alias that not every runtime has. */
export const clockOf = (zone: string): WallClock.WallClock | undefined =>
  zone === "US/Eastern" || zone === "America/New_York" ? newYork : WallClock.make(zone)

export class Labels {
  private readonly interval: Interval.Interval
  private readonly clock: WallClock.WallClock
  private readonly length: number
  private readonly grid: number
  /** Where the last date read by `plain` stands, and its midnight. */
  private dateAt = -1
  private midnight = Number.NaN

  constructor(interval: Interval.Interval, clock: WallClock.WallClock) {
    this.interval = interval
    this.clock = clock
    this.length = Interval.isIntraday(interval) ? TIME_LENGTH : DATE_LENGTH
    this.grid = Interval.isIntraday(interval) ? Interval.minutesOf[interval] * MINUTE : DAY
  }

  /** The wall clock of a label, or NaN. */
  read(bytes: Uint8Array, at: number, length: number): number {
    if (length !== this.length) return Number.NaN
    return length === TIME_LENGTH ? WallClock.parseLabel(bytes, at) : WallClock.parseDate(bytes, at)
  }

  /** Why a row with this label is refused, or undefined. */
  problem(local: number, rules: Rule.Rules): string | undefined {
    if (Number.isNaN(local)) return "timestamp not readable"
    if (local % this.grid !== 0 && rules.has("grid")) return `timestamp off the ${this.interval} grid`
    return Number.isNaN(this.clock.toInstant(local)) ? "timestamp does not exist: clocks went forward" : undefined
  }

  /** What `read` gives where `problem` by all rules has nothing to say and clocks do not change on that date; else NaN. */
  plain(bytes: Uint8Array, at: number): number {
    if (!this.sameDate(bytes, at)) {
      const midnight = WallClock.parseDate(bytes, at)
      this.dateAt = at
      this.midnight = Number.isNaN(this.clock.offsetOn(midnight)) ? Number.NaN : midnight
    }
    if (this.length === DATE_LENGTH) return this.midnight
    const time = bytes[at + DATE_LENGTH] === 32 ? WallClock.parseTime(bytes, at + DATE_LENGTH + 1) : Number.NaN
    return time % this.grid === 0 ? this.midnight + time : Number.NaN
  }

  private sameDate(bytes: Uint8Array, at: number): boolean {
    const { dateAt } = this
    if (dateAt < 0) return false
    for (let i = DATE_LENGTH - 1; i >= 0; i--) if (bytes[at + i] !== bytes[dateAt + i]) return false
    return true
  }

  /** Rows and rejects by session, their wall clocks turned into instants in place. `information` is the vendor's sentence. */
  decoded(
    bars: Bars.Bars,
    rejects: ReadonlyArray<Rejected>,
    complete: boolean,
    information: string | undefined
  ): Decoded {
    const isEnd = Interval.isIntraday(this.interval) && namesEnd(bars, information)
    const shift = isEnd ? this.grid : 0
    return {
      sessions: this.bySession(bars, shift),
      rejects: rejects.map(({ local, raw, reason }) => {
        const instant = this.clock.toInstant(local - shift)
        const session = Number.isNaN(local) ? null : WallClock.dateOf(local - shift)
        return { session, ts: Number.isNaN(instant) ? null : instant, reason, raw }
      }),
      complete,
      ...(isEnd ? { labels: "end" } : {})
    }
  }

  private bySession(bars: Bars.Bars, shift: number): ReadonlyArray<Bars.SessionBars> {
    const { ts } = bars
    const sessions: Array<Bars.SessionBars> = []
    for (let from = 0; from < bars.length;) {
      const local = ts[from]! - shift
      const tomorrow = (Math.floor(local / DAY) + 1) * DAY
      const offset = this.clock.offsetOn(local)
      let to = from
      for (; to < bars.length && ts[to]! - shift < tomorrow; to++) {
        ts[to] = Number.isNaN(offset) ? this.clock.toInstant(ts[to]! - shift) : ts[to]! - shift - offset
      }
      sessions.push({ session: WallClock.dateOf(local), bars: slice(bars, from, to) })
      from = to
    }
    return sessions
  }
}

/** `bars.ts` are wall clocks. */
const namesEnd = (bars: Bars.Bars, information: string | undefined): boolean => {
  if (information?.endsWith("prices and volumes") === true) return true
  let hasLast = false
  for (let row = 0; row < bars.length; row++) {
    const time = bars.ts[row]! % DAY
    if (time <= FIRST || time > LAST) return false
    hasLast ||= time === LAST
  }
  return hasLast
}
