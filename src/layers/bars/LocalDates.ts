/**
 * From an instant to the local date, for sources that send instants: a session is the exchange's local date. The offset
 * is looked up once per hour (6 us), because zones change on the hour.
 */
import * as DateTime from "effect/DateTime"
import { type Bars, type SessionBars, slice } from "./Bars.ts"

const HOUR = 3_600_000
const DAY = 24 * HOUR

export interface LocalDates {
  /** Days since 1970-01-01 on the local calendar. */
  readonly dayOf: (instant: number) => number
}

export const make = (zone: string): LocalDates => {
  const timeZone = DateTime.zoneMakeNamedUnsafe(zone)
  const offsets = new Map<number, number>()
  // Rows come in order: the hour is mostly the one of the row before.
  let [lastHour, lastOffset] = [Number.NaN, 0]
  const offsetAt = (hour: number): number => {
    let offset = offsets.get(hour)
    if (offset === undefined) {
      offset = DateTime.zonedOffset(DateTime.makeZonedUnsafe(hour * HOUR, { timeZone }))
      offsets.set(hour, offset)
    }
    return offset
  }
  return {
    dayOf: (instant) => {
      const hour = Math.floor(instant / HOUR)
      if (hour !== lastHour) {
        lastOffset = offsetAt(hour)
        lastHour = hour
      }
      return Math.floor((instant + lastOffset) / DAY)
    }
  }
}

/** `YYYY-MM-DD` of a day number. */
export const dateOf = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10)

/** Ascending bars, split where the local date changes. The parts share memory with `bars`. */
export const sessions = ({ dayOf }: LocalDates, bars: Bars): ReadonlyArray<SessionBars> => {
  const found: Array<SessionBars> = []
  let [from, day] = [0, Number.NaN]
  for (let row = 0; row <= bars.length; row++) {
    const next = row < bars.length ? dayOf(bars.ts[row]!) : Number.NaN
    if (next === day) continue
    if (row > from) found.push({ session: dateOf(day), bars: slice(bars, from, row) })
    from = row
    day = next
  }
  return found
}
