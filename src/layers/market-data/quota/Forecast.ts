/** What a plan's calls mean for a quota: how many fit today, and the day on which the rest is done. Pure. */
import * as Ledger from "./Ledger.ts"

const MINUTE = 60_000

export interface Forecast {
  readonly calls: number
  /** How many of them fit into what is left of the vendor's current day. */
  readonly today: number
  /** The vendor's date on which the last one is made. */
  readonly doneOn: string
  /** The least time that today's calls take, milliseconds. */
  readonly takes: number
}

/** `used` is what the ledger says of today. Every day from tomorrow on is ours alone. */
export const forecast = (calls: number, limits: Ledger.Limits, used: number, now: number): Forecast => {
  const perDay = limits.perDay ?? Infinity
  const today = Math.min(calls, Math.max(0, perDay - used))
  const days = calls === today ? 0 : Math.ceil((calls - today) / perDay)
  let last = now
  for (let day = 0; day < days; day++) last = Ledger.resetAfter(last, limits)
  return { calls, today, doneOn: Ledger.dayOf(last, limits), takes: takes(today, limits) }
}

const takes = (calls: number, { perMinute = Infinity, perSecond = Infinity }: Ledger.Limits): number =>
  Math.max(0, calls - 1) * Math.max(1000 / perSecond, MINUTE / perMinute)

/** One line of a plan. */
export const text = ({ calls, doneOn, today }: Forecast): string =>
  today === calls
    ? `${calls} calls fit into today's quota`
    : `${today} of ${calls} calls fit into today's quota; at this pace the rest is done on ${doneOn}`
