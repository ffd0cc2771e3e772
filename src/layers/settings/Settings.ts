/**
 * The one central configuration: `barograph.config.json`, the environment over it, and a default for everything that
 * works on a laptop with no key, no database and no cloud account. Secrets are `Redacted` from the first moment.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Path from "node:path"
import type { Member } from "../../runtime/partition/Partitions.ts"
import * as Rule from "../bars/Rule.ts"
import * as Given from "./Given.ts"
import * as SourceSettings from "./SourceSettings.ts"

export interface Settings {
  readonly source: SourceSettings.Source
  /** State directory: embedded PostgreSQL, and the lake unless it is elsewhere. Absolute. */
  readonly home: string
  readonly databaseUrl: Redacted.Redacted<string> | undefined
  /** PostgreSQL that stands in for the warehouse; the database itself when not set. */
  readonly warehouseUrl: Redacted.Redacted<string> | undefined
  /** Directory of the lake. Absolute. */
  readonly lake: string
  /** The quality rules that are on. */
  readonly rules: Rule.Rules
  /** The sample to replay when no source is named; the bundled one when not set. */
  readonly sample: string | undefined
  /** What to load from the vendor: symbols from a date to a date. Undefined with the sample, which knows. */
  readonly watchlist: ReadonlyArray<Member> | undefined
  readonly concurrency: number
  /** What a person should know about a default that was chosen for them. */
  readonly notices: ReadonlyArray<string>
}

/** Reads and checks everything. `cwd` is what relative paths start from. */
export const load = Effect.fnUntraced(function*(cwd: string) {
  const given = yield* Given.read(cwd)
  const { values } = given
  const home = Path.resolve(cwd, values.home ?? ".barograph")
  const source = yield* Effect.fromResult(SourceSettings.make(given))
  return {
    source,
    home,
    databaseUrl: values.databaseUrl,
    warehouseUrl: values.warehouse,
    lake: yield* lakeDirectory(given, home, cwd),
    rules: Rule.without(Rule.names.filter((name) => values.rules?.[name] === false)),
    sample: values.sample === undefined ? undefined : Path.resolve(cwd, values.sample),
    watchlist: source._tag === "Sample" ? undefined : yield* watchlist(given, source),
    concurrency: values.concurrency ?? 4,
    notices: isFreeDaily(source) && values.interval === undefined ? [DAILY] : []
  } satisfies Settings
})

const isFreeDaily = (source: SourceSettings.Source): boolean =>
  source._tag === "AlphaVantage" && source.isFree && source.interval === "1day"

const DAILY =
  "A free Alpha Vantage key: loading daily bars of the latest 100 sessions, which is what free keys may have. " +
  "With a premium plan set BAROGRAPH_QUOTA to its calls per minute for minute bars and full history."

const problem = (setting: string, message: string, fix: string) => new Given.SettingsError({ setting, message, fix })

const example = "set BAROGRAPH_SYMBOLS=IBM,AAPL and BAROGRAPH_START=2024-01-02"

const watchlist = Effect.fnUntraced(function*({ placeOf, values }: Given.Given, source: SourceSettings.Source) {
  const { end, symbols } = values
  const start = values.start ?? (isFreeDaily(source) ? yield* threeMonthsAgo : undefined)
  if (symbols === undefined || start === undefined) {
    return yield* problem(
      symbols === undefined ? "BAROGRAPH_SYMBOLS" : "BAROGRAPH_START",
      "the source is not the sample, but what to load from it is not set",
      example
    )
  }
  if (end !== undefined && end < start) {
    return yield* problem(placeOf("end"), `${placeOf("end")} ${end} lies before the start ${start}`, example)
  }
  return [...new Set(symbols)].map((value): Member => ({ value, from: start, to: end }))
})

/** The first of a month, so that it stays for a month: the free daily series begins before it. */
const threeMonthsAgo = Effect.map(Clock.currentTimeMillis, (now) => {
  const date = new Date(now)
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - 3, 1)).toISOString().slice(0, 10)
})

const lakeDirectory = Effect.fnUntraced(
  function*({ placeOf, values: { lake } }: Given.Given, home: string, cwd: string) {
    if (lake === undefined) return Path.join(home, "lake")
    if (lake.startsWith("file://")) return lake.slice("file://".length)
    if (!/^[a-z0-9+-]+:\/\//i.test(lake)) return Path.resolve(cwd, lake)
    return yield* problem(
      placeOf("lake"),
      `${placeOf("lake")} is "${lake}", but the lake can only be a directory so far`,
      "give a directory, as in BAROGRAPH_LAKE=./lake"
    )
  }
)
