/** Flags that several commands share. */
import * as Flag from "effect/cli/Flag"

/** False unless given; a negation would only be noise in the help. */
export const on = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, Flag.withDescription(description), Flag.withDefault(false))

export const json = on("json", "Data on stdout as JSON; talk stays on stderr")

export const partitionFlag = Flag.String("partition").pipe(
  Flag.withAlias("p"),
  Flag.withDescription("Only these, as in materialize --partition"),
  Flag.optional
)
