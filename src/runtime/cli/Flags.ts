/** Flags that several commands share. */
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Zone from "../partition/Zone.ts"

/** False unless given; a negation would only be noise in the help. */
export const on = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, Flag.withDescription(description), Flag.withDefault(false))

export const json = on("json", "Data on stdout as JSON; talk stays on stderr")

export const partitionFlag = Flag.String("partition").pipe(
  Flag.withAlias("p"),
  Flag.withDescription("Only these, as in materialize --partition"),
  Flag.optional
)

/** A whole number within bounds. */
export const whole = (name: string, description: string, { least = 1, most = Number.MAX_SAFE_INTEGER } = {}) =>
  Flag.Int(name).pipe(
    Flag.withDescription(description),
    Flag.filter(
      (given) => given >= least && given <= most,
      () =>
        most === Number.MAX_SAFE_INTEGER
          ? `a whole number, ${least} or more`
          : `a whole number from ${least} to ${most}`
    )
  )

/** How many are shown. */
export const limit = (description: string, fallback: number) =>
  whole("limit", `${description}. Default: ${fallback}`).pipe(Flag.withDefault(fallback))

/** A moment, in UTC where no zone is said. */
export const instant = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.filterMap(
      (text) => Option.map(Zone.isDate(text.slice(0, 10)) ? DateTime.make(text) : Option.none(), DateTime.formatIso),
      () => "a time such as 2024-03-05T21:00Z, or a date"
    )
  )

const UNITS = { d: "days", h: "hours", m: "minutes", s: "seconds" } as const

/** Also as it is written elsewhere: `30d`, `2s`. */
const spelled = (text: string) =>
  text.replace(/^(\d+)\s*([dhms])$/, (_, count: string, unit: keyof typeof UNITS) => `${count} ${UNITS[unit]}`)

/** Longer is a mistake, and a simulation of it would not end. */
const LONGEST = Duration.days(3660)

/** A length of time; none at all only where `zero` says so. */
export const span = (name: string, description: string, { zero = false }: { readonly zero?: boolean } = {}) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.filterMap(
      (text) =>
        Option.filter(
          Duration.fromInput(spelled(text) as Duration.Input),
          (given) =>
            (zero ? !Duration.isNegative(given) : Duration.isPositive(given)) &&
            Duration.isLessThanOrEqualTo(given, LONGEST)
        ),
      () => `a time such as "90 seconds" or "2 hours", ${zero ? "0 or longer" : "longer than 0"}, at most 3660 days`
    )
  )
