/**
 * How recent an asset's latest success should be, and how it stands by a given instant. Pure.
 *
 * `within`: the latest success may be so old. `byCron`: by every tick of the cron there must have been a success, not
 * earlier than a lookback before the tick. A success counts for the asset, whichever partition it was of; one that a
 * blocking check rejected does not.
 */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Cron from "../partition/Cron.ts"
import * as Zone from "../partition/Zone.ts"

/** The policy cannot be; the message says what is wrong with it. */
export class FreshnessError extends Schema.TaggedError<FreshnessError>()("FreshnessError", {
  message: Schema.String
}) {}

export type Policy =
  | {
    readonly _tag: "within"
    /** Milliseconds. */
    readonly within: number
    /** Milliseconds; Infinity when there is no warning. */
    readonly warn: number
  }
  | {
    readonly _tag: "byCron"
    readonly cron: Cron.Cron
    readonly zone: Zone.Zone
    /** Milliseconds. */
    readonly lookback: number
  }

export type Status = "fresh" | "warn" | "overdue" | "unknown"

export interface Standing {
  readonly status: Status
  readonly sentence: string
  /** The first instant at which time alone makes it another; undefined when only a success can. */
  readonly changesAt: number | undefined
}

const orThrow = <A>(result: Result.Result<A, string>): A => {
  if (Result.isFailure(result)) {
    throw new FreshnessError({ message: `The freshness policy cannot be declared so: ${result.failure}` })
  }
  return result.success
}

const refuse = (said: string) => orThrow(Result.fail(said))

const positive = (input: Duration.Input, what: string): number => {
  const millis = Duration.toMillis(input)
  return millis > 0 && Number.isFinite(millis)
    ? millis
    : refuse(`${what} must be a time such as "26 hours", longer than nothing.`)
}

const span = (millis: number): string => Duration.format(Duration.millis(millis))

/** Fresh as long as the latest success is not older; `warn` before that. Throws `FreshnessError`. */
export const within = (
  limit: Duration.Input,
  options: { readonly warn?: Duration.Input } = {}
): Policy => {
  const millis = positive(limit, "the limit")
  const warn = options.warn === undefined ? Number.POSITIVE_INFINITY : positive(options.warn, "warn")
  if (options.warn !== undefined && warn >= millis) {
    refuse(`warn (${span(warn)}) must come before the limit (${span(millis)}).`)
  }
  return { _tag: "within", within: millis, warn }
}

/** At each tick there must have been a success since the tick less the lookback. Throws `FreshnessError`. */
export const byCron = (
  cron: string,
  options: { readonly zone: string; readonly lookback: Duration.Input }
): Policy => ({
  _tag: "byCron",
  cron: orThrow(Cron.parse(cron)),
  zone: orThrow(Zone.make(options.zone)),
  lookback: positive(options.lookback, "lookback")
})

/** One line for a person. */
export const describe = (self: Policy): string =>
  self._tag === "within"
    ? `within ${span(self.within)}${Number.isFinite(self.warn) ? `, warning after ${span(self.warn)}` : ""}`
    : `by "${self.cron.text}" in ${self.zone.name}, at most ${span(self.lookback)} before`

const time = (instant: number): string => `${new Date(instant).toISOString().slice(0, 16).replace("T", " ")}Z`

const evaluateWithin = (
  self: Policy & { readonly _tag: "within" },
  latest: number,
  now: number
): Standing => {
  const overdueAt = latest + self.within
  const warnAt = latest + self.warn
  const success = `latest success ${time(latest)}`
  if (now >= overdueAt) {
    return { status: "overdue", sentence: `${success}, was due again by ${time(overdueAt)}`, changesAt: undefined }
  }
  const sentence = `${success}, due again by ${time(overdueAt)}`
  return now >= warnAt
    ? { status: "warn", sentence, changesAt: overdueAt }
    : { status: "fresh", sentence, changesAt: Math.min(warnAt, overdueAt) }
}

const evaluateByCron = (
  self: Policy & { readonly _tag: "byCron" },
  latest: number,
  now: number
): Standing => {
  const { cron, lookback, zone } = self
  const tick = Cron.previous(cron, zone, now + 1)
  const success = `latest success ${time(latest)}`
  if (latest < tick - lookback) {
    const since = `the deadline ${time(tick)} needed one since ${time(tick - lookback)}`
    return { status: "overdue", sentence: `${success}, ${since}`, changesAt: undefined }
  }
  // The first tick that the latest success is too early for.
  const next = Cron.next(cron, zone, Math.max(now, latest + lookback))
  return { status: "fresh", sentence: `${success}, due again by ${time(next)}`, changesAt: next }
}

/** How it stands at `now`, epoch milliseconds; `latest` is that of the latest success, undefined when there was none. */
export const evaluate = (self: Policy, latest: number | undefined, now: number): Standing => {
  if (latest === undefined) return { status: "unknown", sentence: "never materialized", changesAt: undefined }
  return self._tag === "within" ? evaluateWithin(self, latest, now) : evaluateByCron(self, latest, now)
}
