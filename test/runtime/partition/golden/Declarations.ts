/** The time dimensions of the golden file, each over days on which clocks change. */
import { nyse } from "../../../../src/assets/nyse.ts"
import * as TimeWindows from "../../../../src/runtime/partition/TimeWindows.ts"

export interface Declaration {
  readonly zone: string
  /** As the golden file calls it. */
  readonly name: string
  /** Undefined for sessions. */
  readonly cron: string | undefined
  readonly start: string
  readonly end: string
  readonly dimension: TimeWindows.TimeDimension
}

/** Local dates on which clocks changed in 2013; Kolkata, where none did, takes those of Berlin. */
const changes: Readonly<Record<string, ReadonlyArray<string>>> = {
  "Europe/Berlin": ["2013-03-31", "2013-10-27"],
  "America/New_York": ["2013-03-10", "2013-11-03"],
  "Asia/Kolkata": ["2013-03-31", "2013-10-27"],
  "Australia/Lord_Howe": ["2013-04-07", "2013-10-06"]
}

const shift = (date: string, days: number): string =>
  new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10)

const year = { start: "2013-01-01", end: "2014-01-01" }

const ofCron = (text: string, zone: string, span: { readonly start: string; readonly end: string }): Declaration => ({
  zone,
  name: text,
  cron: text,
  ...span,
  dimension: TimeWindows.cron(text, { zone, ...span })
})

const overChange = (zone: string, date: string): ReadonlyArray<Declaration> => {
  const span = { start: shift(date, -1), end: shift(date, 1) }
  const night = { start: `${date}T00:00`, end: `${date}T06:00` }
  return [
    { zone, name: "hourly", cron: "0 * * * *", ...span, dimension: TimeWindows.hourly({ zone, ...span }) },
    {
      zone,
      name: "hourly:45",
      cron: "45 * * * *",
      ...span,
      dimension: TimeWindows.hourly({ zone, ...span, minuteOffset: 45 })
    },
    ofCron("*/15 * * * *", zone, night),
    ofCron("30 1,2,3 * * *", zone, span),
    ofCron("0,20,40 0-4 * * *", zone, span)
  ]
}

const overYear = (zone: string): ReadonlyArray<Declaration> => {
  const daily = TimeWindows.daily({ zone, ...year, hourOffset: 2, minuteOffset: 15 })
  return [
    { zone, name: "daily:02:15", cron: "15 2 * * *", ...year, dimension: daily },
    { zone, name: "weekly", cron: "0 0 * * 1", ...year, dimension: TimeWindows.weekly({ zone, ...year }) },
    { zone, name: "monthly", cron: "0 0 1 * *", ...year, dimension: TimeWindows.monthly({ zone, ...year }) },
    ofCron("0 2 1 * 0", zone, year)
  ]
}

const autumn = { start: "2013-11-01", end: "2014-01-01" }

export const declarations: ReadonlyArray<Declaration> = [
  ...Object.entries(changes).flatMap(([zone, dates]) => [
    ...dates.flatMap((date) => overChange(zone, date)),
    ...overYear(zone)
  ]),
  { zone: nyse.zone, name: "sessions XNYS", cron: undefined, ...autumn, dimension: TimeWindows.sessions(nyse, autumn) }
]
