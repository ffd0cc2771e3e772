/** Flags that several commands share. */
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"

/** False unless given; a negation would only be noise in the help. */
export const on = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, Flag.withDescription(description), Flag.withDefault(false))

export const json = on("json", "Data on stdout as JSON; talk stays on stderr")

export const partitionFlag = Flag.String("partition").pipe(
  Flag.withAlias("p"),
  Flag.withDescription("Only these, as in materialize --partition"),
  Flag.optional
)

const UNITS = { d: "days", h: "hours", m: "minutes", s: "seconds" } as const

/** Also as it is written elsewhere: `30d`, `2s`. */
const spelled = (text: string) =>
  text.replace(/^(\d+)\s*([dhms])$/, (_, count: string, unit: keyof typeof UNITS) => `${count} ${UNITS[unit]}`)

/** A length of time. */
export const span = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.mapTryCatch(
      (text) => Duration.fromInputUnsafe(spelled(text) as Duration.Input),
      (): string => "expected a time such as \"90 seconds\" or \"2 hours\""
    )
  )
