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
  return {
    dayOf: (instant) => {
      const hour = Math.floor(instant / HOUR)
      let offset = offsets.get(hour)
      if (offset === undefined) {
        offset = DateTime.zonedOffset(DateTime.makeZonedUnsafe(hour * HOUR, { timeZone }))
        offsets.set(hour, offset)
      }
      return Math.floor((instant + offset) / DAY)
    }
  }
}

/** `YYYY-MM-DD` of a day number. */
export const dateOf = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10)

/** Ascending bars, split where the local date changes. The parts share memory with `bars`. */
export const sessions = ({ dayOf }: LocalDates, bars: Bars): ReadonlyArray<SessionBars> => {
  const found: Array<SessionBars> = []
  let from = 0
  for (let row = 0; row < bars.length; row++) {
    const day = dayOf(bars.ts[row]!)
    if (row + 1 < bars.length && dayOf(bars.ts[row + 1]!) === day) continue
    found.push({ session: dateOf(day), bars: slice(bars, from, row + 1) })
    from = row + 1
  }
  return found
}
