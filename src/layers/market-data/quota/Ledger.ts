/**
 * The arithmetic of quotas: from what was called before to when the next call may start. Pure.
 *
 * A window is a list of starts within the last second or minute; a start fits when the costs in the window before it
 * leave room. Starts never go back, so whoever asks first goes first. The list is kept short by summing calls of one
 * 120th of the window under their latest start, which is never too early and at most that much too late.
 *
 * When the vendor's day begins is an assumption. Told that the day is used up, the ledger believes it until the assumed
 * reset if a call was accepted since the last one. If none was, the vendor says so, though it accepted no call today: calls wait for
 * `TRIAL`, then one is let through, and the others only when it was accepted. Refused calls are not counted: they would
 * use up a day that has not begun.
 */
import * as DateTime from "effect/DateTime"

/** What a plan allows; an absent limit is none. */
export interface Limits {
  readonly perSecond?: number
  readonly perMinute?: number
  readonly perDay?: number
  /** The day begins at midnight here; UTC when not given. */
  readonly resetZone?: string
}

type Starts = ReadonlyArray<readonly [start: number, cost: number]>

/** What is remembered of an account. Plain JSON. */
export interface Ledger {
  readonly second: Starts
  readonly minute: Starts
  /** The vendor's date that `used` belongs to. */
  readonly day: string
  readonly used: number
  readonly latest: number
  readonly closedUntil: number
  readonly closedWhy: string
  /** The vendor's date on which a call was last accepted. Absent in ledgers of earlier versions. */
  readonly acceptedOn?: string
  /** The next call is let through alone: the vendor refused all since the day's assumed beginning. */
  readonly onTrial?: boolean
}

export const empty: Ledger = {
  second: [],
  minute: [],
  day: "",
  used: 0,
  latest: 0,
  closedUntil: 0,
  closedWhy: ""
}

export interface Reserved {
  readonly _tag: "Reserved"
  readonly start: number
  readonly ledger: Ledger
}

export interface Closed {
  readonly _tag: "Closed"
  readonly until: number
  readonly why: string
}

/** Clocks and networks jitter: two calls a second apart here may reach the vendor closer together. */
const SECOND = 1050
const MINUTE = 60_000
/** A reset or a pause that is nearer than this is waited for; a step that waited longer would run into its timeout. */
const PATIENCE = 2 * MINUTE
const PARTS = 120
/** How often a vendor that refuses after the assumed reset is asked again: 24 refused calls a day at most. */
const TRIAL = 60 * MINUTE

const zonedDay = (at: number, { resetZone = "UTC" }: Limits): DateTime.Zoned =>
  DateTime.startOf(DateTime.makeZonedUnsafe(at, { timeZone: resetZone }), "day")

/** The vendor's date at that instant. */
export const dayOf = (at: number, limits: Limits): string => DateTime.formatIsoDate(zonedDay(at, limits))

/** When the vendor's next day begins. */
export const resetAfter = (at: number, limits: Limits): number =>
  DateTime.toEpochMillis(DateTime.add(zonedDay(at, limits), { days: 1 }))

/** What was used of the day that `at` lies in. */
export const usedOn = (self: Ledger, at: number, limits: Limits): number =>
  self.day === dayOf(at, limits) ? self.used : 0

export const reserve = (self: Ledger, limits: Limits, cost: number, now: number): Reserved | Closed => {
  if (self.closedUntil > now + PATIENCE) return { _tag: "Closed", until: self.closedUntil, why: self.closedWhy }
  const opened = Math.max(now, self.latest, self.closedUntil)
  const start = Math.max(
    opened,
    freeAt(self.second, limits.perSecond, cost, SECOND),
    freeAt(self.minute, limits.perMinute, cost, MINUTE)
  )
  const { perDay } = limits
  const full = perDay !== undefined && usedOn(self, start, limits) + cost > perDay
  const reset = full ? resetAfter(start, limits) : 0
  if (reset > now + PATIENCE) return { _tag: "Closed", until: reset, why: `${perDay} calls a day` }
  return reserved(self, limits, cost, Math.max(start, reset))
}

const reserved = (self: Ledger, limits: Limits, cost: number, start: number): Reserved => ({
  _tag: "Reserved",
  start,
  ledger: {
    ...self,
    second: limits.perSecond === undefined ? [] : extended(self.second, start, cost, SECOND),
    minute: limits.perMinute === undefined ? [] : extended(self.minute, start, cost, MINUTE),
    day: dayOf(start, limits),
    used: usedOn(self, start, limits) + cost,
    latest: start,
    // Until this one is answered, nobody else.
    ...(self.onTrial === true ? { closedUntil: start + TRIAL } : {})
  }
})

/** The first instant at which the window before it leaves room; 0 where it does already. */
const freeAt = (starts: Starts, limit: number | undefined, cost: number, width: number): number => {
  if (limit === undefined) return 0
  let sum = Math.min(cost, limit)
  for (const [start, spent] of starts.toReversed()) {
    sum += spent
    if (sum > limit) return start + width
  }
  return 0
}

const extended = (starts: Starts, start: number, cost: number, width: number): Starts => {
  const recent = starts.filter(([before]) => before > start - width)
  const part = (at: number): number => Math.floor(at * PARTS / width)
  const last = recent.at(-1)
  return last !== undefined && part(last[0]) === part(start)
    ? [...recent.slice(0, -1), [start, last[1] + cost]]
    : [...recent, [start, cost]]
}

/** The later of two silences holds. */
export const closed = (self: Ledger, until: number, why: string): Ledger =>
  until > self.closedUntil ? { ...self, closedUntil: until, closedWhy: why } : self

/** A call that was reserved was refused, because the vendor's day is used up. */
export const exhausted = (self: Ledger, limits: Limits, cost: number, now: number): Ledger => {
  const day = dayOf(now, limits)
  const reset = resetAfter(now, limits)
  const uncounted = self.day === day ? { ...self, used: Math.max(0, self.used - cost) } : self
  return self.acceptedOn === day
    ? closed(uncounted, reset, "the vendor says so")
    : closed(
      { ...uncounted, onTrial: true },
      Math.min(now + TRIAL, reset),
      "the vendor says so, though it accepted no call today"
    )
}

/** A call that was made at `start` was answered: the vendor's day of then has begun. The same object where that is known. */
export const accepted = (self: Ledger, limits: Limits, start: number): Ledger => {
  const acceptedOn = dayOf(start, limits)
  if (self.onTrial === true) return { ...self, onTrial: false, acceptedOn, closedUntil: 0, closedWhy: "" }
  return self.acceptedOn === acceptedOn ? self : { ...self, acceptedOn }
}
