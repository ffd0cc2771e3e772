/**
 * Keeps a condition from asking for what fails as fast as it can fail. One that would ask again as soon as its run has
 * failed waits, after each failure twice as long; one that waits for a cause anyway, as `eager` does, is never held. Pure.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Run } from "../store/RunStore.ts"

/** Of the runs that a condition asked for. */
export interface Failures {
  /** In a row. */
  readonly count: number
  /** Before this instant it is not asked for again, epoch milliseconds; 0: it may be. */
  readonly until: number
}

/** No wait is longer, as it is for sensors. */
const LONGEST = 600_000

const Totals = Schema.Record(Schema.String, Schema.Struct({ failed: Schema.Finite }))
const decodeTotals = Schema.decodeUnknownOption(Totals)

/** What a run that has ended makes of the failures of an asset: none after a success. One that was cut off tells nothing. */
export const after = (before: Failures | undefined, run: Run, asset: string): Failures | undefined => {
  if (run.status !== "succeeded" && run.status !== "failed") return before
  const own = Option.getOrElse(decodeTotals(run.totals), (): typeof Totals.Type => ({}))[asset]
  // Others in the run may have failed; what failed as a whole says why.
  if (run.status === "succeeded" || (run.why === undefined && (own?.failed ?? 0) === 0)) return undefined
  const count = (before?.count ?? 0) + 1
  return { count, until: (run.endedAt ?? run.startedAt) + Math.min(LONGEST, 1000 * 2 ** Math.min(count, 20)) }
}

/** A clock that was set back holds nothing for longer than it could have been held. */
export const holds = (failures: Failures | undefined, now: number): failures is Failures =>
  failures !== undefined && failures.until > now && failures.until - now <= LONGEST

/** What does not ask by itself any more has nothing to wait for: its next cause is acted on at once. */
export const released = (failures: Failures | undefined): Failures | undefined =>
  failures === undefined ? undefined : { ...failures, until: 0 }
