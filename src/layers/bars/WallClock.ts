/**
 * From a vendor's local time to the instant. Local times are epoch milliseconds of the wall clock read as if it were
 * UTC: they compare, sort and split into dates by plain arithmetic, and the zone is applied once at the end.
 *
 * The offset is looked up once per local date (6 us each); only the two dates a year on which clocks change ask for
 * every minute. A repeated local time means its first occurrence.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

const DAY = 86_400_000

export interface WallClock {
  /** The instant of a local time, or NaN where clocks jumped over it or the local time is NaN. */
  readonly toInstant: (local: number) => number
  /** What is added to UTC on the whole local date of `local`, or NaN where clocks change on that date. */
  readonly offsetOn: (local: number) => number
}

/** Undefined when the runtime does not know the zone. */
export const make = (zone: string): WallClock | undefined => {
  const named = Option.getOrUndefined(DateTime.zoneMakeNamed(zone))
  if (named === undefined) return undefined
  const offsets = new Map<number, number>()
  const offsetOfDay = (day: number): number => {
    const known = offsets.get(day)
    if (known !== undefined) return known
    const [morning, night] = [offsetAt(named, day * DAY), offsetAt(named, (day + 1) * DAY)]
    const offset = morning === night ? morning : Number.NaN
    offsets.set(day, offset)
    return offset
  }
  return {
    toInstant: (local) => {
      if (Number.isNaN(local)) return Number.NaN
      const offset = offsetOfDay(Math.floor(local / DAY))
      return Number.isNaN(offset) ? exact(named, local) : local - offset
    },
    offsetOn: (local) => Number.isNaN(local) ? Number.NaN : offsetOfDay(Math.floor(local / DAY))
  }
}

const zonedAt = (zone: DateTime.TimeZone, local: number): DateTime.Zoned =>
  DateTime.makeZonedUnsafe(local, { timeZone: zone, adjustForTimeZone: true, disambiguation: "earlier" })

const offsetAt = (zone: DateTime.TimeZone, local: number): number => DateTime.zonedOffset(zonedAt(zone, local))

const exact = (zone: DateTime.TimeZone, local: number): number => {
  const zoned = zonedAt(zone, local)
  return zoned.epochMilliseconds + DateTime.zonedOffset(zoned) === local ? zoned.epochMilliseconds : Number.NaN
}

/** `YYYY-MM-DD` of a local time. */
export const dateOf = (local: number): string => new Date(local).toISOString().slice(0, 10)

/** The wall clock of `YYYY-MM-DD HH:MM:SS` in ASCII at `at`, or NaN when the bytes there are none. */
export const parseLabel = (bytes: Uint8Array, at: number): number => {
  const time = bytes[at + 10] === 32 ? parseTime(bytes, at + 11) : Number.NaN
  return parseDate(bytes, at) + time
}

/** Milliseconds from midnight of `HH:MM:SS` at `at`, or NaN. */
export const parseTime = (bytes: Uint8Array, at: number): number => {
  const [hour, minute, second] = [digits(bytes, at, 2), digits(bytes, at + 3, 2), digits(bytes, at + 6, 2)]
  return hour < 24 && minute < 60 && second < 60 && bytes[at + 2] === 58 && bytes[at + 5] === 58
    ? hour * 3_600_000 + minute * 60_000 + second * 1000
    : Number.NaN
}

/** Local midnight of `YYYY-MM-DD` at `at`, or NaN. */
export const parseDate = (bytes: Uint8Array, at: number): number =>
  bytes[at + 4] === 45 && bytes[at + 7] === 45
    ? utcDate(digits(bytes, at, 4), digits(bytes, at + 5, 2), digits(bytes, at + 8, 2))
    : Number.NaN

const digits = (bytes: Uint8Array, at: number, count: number): number => {
  let value = 0
  for (let i = at; i < at + count; i++) {
    const digit = bytes[i]! - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

/** NaN for a date that no calendar has, such as the 30th of February. */
const utcDate = (year: number, month: number, day: number): number => {
  const millis = Date.UTC(year, month - 1, day)
  const date = new Date(millis)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year >= 1000 ? millis : Number.NaN
}
