/**
 * Trading calendars: which local dates are sessions, and when a session opens and closes.
 *
 * A calendar is data (weekdays, holidays, early closes) between two dates; outside of them nothing is known and nothing
 * is a session. Dates are `YYYY-MM-DD` in the calendar's zone, instants are epoch milliseconds.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

export interface Calendar {
  /** Market identifier code (ISO 10383), e.g. `XNYS`. */
  readonly name: string
  /** IANA zone of the exchange. */
  readonly zone: string
  /** First and last date that the tables below cover. */
  readonly first: string
  readonly last: string
  /** ISO weekdays with sessions: 1 is Monday. */
  readonly weekdays: ReadonlyArray<number>
  /** Regular hours, local `HH:MM`. */
  readonly open: string
  readonly close: string
  readonly holidays: ReadonlySet<string>
  /** Date to local closing time of half days. */
  readonly earlyCloses: ReadonlyMap<string, string>
}

const DAY = 86_400_000

const dayNumber = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY

const dateOf = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10)

/** Day 0, 1970-01-01, was a Thursday. */
const weekdayOf = (day: number): number => ((day + 3) % 7 + 7) % 7 + 1

/** True when the exchange has a session on that local date. */
export const isSession = (self: Calendar, date: string): boolean =>
  date >= self.first && date <= self.last && self.weekdays.includes(weekdayOf(dayNumber(date))) &&
  !self.holidays.has(date)

/** Sessions from one date to another, both inclusive, ascending. */
export const sessionsBetween = (self: Calendar, from: string, to: string): ReadonlyArray<string> => {
  const sessions: Array<string> = []
  const last = dayNumber(to < self.last ? to : self.last)
  for (let day = dayNumber(from > self.first ? from : self.first); day <= last; day++) {
    const date = dateOf(day)
    if (isSession(self, date)) sessions.push(date)
  }
  return sessions
}

/** The local closing time, `HH:MM`, half days included. */
export const closingTime = (self: Calendar, session: string): string => self.earlyCloses.get(session) ?? self.close

const instant = (self: Calendar, date: string, time: string): number =>
  Option.getOrThrow(DateTime.makeZoned(`${date}T${time}:00`, { timeZone: self.zone, adjustForTimeZone: true }))
    .epochMilliseconds

/** When the session's regular hours begin. */
export const opensAt = (self: Calendar, session: string): number => instant(self, session, self.open)

/** Zones are slow to ask (some 30 us), and every partition of a session asks the same. */
const closes = new WeakMap<Calendar, Map<string, number>>()

/** When the session ends: its partition exists from then on. */
export const closesAt = (self: Calendar, session: string): number => {
  let known = closes.get(self)
  if (known === undefined) closes.set(self, known = new Map())
  let close = known.get(session)
  if (close === undefined) known.set(session, close = instant(self, session, closingTime(self, session)))
  return close
}
