/**
 * The quality rules by name: what each says, and whether a row that breaks it is refused or only counted.
 *
 * An error puts the row into quarantine with a sentence and its text; a warning leaves the row and is counted per session.
 * Any rule but the first two can be switched off: those say what cannot be a row at all.
 */
import * as Context from "effect/Context"

interface Rule {
  readonly severity: "error" | "warning"
  readonly says: string
}

export const rules = {
  number_format: {
    severity: "error",
    says: "prices and volume are plain decimals: not empty, None, NaN or 1e5. Always on"
  },
  timestamp: { severity: "error", says: "the time can be read and exists on the exchange's clock. Always on" },
  grid: { severity: "error", says: "the time is a multiple of the interval" },
  price_positive: { severity: "error", says: "prices are above zero" },
  ohlc_order: { severity: "error", says: "high is the highest and low the lowest of the four prices" },
  volume: { severity: "error", says: "volume is not negative" },
  volume_whole: { severity: "error", says: "volume is a whole number" },
  duplicate: {
    severity: "error",
    says: "a time is given once; equal copies are dropped silently. Switched off, other copies are dropped silently too"
  },
  session_hours: { severity: "error", says: "the bar lies within 04:00 to 20:00 of the exchange's clock" },
  open_bar: { severity: "error", says: "the bar had ended when the answer was fetched" },
  gap: { severity: "warning", says: "regular hours have a bar in every interval: the missing ones are counted" },
  wick: {
    severity: "warning",
    says: "no price is more than a tenth outside of open and close: a false print, common after 16:00"
  },
  split: {
    severity: "warning",
    says: "no step from bar to bar is within 2 % of 3:2 or of n:1, up or down, but for a known split"
  },
  jump: { severity: "warning", says: "no other step from bar to bar is above 40 %" },
  volume_zero: { severity: "warning", says: "a bar has volume" },
  stale: {
    severity: "warning",
    says: "the series goes on to this session: a series that stopped is delisted or renamed"
  },
  restated: { severity: "warning", says: "bars do not change after they were staged" }
} as const satisfies { readonly [name: string]: Rule }

export type Name = keyof typeof rules
type NameOf<S> = { [N in Name]: (typeof rules)[N]["severity"] extends S ? N : never }[Name]
export type Warning = NameOf<"warning">

export const names = Object.keys(rules) as ReadonlyArray<Name>

/** Which rules are on. */
export type Rules = ReadonlySet<Name>

export const all: Rules = new Set(names)

/** The rules that a configuration leaves on: those that it does not name, and those that cannot be off. */
export const without = (off: Iterable<Name>): Rules => {
  const left = new Set(names)
  for (const name of off) if (name !== "number_format" && name !== "timestamp") left.delete(name)
  return left
}

/** Names the choice; the same text for the same rules. Part of the code version of what was judged by them. */
export const fingerprint = (self: Rules): string => {
  const off = names.filter((name) => !self.has(name))
  return off.length === 0 ? "all rules" : `all rules but ${off.join(", ")}`
}

/** The rules that decoders and assets judge by: all, unless the configuration says otherwise. */
export const Active = Context.Reference<Rules>("barograph/layers/bars/Rule/Active", { defaultValue: () => all })
