/** The calendar of markets that never close: every day is a session, from midnight to midnight UTC. */
import type { Calendar } from "../runtime/partition/Calendar.ts"

export const utcDays: Calendar = {
  name: "24/7",
  zone: "UTC",
  first: "2009-01-03",
  last: "2099-12-31",
  weekdays: [1, 2, 3, 4, 5, 6, 7],
  open: "00:00",
  close: "24:00",
  holidays: new Set(),
  earlyCloses: new Map()
}
