/**
 * When an asset is to be materialized by itself, declared as data. Pure.
 *
 * A condition holds for some of the partitions of an asset and not for others; the daemon asks for those for which it
 * comes to hold. It lies here, beside the assets that declare it; `automation/Evaluation` says for which partitions one
 * holds. `eager`, `onCron` and `onMissing` are made of the same parts as everybody's own.
 */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Cron from "../partition/Cron.ts"
import * as Zone from "../partition/Zone.ts"

/** The condition cannot be; the message says what is wrong with it. */
export class ConditionError extends Schema.TaggedError<ConditionError>()("ConditionError", {
  message: Schema.String
}) {}

export type Condition =
  | { readonly _tag: "inLatestWindow"; readonly lookback: number | undefined }
  | { readonly _tag: "missing" }
  | { readonly _tag: "inProgress" }
  | { readonly _tag: "failed" }
  | { readonly _tag: "rejected" }
  | { readonly _tag: "outdated" }
  | { readonly _tag: "newlyUpdated" }
  | { readonly _tag: "newlyRequested" }
  | { readonly _tag: "initial" }
  | { readonly _tag: "cronTickPassed"; readonly cron: Cron.Cron; readonly zone: Zone.Zone }
  | { readonly _tag: "anyDeps"; readonly of: Condition }
  | { readonly _tag: "allDeps"; readonly of: Condition }
  | { readonly _tag: "newly"; readonly of: Condition }
  | { readonly _tag: "since"; readonly trigger: Condition; readonly reset: Condition }
  | { readonly _tag: "and"; readonly of: ReadonlyArray<Condition> }
  | { readonly _tag: "or"; readonly of: ReadonlyArray<Condition> }
  | { readonly _tag: "not"; readonly of: Condition }
  | { readonly _tag: "label"; readonly label: string; readonly of: Condition }

/**
 * The latest time window of each time dimension; everything, where there is none.
 *
 * Details: `lookback` adds the windows that start within that time before the latest one ends: "48 hours" on daily
 * windows are two.
 */
export const inLatestWindow = (lookback?: Duration.Input): Condition => ({
  _tag: "inLatestWindow",
  lookback: lookback === undefined ? undefined : Duration.toMillis(lookback)
})

/** Never materialized. */
export const missing: Condition = { _tag: "missing" }

/** Asked for by automation, and its run has not ended. */
export const inProgress: Condition = { _tag: "inProgress" }

/** The latest try failed, or did not pass a blocking check. */
export const failed: Condition = { _tag: "failed" }

/** The latest success did not pass a blocking check: nothing may read it. */
export const rejected: Condition = { _tag: "rejected" }

/** Materialized, and the planner would materialize it again: another code version, or other inputs than it read. */
export const outdated: Condition = { _tag: "outdated" }

/** Its data came out different since the last evaluation; never at the first. */
export const newlyUpdated: Condition = { _tag: "newlyUpdated" }

/** Asked for by its condition at the last evaluation; of dependencies, since then. */
export const newlyRequested: Condition = { _tag: "newlyRequested" }

/** Holds at the first evaluation of the condition, and never again. */
export const initial: Condition = { _tag: "initial" }

const orThrow = <A>(result: Result.Result<A, string>): A => {
  if (Result.isSuccess(result)) return result.success
  throw new ConditionError({ message: `The condition cannot be declared so: ${result.failure}` })
}

/** A tick of the cron passed since the last evaluation; never at the first. Throws `ConditionError`. */
export const cronTickPassed = (cron: string, zone: string): Condition => ({
  _tag: "cronTickPassed",
  cron: orThrow(Cron.parse(cron)),
  zone: orThrow(Zone.make(zone))
})

/**
 * It holds for one of the upstream partitions that are read.
 *
 * Gotchas: what is needed and does not exist is `missing`, and nothing else.
 */
export const anyDeps = (of: Condition): Condition => ({ _tag: "anyDeps", of })

/** It holds for all upstream partitions that are read; also where none is. */
export const allDeps = (of: Condition): Condition => ({ _tag: "allDeps", of })

/** It holds and did not at the last evaluation; at the first, wherever it holds. */
export const newly = (of: Condition): Condition => ({ _tag: "newly", of })

/**
 * From when `trigger` holds until `reset` does.
 *
 * Details: where both hold at once, it holds: what came together with the reset may not have been in it.
 */
export const since = (trigger: Condition, reset: Condition): Condition => ({ _tag: "since", trigger, reset })

/** Holds everywhere, when there are none. */
export const and = (...of: ReadonlyArray<Condition>): Condition => ({ _tag: "and", of })

/** Holds nowhere, when there are none. */
export const or = (...of: ReadonlyArray<Condition>): Condition => ({ _tag: "or", of })

export const not = (of: Condition): Condition => ({ _tag: "not", of })

/** Gives a condition a name that is shown in its place. */
export const label = (of: Condition, label: string): Condition => ({ _tag: "label", label, of })

const inputsAreThere = label(not(anyDeps(or(missing, rejected, inProgress))), "every input is there and settled")
const isIdle = label(not(inProgress), "it is not in progress")

/**
 * Kept up to date as soon as possible.
 *
 * Asks for what is missing when it comes to exist or its inputs come, for what is stale, and for what failed once an
 * input has changed: each once for each cause. What was missing before the first evaluation is history, and left to
 * backfills, but for the latest window.
 */
export const eager: Condition = label(
  and(
    label(or(missing, outdated, failed), "it is not up to date"),
    label(
      since(
        or(
          label(and(newly(missing), or(not(initial), inLatestWindow())), "it is new"),
          label(newly(outdated), "it became stale"),
          label(anyDeps(newlyUpdated), "an input changed")
        ),
        newlyRequested
      ),
      "there is a cause that was not acted on"
    ),
    inputsAreThere,
    isIdle
  ),
  "eager"
)

/** What is missing is asked for once its inputs are there; what failed, once one of them has changed. */
export const onMissing: Condition = label(
  and(
    missing,
    label(
      since(or(newly(missing), label(anyDeps(newlyUpdated), "an input changed")), newlyRequested),
      "there is a cause that was not acted on"
    ),
    inputsAreThere,
    isIdle
  ),
  "on missing"
)

/**
 * The latest window at each tick, as soon as its inputs are there, whether or not it is up to date.
 *
 * Details: with `lookback` the windows that `inLatestWindow` has by then. What has to wait is asked for later, also when
 * there is a later window or tick by then. Throws `ConditionError`.
 */
export const onCron = (
  cron: string,
  options: { readonly zone: string; readonly lookback?: Duration.Input }
): Condition =>
  label(
    and(
      since(and(cronTickPassed(cron, options.zone), inLatestWindow(options.lookback)), newlyRequested),
      inputsAreThere,
      isIdle
    ),
    `on cron "${cron}" in ${options.zone}`
  )

const span = (millis: number): string => Duration.format(Duration.millis(millis))

const WORDS = {
  missing: "never materialized",
  inProgress: "in progress",
  failed: "the latest try failed",
  rejected: "the latest success did not pass a blocking check",
  outdated: "stale by its code or inputs",
  newlyUpdated: "its data changed since the last evaluation",
  newlyRequested: "asked for at the last evaluation",
  initial: "this is the first evaluation"
}

/** The words of the outermost part, with those of the parts that it is made of. */
const sentence = (self: Condition, part: (of: Condition) => string): string => {
  switch (self._tag) {
    case "inLatestWindow":
      return `in the latest window${self.lookback === undefined ? "" : `, looking back ${span(self.lookback)}`}`
    case "cronTickPassed":
      return `a tick of "${self.cron.text}" in ${self.zone.name} passed`
    case "anyDeps":
      return `for any dependency: ${part(self.of)}`
    case "allDeps":
      return `for every dependency: ${part(self.of)}`
    case "newly":
      return `newly ${part(self.of)}`
    case "since":
      return `${part(self.trigger)} since ${part(self.reset)}`
    case "and":
      return self.of.length === 0 ? "always" : self.of.map(part).join(" and ")
    case "or":
      return self.of.length === 0 ? "never" : self.of.map(part).join(" or ")
    case "not":
      return `not ${part(self.of)}`
    case "label":
      return self.label
    default:
      return WORDS[self._tag]
  }
}

const isAtom = (self: Condition): boolean =>
  self._tag in WORDS || self._tag === "label" || self._tag === "inLatestWindow" || self._tag === "cronTickPassed"

const bracketed = (self: Condition): string =>
  isAtom(self) ? sentence(self, bracketed) : `(${sentence(self, bracketed)})`

/** One sentence for a person; what has a label is told by it. */
export const describe = (self: Condition): string => sentence(self, bracketed)

/** What the outermost label stands for, in one sentence. */
export const explain = (self: Condition): string => describe(self._tag === "label" ? self.of : self)

/** The parts that a condition is made of, in order. */
export const parts = (self: Condition): ReadonlyArray<Condition> => {
  if (self._tag === "since") return [self.trigger, self.reset]
  if (!("of" in self)) return []
  return Array.isArray(self.of) ? self.of as ReadonlyArray<Condition> : [self.of as Condition]
}

/** Two conditions with one text hold for the same partitions. */
export const fingerprint = (self: Condition): string => {
  const own = self._tag === "inLatestWindow"
    ? `${self.lookback ?? ""}`
    : self._tag === "cronTickPassed"
    ? JSON.stringify([self.cron.text, self.zone.name])
    : ""
  const below = parts(self).map(fingerprint)
  return self._tag === "label" ? below[0]! : `${self._tag}${own}${below.length === 0 ? "" : `(${below.join(",")})`}`
}

/** How many edges upstream it looks. */
export const reach = (self: Condition): number => {
  const below = Math.max(0, ...parts(self).map(reach))
  if (self._tag === "anyDeps" || self._tag === "allDeps") return below + 1
  return self._tag === "outdated" ? 1 : below
}

/**
 * Whether what it asks for is materialized although it is up to date: it does not look at how the asset itself stands,
 * so it cannot mean that what is up to date be left alone.
 */
export const isForced = (self: Condition): boolean => {
  if (self._tag === "missing" || self._tag === "outdated" || self._tag === "failed") return false
  return self._tag === "anyDeps" || self._tag === "allDeps" || parts(self).every(isForced)
}
