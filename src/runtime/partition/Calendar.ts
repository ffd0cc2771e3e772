/**
 * Trading calendars: which local dates are sessions, and when a session opens and closes.
 *
 * A calendar is data (weekdays, holidays, early closes) between two dates; outside of them nothing is known and nothing
 * is a session. Dates are `YYYY-MM-DD` in the calendar's zone, instants are epoch milliseconds. Sessions are laid out
 * once per calendar; the rest is bisection and arithmetic.
 */
import * as Result from "effect/Result"
import * as Zone from "./Zone.ts"

export interface Calendar<out Name extends string = string> {
  /** Market identifier code (ISO 10383), e.g. `XNYS`. */
  readonly name: Name
  /** IANA zone of the exchange. */
  readonly zone: string
  /** First and last date that the tables below cover. */
  readonly first: string
  readonly last: string
  /** ISO weekdays with sessions: 1 is Monday. */
  readonly weekdays: ReadonlyArray<number>
  /** Regular hours, local `HH:MM`; a close at `24:00` is the next midnight. */
  readonly open: string
  readonly close: string
  readonly holidays: ReadonlySet<string>
  /** Date to local closing time of half days. */
  readonly earlyCloses: ReadonlyMap<string, string>
  /** From the pre-market's open to the post-market's close, which is another one on half days. */
  readonly extended?: { readonly open: string; readonly close: string; readonly earlyClose: string }
}

/** Regular hours, or those with the pre- and post-market around them. */
export type Hours = "regular" | "extended"

/** Every day from midnight to midnight, UTC: markets that never close. */
export const continuous: Calendar<"24/7"> = {
  name: "24/7",
  zone: "UTC",
  first: "1970-01-01",
  last: "2099-12-31",
  weekdays: [1, 2, 3, 4, 5, 6, 7],
  open: "00:00",
  close: "24:00",
  holidays: new Set(),
  earlyCloses: new Map()
}

const MINUTE = 60_000
const DAY = 86_400_000

const dayNumber = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY

const dateOf = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10)

/** Day 0, 1970-01-01, was a Thursday. */
const weekdayOf = (day: number): number => ((day + 3) % 7 + 7) % 7 + 1

/** True when the exchange has a session on that local date. */
export const isSession = (self: Calendar, date: string): boolean =>
  date >= self.first && date <= self.last && self.weekdays.includes(weekdayOf(dayNumber(date))) &&
  !self.holidays.has(date)

const sessions = new WeakMap<Calendar, ReadonlyArray<string>>()

/** Every session that the calendar knows, ascending. */
export const allSessions = (self: Calendar): ReadonlyArray<string> => {
  const known = sessions.get(self)
  if (known !== undefined) return known
  const dates: Array<string> = []
  const last = dayNumber(self.last)
  for (let day = dayNumber(self.first); day <= last; day++) {
    if (!self.weekdays.includes(weekdayOf(day))) continue
    const date = dateOf(day)
    if (!self.holidays.has(date)) dates.push(date)
  }
  sessions.set(self, dates)
  return dates
}

/** The index in `allSessions` of the first session at or after a date; their number when there is none. */
export const indexAtOrAfter = (self: Calendar, date: string): number => {
  const dates = allSessions(self)
  let [low, high] = [0, dates.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (dates[middle]! < date) low = middle + 1
    else high = middle
  }
  return low
}

/** Sessions from one date to another, both inclusive, ascending. */
export const sessionsBetween = (self: Calendar, from: string, to: string): ReadonlyArray<string> => {
  const end = indexAtOrAfter(self, to)
  return allSessions(self).slice(indexAtOrAfter(self, from), allSessions(self)[end] === to ? end + 1 : end)
}

/** The local closing time, `HH:MM`, half days included. */
export const closingTime = (self: Calendar, session: string, hours: Hours = "regular"): string => {
  const early = self.earlyCloses.get(session)
  if (hours === "regular" || self.extended === undefined) return early ?? self.close
  return early === undefined ? self.extended.close : self.extended.earlyClose
}

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))

/** NaN when the calendar's zone is none, which `problem` says. */
const instant = (self: Calendar, date: string, time: string): number => {
  const zone = Zone.make(self.zone)
  if (Result.isFailure(zone)) return Number.NaN
  return Zone.toInstant(zone.success, dayNumber(date) * DAY + minutesOf(time) * MINUTE, "earlier")
}

/** When the session begins. */
export const opensAt = (self: Calendar, session: string, hours: Hours = "regular"): number =>
  instant(self, session, hours === "extended" && self.extended !== undefined ? self.extended.open : self.open)

/** When the session ends: its partition exists from then on. */
export const closesAt = (self: Calendar, session: string, hours: Hours = "regular"): number =>
  instant(self, session, closingTime(self, session, hours))

const TIME = /^([01]\d|2[0-3]):[0-5]\d$|^24:00$/

const wrongHours = (self: Calendar): string | undefined => {
  const closes = [self.close, ...self.earlyCloses.values()]
  const { close, earlyClose, open } = self.extended ?? { ...self, earlyClose: "24:00" }
  const time = [self.open, open, ...closes, close, earlyClose].find((text) => !TIME.test(text))
  if (time !== undefined) return `"${time}" is not a time of day, as in 09:30.`
  const early = closes.find((text) => text <= self.open)
  if (early !== undefined) return `It closes at ${early}, not after it opens at ${self.open}.`
  if (open > self.open) return `Its extended hours, from ${open}, do not begin before its regular ones.`
  const late = closes.find((text, at) => text > (at === 0 ? close : earlyClose))
  if (late === undefined) return undefined
  return `Its extended hours end at ${late === self.close ? close : earlyClose}, before its regular ones at ${late}.`
}

/** What is wrong with the calendar's data, in a sentence; undefined when nothing is. */
export const problem = (self: Calendar): string | undefined => {
  const zone = Zone.make(self.zone)
  if (Result.isFailure(zone)) return zone.failure
  const date = [self.first, self.last, ...self.holidays, ...self.earlyCloses.keys()].find((text) => !Zone.isDate(text))
  if (date !== undefined) return `"${date}" is not a date, as in 2013-10-04.`
  if (self.first > self.last) return `Its last date, ${self.last}, is before its first, ${self.first}.`
  return wrongHours(self)
}
