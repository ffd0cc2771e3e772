/**
 * The pure half of staging: what a request must fulfil, how it is cut into statements of bounded size, and what a
 * rejected row looks like in a table.
 */
import * as Crypto from "node:crypto"
import * as Bars from "../bars/Bars.ts"
import type { Reject, SessionBars } from "../bars/Bars.ts"
import type { StageRequest } from "./BarStore.ts"

/** About 5 MB on the wire; more rows a statement are no faster. A session is never split. */
const rowsPerBatch = 50_000
/** A refused row is a line, not a document: the payload has the rest. */
const rawLimit = 8_192
const day = 86_400_000

export interface Batch {
  readonly sessions: ReadonlyArray<SessionBars>
  readonly rows: number
  /** Every bar of these sessions, staged now or before, starts in `[from, to)`. */
  readonly from: number
  readonly to: number
}

export interface QuarantinedRow {
  readonly session: string | null
  readonly ts: number | null
  readonly reason: string
  readonly raw: string
  readonly digest: string
}

/** The bars of a session may start from the day before its date to the day after, in UTC: zones and evening openings. */
export const startsIn = (session: string): readonly [from: number, to: number] => {
  const date = Date.parse(`${session}T00:00:00Z`)
  return [date - day, date + 2 * day]
}

/** What is wrong with a request, or undefined. A violation is a bug of the caller, and would corrupt tables silently. */
export const violation = (request: StageRequest): string | undefined => {
  let last: { readonly session: string; readonly ts: number } = { session: "", ts: -Infinity }
  for (const { bars, session } of bySession(request.sessions)) {
    if (session === last.session) return `session ${session} is in the request twice`
    const [from, to] = startsIn(session)
    if (!(from < to)) return `${session} is not a session: expected YYYY-MM-DD`
    for (let i = 0; i < bars.length; i++) {
      const ts = bars.ts[i]!
      if (!(ts > last.ts)) return `bars of session ${session} are not in order at ${iso(ts)}`
      if (!(ts >= from && ts < to)) return `the bar at ${iso(ts)} does not belong to session ${session}`
      if (!Number.isSafeInteger(bars.volume[i])) return `volume ${bars.volume[i]} at ${iso(ts)} is not a whole number`
      last = { session, ts }
    }
    last = { session, ts: last.ts }
  }
  return undefined
}

const iso = (ts: number): string => Math.abs(ts) <= 8.64e15 ? new Date(ts).toISOString() : String(ts)

const bySession = <A extends SessionBars>(sessions: ReadonlyArray<A>): ReadonlyArray<A> =>
  sessions.toSorted((a, b) => a.session < b.session ? -1 : a.session > b.session ? 1 : 0)

/** Sessions in order, cut into batches. No session at all: no batch. */
export const batches = (sessions: ReadonlyArray<SessionBars>): ReadonlyArray<Batch> => {
  const result: Array<Batch> = []
  let group: Array<SessionBars> = []
  let rows = 0
  for (const session of bySession(sessions)) {
    if (group.length > 0 && rows + session.bars.length > rowsPerBatch) {
      result.push(batch(group, rows))
      group = []
      rows = 0
    }
    group.push(session)
    rows += session.bars.length
  }
  if (group.length > 0) result.push(batch(group, rows))
  return result
}

const batch = (sessions: ReadonlyArray<SessionBars>, rows: number): Batch => ({
  sessions,
  rows,
  from: startsIn(sessions[0]!.session)[0],
  to: startsIn(sessions.at(-1)!.session)[1]
})

/** Hashed as stored: a table has no negative zero, and a volume of `-0` must not look like a change for ever. */
export const contentHash = (bars: Bars.Bars): string =>
  Bars.contentHash(bars.volume.some((volume) => Object.is(volume, -0)) ? withoutNegativeZero(bars) : bars)

const withoutNegativeZero = (bars: Bars.Bars): Bars.Bars => ({ ...bars, volume: bars.volume.map((v) => v + 0) })

/** Every reject of a request. The digest names it, so that staging the same payload again leaves its row alone. */
export const quarantined = (request: StageRequest): ReadonlyArray<QuarantinedRow> => {
  const seen = new Map<string, number>()
  return [
    ...request.sessions.flatMap(({ rejects, session }) => rejects.map((reject) => row(reject, session))),
    ...request.unplaced.map((reject) => row(reject, null))
  ]

  function row(reject: Reject, session: string | null): QuarantinedRow {
    const ts = reject.ts !== null && reject.ts >= firstInstant && reject.ts < lastInstant ? Math.trunc(reject.ts) : null
    const cells = { session, ts, reason: clean(reject.reason), raw: clean(reject.raw) }
    const identity = JSON.stringify([session ?? request.month, ts, cells.reason, cells.raw])
    const repeats = seen.get(identity) ?? 0
    seen.set(identity, repeats + 1)
    return { ...cells, digest: Crypto.createHash("sha256").update(`${repeats}:${identity}`).digest("hex").slice(0, 32) }
  }
}

// Years 0 to 9999: a nonsense time in a refused row must not break the insert.
const firstInstant = -62_167_219_200_000
const lastInstant = 253_402_300_800_000

/** PostgreSQL text holds neither NUL nor half a surrogate pair. */
const clean = (text: string): string => {
  const cut = text.length > rawLimit ? `${text.slice(0, rawLimit)}… (${text.length} characters)` : text
  return cut.replaceAll("\0", "\u2400").toWellFormed()
}
