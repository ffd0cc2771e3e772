/** The next message of a channel, of all that it does not know yet. Pure. */
import * as Alert from "./Alert.ts"
import * as Incident from "./Incident.ts"

/** An incident, and what the channel was last told of it. */
export interface Pending {
  readonly incident: Incident.Incident
  readonly told: Incident.Told | undefined
}

export type Next =
  | { readonly _tag: "Tell"; readonly message: Alert.Message; readonly of: ReadonlyArray<Pending> }
  /** Until then there is nothing to tell; Infinity when nothing is due by time alone. */
  | { readonly _tag: "Wait"; readonly until: number }

/** More notices than these at once are one message: five are read, a screenful is not. */
const FLOOD = 5

/** So many of a flood are named. */
const NAMED = 10

/** Time that was told by a clock which was set back since would be waited for in vain. */
const isDue = (at: number, now: number): boolean => at <= now || at > now + Incident.REMIND

const byWeight = (a: Alert.Notice, b: Alert.Notice): number =>
  Alert.SEVERITIES.indexOf(b.severity) - Alert.SEVERITIES.indexOf(a.severity) ||
  Number(a.change === "resolved") - Number(b.change === "resolved") ||
  a.openedAt - b.openedAt

const flood = (notices: ReadonlyArray<Alert.Notice>): Alert.Flood => {
  const resolved = notices.filter(({ change }) => change === "resolved").length
  const events = notices.filter(({ change }) => change === "event").length
  return {
    notices: notices.toSorted(byWeight).slice(0, NAMED),
    more: Math.max(0, notices.length - NAMED),
    open: notices.length - resolved - events,
    resolved,
    command: "barograph alert list"
  }
}

interface Found extends Pending {
  readonly due: Incident.Due
}

/** What is not told and why not yet: the oldest first. */
export const unheard = (pending: ReadonlyArray<Pending>, since: number): ReadonlyArray<Found> =>
  pending.flatMap((one) => {
    const due = Incident.due(one.incident, one.told, since)
    return due === undefined ? [] : [{ ...one, due }]
  }).sort((a, b) => a.incident.changedAt - b.incident.changedAt)

/** What the channel should know by now. */
export const overdue = (pending: ReadonlyArray<Pending>, since: number, now: number): ReadonlyArray<Found> =>
  unheard(pending, since).filter(({ due }) => isDue(due.at, now))

export const next = (pending: ReadonlyArray<Pending>, since: number, now: number): Next => {
  const found = overdue(pending, since, now)
  const [first] = found
  if (first === undefined) {
    const later = unheard(pending, since).map(({ due }) => due.at)
    return { _tag: "Wait", until: later.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY) }
  }
  const noticeOf = ({ due, incident, told }: Found) => Incident.notice(incident, told, due.change)
  return found.length > FLOOD
    ? { _tag: "Tell", message: { _tag: "Flood", flood: flood(found.map(noticeOf)) }, of: found }
    : { _tag: "Tell", message: { _tag: "Notice", notice: noticeOf(first) }, of: [first] }
}
