/** What every `BarStore` agrees on: which requests make sense, and how their texts are kept. */
import { type Bars, contentHash, type Reject } from "../bars/Bars.ts"
import * as SessionWindow from "../bars/SessionWindow.ts"
import type { StagedSession, StageRequest } from "./BarStore.ts"

/** Why the request breaks the rules of `Bars`: rows near their session, in order, one per instant; one entry per session. */
export const violation = ({ sessions }: StageRequest): string | undefined => {
  const seen = new Set<string>()
  for (const { bars, session } of sessions) {
    if (seen.has(session)) return `session ${session} is given twice`
    seen.add(session)
    const stray = SessionWindow.stray(bars, session)
    if (stray !== undefined) return `session ${session}: ${stray}`
    if (!ascends(bars)) return `the bars of ${session} are not in order, one per instant`
  }
  return follow(sessions) ? undefined : sharedInstant(sessions)
}

const ascends = ({ length, ts }: Bars): boolean => {
  for (let at = 1; at < length; at++) if (!(ts[at]! > ts[at - 1]!)) return false
  return true
}

/** Whether each session begins after another has ended, as a market's do: then no instant is in two of them. */
const follow = (sessions: StageRequest["sessions"]): boolean => {
  const inTime = sessions.map(({ bars }) => bars).filter(({ length }) => length > 0).sort((a, b) => a.ts[0]! - b.ts[0]!)
  return inTime.every(({ ts }, at) => at === 0 || ts[0]! > inTime[at - 1]!.ts[inTime[at - 1]!.length - 1]!)
}

/** Every instant is looked up: only for sessions that overlap. */
const sharedInstant = (sessions: StageRequest["sessions"]): string | undefined => {
  const owners = new Map<number, string>()
  for (const { bars, session } of sessions) {
    for (const ts of bars.ts) {
      const owner = owners.get(ts)
      if (owner !== undefined) return `${new Date(ts).toISOString()} is in two sessions, ${owner} and ${session}`
      owners.set(ts, session)
    }
  }
  return undefined
}

/** A cut-off payload cannot replace rows, and a session has one interval. */
export const mixed = (request: StageRequest, session: string): string =>
  `${request.symbol} ${session} is staged in another interval, and the payload ${request.payload} is cut off: ` +
  `its ${request.interval} bars can only replace those rows once it is complete`

/** PostgreSQL's text holds no NUL; a lone surrogate is no Unicode text. The payload has the original. */
export const storable = (text: string): string => text.replaceAll("\0", "␀").toWellFormed()

// Years 1 to 9999: a vendor's nonsense date must not hinder storing the row that it makes invalid.
const EARLIEST = -62_135_596_800_000
const LATEST = 253_402_300_799_999

/** A reject as it is kept, with the session it belongs to, if any. */
export interface QuarantinedReject extends Reject {
  readonly session: string | null
}

/** Every reject of the request. */
export const quarantined = ({ sessions, unplaced }: StageRequest): ReadonlyArray<QuarantinedReject> => [
  ...sessions.flatMap(({ rejects, session }) => rejects.map((reject) => ({ session, ...kept(reject) }))),
  ...unplaced.map((reject) => ({ session: null, ...kept(reject) }))
]

const kept = ({ raw, reason, ts }: Reject): Reject => ({
  reason: storable(reason),
  raw: storable(raw),
  ts: ts !== null && ts >= EARLIEST && ts <= LATEST ? Math.trunc(ts) : null
})

export interface Counts {
  readonly inserted: number
  readonly unchanged: number
  readonly restated: number
  readonly removed: number
  /** Rows that an incomplete payload lacks. */
  readonly kept: number
  /** Those of them that have another interval. */
  readonly mixed: number
}

/** `held` is what the store now has; the payload's own bars, where it need not be asked. */
export const staged = (
  { bars, rejects, session }: StageRequest["sessions"][number],
  { inserted, kept, removed, restated, unchanged }: Counts,
  held: Bars = bars
): StagedSession => ({
  session,
  rows: bars.length + kept,
  inserted,
  unchanged,
  restated,
  removed,
  rejected: rejects.length,
  contentHash: contentHash(held)
})
