/**
 * Where in time the bars of a session can lie. Sessions are local dates: with evening hours and any zone, a bar begins less
 * than a day before its session's UTC midnight and less than two days after it. Stores refuse others, so that they find a
 * session by its symbol and time.
 */
import type { Bars } from "./Bars.ts"

const DAY = 86_400_000

/** Half-open, in epoch milliseconds. */
export interface Window {
  readonly from: number
  readonly to: number
}

export const of = (session: string): Window => {
  const midnight = Date.parse(session)
  return { from: midnight - DAY, to: midnight + 2 * DAY }
}

/** What is wrong with bars of which one cannot belong to the session; undefined when all can. */
export const stray = ({ length, ts }: Bars, session: string): string | undefined => {
  const { from, to } = of(session)
  for (let at = 0; at < length; at++) {
    if (!(ts[at]! >= from && ts[at]! < to)) return `a bar at ${instant(ts[at]!)} cannot belong to this session`
  }
  return undefined
}

/** For a person, also what is no instant. */
export const instant = (ts: number): string => Math.abs(ts) <= 8.64e15 ? new Date(ts).toISOString() : String(ts)

/** From the first of these sessions to the last; of none, nothing. */
export const hull = (sessions: ReadonlyArray<string>): Window => {
  if (sessions.length === 0) return { from: 0, to: 0 }
  const [first, last] = sessions.reduce(
    ([first, last], one) => [one < first ? one : first, one > last ? one : last] as const,
    [sessions[0]!, sessions[0]!] as const
  )
  return { from: of(first).from, to: of(last).to }
}

/** In order of time, those that touch as one: as many as there are gaps of days between the sessions, and one more. */
export const joined = (sessions: ReadonlyArray<string>): ReadonlyArray<Window> => {
  const found: Array<Window> = []
  for (const session of [...sessions].sort()) {
    const { from, to } = of(session)
    const last = found.at(-1)
    if (last === undefined || last.to < from) found.push({ from, to })
    else found[found.length - 1] = { from: last.from, to }
  }
  return found
}
