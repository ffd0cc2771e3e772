/** What a plan costs where it counts: calls of pools whose quota runs out. Pure. */

/** A pool's slots, and how many calls its quota allows in a window of time. */
export interface PoolLimit {
  /** Calls at a time, in all processes together. */
  readonly slots: number
  readonly perSecond?: number | undefined
  readonly perMinute?: number | undefined
  readonly perDay?: number | undefined
}

export interface Estimate {
  readonly pool: string
  readonly calls: number
  /** Least time that the quota asks for, in seconds, when none of it is used; 0 without a quota. */
  readonly seconds: number
  /** How many of the calls one day allows; undefined when there is no daily quota. */
  readonly perDay: number | undefined
}

const WINDOWS = [["perSecond", 1], ["perMinute", 60], ["perDay", 86_400]] as const

/** Full windows that pass before the last call may be made. */
const waits = (calls: number, allowed: number | undefined, seconds: number): number =>
  allowed === undefined || calls === 0 ? 0 : (Math.ceil(calls / allowed) - 1) * seconds

export const estimate = (pool: string, calls: number, limit: PoolLimit | undefined): Estimate => ({
  pool,
  calls,
  seconds: Math.max(0, ...WINDOWS.map(([name, seconds]) => waits(calls, limit?.[name], seconds))),
  perDay: limit?.perDay
})
