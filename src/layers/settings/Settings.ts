/**
 * The one central configuration, read from the environment. Every setting has a default that works on a laptop with no
 * key, no database and no cloud account. Secrets are `Redacted` from the first moment.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Path from "node:path"
import type { Member } from "../../runtime/partition/Partitions.ts"

/** A setting that cannot be used: which, why, and what to write instead. Never holds a secret's value. */
export class SettingsError extends Schema.TaggedError<SettingsError>()("SettingsError", {
  setting: Schema.String,
  message: Schema.String,
  fix: Schema.String
}) {}

export interface Settings {
  /** State directory: embedded PostgreSQL, and the lake unless it is elsewhere. Absolute. */
  readonly home: string
  readonly databaseUrl: Redacted.Redacted<string> | undefined
  /** PostgreSQL that stands in for the warehouse; the database itself when not set. */
  readonly warehouseUrl: Redacted.Redacted<string> | undefined
  /** Directory of the lake. Absolute. */
  readonly lake: string
  readonly apiKey: Redacted.Redacted<string> | undefined
  readonly apiUrl: string | undefined
  /** The sample to replay when there is no key; the bundled one when not set. */
  readonly sample: string | undefined
  /** What to load from the vendor: symbols from a date to a date. Undefined with the sample, which knows. */
  readonly watchlist: ReadonlyArray<Member> | undefined
  /** Steps at a time. */
  readonly concurrency: number
  /** Runs at a time, in all processes together; any number when not set. */
  readonly maxRuns: number | undefined
  /** `key=value` or `key` to runs with that tag at a time. */
  readonly tagLimits: { readonly [tag: string]: number }
}

const text = (name: string): Config.Config<string | undefined> =>
  Config.String(name).pipe(
    Config.option,
    Config.map((found) => Option.getOrUndefined(Option.filter(found, (value) => value.trim() !== "")))
  )

const secret = (name: string): Config.Config<Redacted.Redacted<string> | undefined> =>
  Config.Redacted(name).pipe(Config.option, Config.map(Option.getOrUndefined))

const raw = Config.all({
  home: text("BAROGRAPH_HOME"),
  databaseUrl: secret("DATABASE_URL"),
  warehouse: secret("BAROGRAPH_WAREHOUSE"),
  lake: text("BAROGRAPH_LAKE"),
  apiKey: secret("ALPHA_VANTAGE_API_KEY"),
  apiUrl: text("ALPHA_VANTAGE_URL"),
  sample: text("BAROGRAPH_SAMPLE"),
  symbols: text("BAROGRAPH_SYMBOLS"),
  start: text("BAROGRAPH_START"),
  end: text("BAROGRAPH_END"),
  concurrency: text("BAROGRAPH_CONCURRENCY"),
  maxRuns: text("BAROGRAPH_MAX_RUNS"),
  tagLimits: text("BAROGRAPH_TAG_LIMITS")
})

const DATE = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/

const date = Effect.fnUntraced(function*(setting: string, value: string | undefined) {
  if (value === undefined || DATE.test(value)) return value
  return yield* new SettingsError({
    setting,
    message: `${setting} is "${value}", which is not a date`,
    fix: `write it as YYYY-MM-DD, as in ${setting}=2024-01-02`
  })
})

/** Symbols and dates are needed with a key; with the sample they may narrow nothing and are not read. */
const watchlist = Effect.fnUntraced(function*(
  given: { readonly symbols: string | undefined; readonly start: string | undefined; readonly end: string | undefined }
) {
  const from = yield* date("BAROGRAPH_START", given.start)
  const to = yield* date("BAROGRAPH_END", given.end)
  const symbols = (given.symbols ?? "").split(",").map((symbol) => symbol.trim()).filter((symbol) => symbol !== "")
  if (symbols.length === 0 || from === undefined) {
    return yield* new SettingsError({
      setting: symbols.length === 0 ? "BAROGRAPH_SYMBOLS" : "BAROGRAPH_START",
      message: "ALPHA_VANTAGE_API_KEY is set, but not what to load with it",
      fix: "set BAROGRAPH_SYMBOLS=IBM,AAPL and BAROGRAPH_START=2024-01-02"
    })
  }
  return [...new Set(symbols)].map((value): Member => ({ value, from, to }))
})

/** A whole number from 1 to 999. */
const count = Effect.fnUntraced(function*(setting: string, value: string) {
  if (/^[1-9]\d{0,2}$/.test(value)) return Number(value)
  return yield* new SettingsError({
    setting,
    message: `${setting} is "${value}"`,
    fix: "use a whole number from 1 to 999"
  })
})

/** `backfill:2,team=etl:1`. */
const tagLimits = Effect.fnUntraced(function*(value: string | undefined) {
  const limits: { [tag: string]: number } = {}
  for (const part of (value ?? "").split(",").map((one) => one.trim()).filter((one) => one !== "")) {
    const found = /^([^:=]+(?:=[^:=]+)?):(.+)$/.exec(part)
    if (found === null) {
      return yield* new SettingsError({
        setting: "BAROGRAPH_TAG_LIMITS",
        message: `BAROGRAPH_TAG_LIMITS has "${part}", which is not tag:count`,
        fix: "write BAROGRAPH_TAG_LIMITS=backfill:2,team=etl:1"
      })
    }
    limits[found[1]!] = yield* count("BAROGRAPH_TAG_LIMITS", found[2]!)
  }
  return limits
})

const lakeDirectory = Effect.fnUntraced(function*(value: string | undefined, home: string, cwd: string) {
  if (value === undefined) return Path.join(home, "lake")
  if (value.startsWith("file://")) return value.slice("file://".length)
  if (!/^[a-z0-9+-]+:\/\//i.test(value)) return Path.resolve(cwd, value)
  return yield* new SettingsError({
    setting: "BAROGRAPH_LAKE",
    message: `BAROGRAPH_LAKE is "${value}", but the lake can only be a directory so far`,
    fix: "give a directory, as in BAROGRAPH_LAKE=./lake"
  })
})

/** Reads and checks everything. `cwd` is what relative paths start from. */
export const load = Effect.fnUntraced(function*(cwd: string) {
  const given = yield* Effect.mapError(
    raw,
    (error) =>
      new SettingsError({
        setting: "environment",
        message: error.message,
        fix: "see the configuration table of the README"
      })
  )
  const home = Path.resolve(cwd, given.home ?? ".barograph")
  return {
    home,
    databaseUrl: given.databaseUrl,
    warehouseUrl: given.warehouse,
    lake: yield* lakeDirectory(given.lake, home, cwd),
    apiKey: given.apiKey,
    apiUrl: given.apiUrl,
    sample: given.sample === undefined ? undefined : Path.resolve(cwd, given.sample),
    watchlist: given.apiKey === undefined ? undefined : yield* watchlist(given),
    concurrency: given.concurrency === undefined ? 4 : yield* count("BAROGRAPH_CONCURRENCY", given.concurrency),
    maxRuns: given.maxRuns === undefined ? undefined : yield* count("BAROGRAPH_MAX_RUNS", given.maxRuns),
    tagLimits: yield* tagLimits(given.tagLimits)
  } satisfies Settings
})
