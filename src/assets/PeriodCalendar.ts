/**
 * The calendar of bars that cover a week or a month: its sessions are the last ones of the periods, so that each has one
 * bar, is there when its period is over, and is told apart from those without any.
 *
 * The week before a Good Friday ends on Thursday, the one of Thanksgiving with a half day at 13:00.
 */
import type { Period } from "../layers/bars/BarInterval.ts"
import * as Calendar from "../runtime/partition/Calendar.ts"

const DAY = 86_400_000

/** The period's first date: Monday, or the first of the month. */
export const startOf = (period: Period, date: string): string => {
  if (period === "month") return `${date.slice(0, 7)}-01`
  const midnight = Date.parse(`${date}T00:00:00Z`)
  // Sunday is 0, and the last day of its week.
  const fromMonday = (new Date(midnight).getUTCDay() + 6) % 7
  return new Date(midnight - fromMonday * DAY).toISOString().slice(0, 10)
}

const make = (calendar: Calendar.Calendar, period: Period): Calendar.Calendar => {
  const sessions = Calendar.allSessions(calendar)
  const inside = sessions.filter((session, at) => {
    const next = sessions[at + 1]
    return next !== undefined && startOf(period, next) === startOf(period, session)
  })
  return {
    ...calendar,
    name: `${calendar.name} ${period}s`,
    holidays: new Set([...calendar.holidays, ...inside])
  }
}

const known = new WeakMap<Calendar.Calendar, { readonly [P in Period]: Calendar.Calendar }>()

/** The same object for the same calendar and period. */
export const of = (calendar: Calendar.Calendar, period: Period): Calendar.Calendar => {
  const found = known.get(calendar) ?? { week: make(calendar, "week"), month: make(calendar, "month") }
  known.set(calendar, found)
  return found[period]
}

/** The last session of the period that a date lies in, on a calendar of such periods; undefined where it knows none. */
export const sessionOf = (self: Calendar.Calendar, period: Period, date: string): string | undefined => {
  const start = startOf(period, date)
  const session = Calendar.allSessions(self)[Calendar.indexAtOrAfter(self, start)]
  return session !== undefined && startOf(period, session) === start ? session : undefined
}
