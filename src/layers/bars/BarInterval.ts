/** What a bar spans, by the name that the `interval` column has: some minutes, a session, or all sessions of a period. */

/** A calendar week from Monday on, or a calendar month. */
export type Period = "week" | "month"

const periods: { readonly [interval: string]: Period } = { "1week": "week", "1month": "month" }

/** The period that one bar covers; undefined where a session has bars of its own. */
export const periodOf = (interval: string): Period | undefined =>
  Object.hasOwn(periods, interval) ? periods[interval] : undefined

/** Whether a bar has a date and no time: it is all of its session, whatever instant it bears. */
export const isByDate = (interval: string): boolean => interval === "1day" || periodOf(interval) !== undefined

const MINUTE = 60_000

/** Milliseconds, of bars that are not by date: `15min` is fifteen minutes. */
export const widthOf = (interval: string): number => Number.parseInt(interval, 10) * MINUTE
