/**
 * Bars of weeks or months, brought under the sessions that they are kept by. Pure.
 *
 * The vendor labels such a bar with the last trading day in it: of a running week that is the latest one, and the bar
 * changes every day. So a bar belongs to the last session of the period that its label lies in, and bears that session's
 * midnight, as a daily bar does. A label before that session is final where a later bar follows it, as with a halted
 * stock; the newest bar of all waits until a vendor that is late has had its time, as with a stock that was delisted.
 */
import * as Result from "effect/Result"
import type { Period } from "../layers/bars/BarInterval.ts"
import { type Bars, type SessionBars, slice } from "../layers/bars/Bars.ts"
import * as Quality from "../layers/bars/Quality.ts"
import type * as Rule from "../layers/bars/Rule.ts"
import type { Decoded } from "../layers/market-data/MarketData.ts"
import * as Calendar from "../runtime/partition/Calendar.ts"
import * as Zone from "../runtime/partition/Zone.ts"
import * as PeriodCalendar from "./PeriodCalendar.ts"

/** A vendor that lacks the last sessions of a period for longer than this has no more of the series. */
const LATE = 7 * 86_400_000

export interface Facts {
  /** Of periods; see `PeriodCalendar`. */
  readonly calendar: Calendar.Calendar
  readonly period: Period
  /** Epoch milliseconds. */
  readonly fetchedAt: number
  readonly rules: Rule.Rules
}

export const place = (decoded: Decoded, facts: Facts): Decoded => {
  const { calendar, period } = facts
  const sessionOf = (label: string) => PeriodCalendar.sessionOf(calendar, period, label) ?? label
  const zone = Result.getOrThrow(Zone.make(calendar.zone))
  const midnightOf = (session: string) => Zone.toInstant(zone, Date.parse(`${session}T00:00:00Z`), "earlier")
  const sessions: Array<SessionBars> = []
  const rejects: Array<Decoded["rejects"][number]> = decoded.rejects.map((reject) =>
    reject.session === null ? reject : { ...reject, session: sessionOf(reject.session) }
  )
  for (const [at, { bars, session: label }] of decoded.sessions.entries()) {
    const session = sessionOf(label)
    const next = decoded.sessions[at + 1]?.session
    const reason = next === undefined
      ? openReason(label, session, facts)
      : sessionOf(next) === session
      ? `the ${period} has a later bar, of ${next}`
      : undefined
    if (reason === undefined) sessions.push({ session, bars: dated(bars, midnightOf(session)) })
    else rejects.push({ session, reason, raw: Quality.rowText(bars, 0), ts: bars.ts[0]! })
  }
  return { ...decoded, sessions, rejects }
}

/** Of the newest bar, when its label is not yet the period's last session. */
const openReason = (label: string, session: string, { calendar, fetchedAt, period, rules }: Facts) =>
  label < session && rules.has("open_bar") && fetchedAt < Calendar.closesAt(calendar, session) + LATE
    ? `${Quality.STILL_OPEN}: it goes to ${label}, the ${period} to ${session}`
    : undefined

/** A label is a date: there is one row of it. */
const dated = (bars: Bars, ts: number): Bars => ({ ...slice(bars, 0, 1), ts: Float64Array.of(ts) })
