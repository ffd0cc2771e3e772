/** Instants as vendors write them into rows, read in place. One reader serves one payload: it remembers the last date. */
import * as WallClock from "../bars/WallClock.ts"
import * as JsonBytes from "./JsonBytes.ts"
import * as JsonWalk from "./JsonWalk.ts"

const LATEST = 8_640_000_000_000_000

/** Epoch milliseconds from the digits between two positions, or NaN. */
export const millis = (bytes: Uint8Array, from: number, to: number): number => {
  const value = JsonWalk.decimal(bytes, from, to)
  return Number.isSafeInteger(value) && value >= 0 && value <= LATEST ? value : Number.NaN
}

/** Of `YYYY-MM-DDTHH:MM:SSZ`, of its date, and of its date and hour. */
export const LENGTH = 20
const DATE = 10
const HOUR = 13
const ZERO = 48
const COLON = 58
const LETTER_T = 84
const LETTER_Z = 90

/** The instant of the RFC 3339 string between two positions, quotes included, or NaN. */
export const rfc3339 = (bytes: Uint8Array, from: number, to: number): number => {
  const quick = to - from === LENGTH + 2 ? new Dates(bytes).plain(from + 1) : Number.NaN
  if (!Number.isNaN(quick)) return quick
  const parsed = JsonBytes.parsed(bytes, from, to)
  return typeof parsed === "string" && RFC_3339.test(parsed) && exists(parsed.slice(0, DATE))
    ? Date.parse(parsed)
    : Number.NaN
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** `Date.parse` takes the 30th of February for the 1st of March. */
const exists = (date: string): boolean => {
  const instant = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(date)
}

/** Reads `YYYY-MM-DDTHH:MM:SSZ`; the hour is mostly the one of the row before. */
export class Dates {
  private readonly bytes: Uint8Array
  private readonly view: DataView
  /** Where the last hour stands, -1 before the first. */
  private hourAt = -1
  private hour = Number.NaN

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** The instant at `at`, or NaN where it is written in another form. The bytes go on for the length of one at least. */
  plain(at: number): number {
    const { bytes } = this
    if (bytes[at + HOUR] !== COLON || bytes[at + HOUR + 3] !== COLON || bytes[at + LENGTH - 1] !== LETTER_Z) {
      return Number.NaN
    }
    if (this.hourAt === -1 || !this.sameHour(at)) {
      this.hourAt = at
      this.hour = bytes[at + DATE] === LETTER_T
        ? WallClock.parseDate(bytes, at) + WallClock.parseTime(bytes, at + DATE + 1) - this.rest(at)
        : Number.NaN
    }
    return this.hour + this.rest(at)
  }

  /** Whether the first thirteen bytes are the last ones: compared four at a time. */
  private sameHour(at: number): boolean {
    const { hourAt, view } = this
    return view.getInt32(at) === view.getInt32(hourAt) && view.getInt32(at + 4) === view.getInt32(hourAt + 4) &&
      view.getInt32(at + 8) === view.getInt32(hourAt + 8) && view.getInt32(at + 9) === view.getInt32(hourAt + 9)
  }

  /** Milliseconds from the full hour. */
  private rest(at: number): number {
    const { bytes } = this
    const [a, b] = [bytes[at + 14]! - ZERO, bytes[at + 15]! - ZERO]
    const [c, d] = [bytes[at + 17]! - ZERO, bytes[at + 18]! - ZERO]
    const isTime = a >= 0 && a < 6 && b >= 0 && b < 10 && c >= 0 && c < 6 && d >= 0 && d < 10
    return isTime ? (a * 10 + b) * 60_000 + (c * 10 + d) * 1000 : Number.NaN
  }
}
