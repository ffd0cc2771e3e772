/**
 * The one central configuration: `barograph.config.json`, the environment over it, and a default for everything that
 * works on a laptop with no key, no database and no cloud account. Secrets are `Redacted` from the first moment.
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Path from "node:path"
import type { Member } from "../../runtime/partition/Partitions.ts"
import * as Rule from "../bars/Rule.ts"
import type * as Layout from "../lake/Layout.ts"
import * as Location from "../lake/Location.ts"
import * as ParquetFormat from "../lake/ParquetFormat.ts"
import * as RedshiftTarget from "../warehouse/RedshiftTarget.ts"
import type * as Fields from "./Fields.ts"
import * as Given from "./Given.ts"
import * as SourceSettings from "./SourceSettings.ts"

/** What the engine needs for any graph. */
export interface Engine {
  /** State directory: embedded PostgreSQL, and the lake unless it is elsewhere. Absolute. */
  readonly home: string
  readonly databaseUrl: Redacted.Redacted<string> | undefined
  /** Steps at a time. */
  readonly concurrency: number
  /** Runs at a time, in all processes together; any number when not set. */
  readonly maxRuns: number | undefined
  /** `key=value` or `key` to runs with that tag at a time. */
  readonly tagLimits: { readonly [tag: string]: number }
  readonly alerts: Alerts
}

/** Where alerts go, beside the log, and from when on. */
export interface Alerts {
  readonly slackWebhook: Redacted.Redacted<string> | undefined
  readonly slackBot: { readonly token: Redacted.Redacted<string>; readonly to: string } | undefined
  readonly webhook: {
    readonly url: Redacted.Redacted<string>
    readonly secret: Redacted.Redacted<string> | undefined
  } | undefined
  /** More refused rows of an asset in one run are told; the engine's own limit when not set. */
  readonly quarantineThreshold: number | undefined
}

export interface Settings extends Engine {
  readonly source: SourceSettings.Source
  /** PostgreSQL that stands in for the warehouse; the database itself when neither this nor `redshift` is set. */
  readonly warehouseUrl: Redacted.Redacted<string> | undefined
  readonly redshift: RedshiftTarget.RedshiftTarget | undefined
  readonly lake: Location.Location
  /** Which larger files of the lake there are beside the sessions' own. */
  readonly layout: Layout.Layout
  readonly parquet: ParquetFormat.Format
  /** The quality rules that are on. */
  readonly rules: Rule.Rules
  /** The sample to replay when no source is named; the bundled one when not set. */
  readonly sample: string | undefined
  /** What to load from the vendor: symbols from a date to a date. Undefined with the sample, which knows. */
  readonly watchlist: ReadonlyArray<Member> | undefined
  /** What a person should know about a default that was chosen for them. */
  readonly notices: ReadonlyArray<string>
}

/** Path of the file that declares the graph, when it is not the bundled one. */
export const definitions = Config.String("BAROGRAPH_DEFINITIONS").pipe(
  Config.option,
  Config.map((found) => Option.getOrUndefined(Option.filter(found, (value) => value.trim() !== "")))
)

const engineOf = (given: Given.Given, cwd: string) =>
  Effect.map(alertsOf(given), (alerts): Engine => ({
    home: Path.resolve(cwd, given.values.home ?? ".barograph"),
    databaseUrl: given.values.databaseUrl,
    concurrency: given.values.concurrency ?? 4,
    maxRuns: given.values.maxRuns,
    tagLimits: given.values.tagLimits ?? {},
    alerts
  }))

/** Two settings that make sense together only. */
const alertsOf = Effect.fnUntraced(function*({ placeOf, values }: Given.Given) {
  const { alertWebhook, alertWebhookSecret, quarantineThreshold, slackChannel, slackToken, slackWebhook } = values
  const lacking = (given: Fields.Name, missing: Fields.Name) =>
    problem(placeOf(given), `${placeOf(given)} is set, but ${placeOf(missing)} is not`, `set ${placeOf(missing)} too`)
  if (slackToken !== undefined && slackChannel === undefined) return yield* lacking("slackToken", "slackChannel")
  if (slackChannel !== undefined && slackToken === undefined) return yield* lacking("slackChannel", "slackToken")
  if (alertWebhookSecret !== undefined && alertWebhook === undefined) {
    return yield* lacking("alertWebhookSecret", "alertWebhook")
  }
  const slackBot = slackToken === undefined || slackChannel === undefined
    ? undefined
    : { token: slackToken, to: slackChannel }
  const webhook = alertWebhook === undefined ? undefined : { url: alertWebhook, secret: alertWebhookSecret }
  return { slackWebhook, slackBot, webhook, quarantineThreshold } satisfies Alerts
})

/** Reads and checks what the engine needs, whatever its graph. `cwd` is what relative paths start from. */
export const engine = (cwd: string) => Effect.flatMap(Given.read(cwd), (given) => engineOf(given, cwd))

/** Reads and checks everything. */
export const load = Effect.fnUntraced(function*(cwd: string) {
  const given = yield* Given.read(cwd)
  const { values } = given
  const own = yield* engineOf(given, cwd)
  const source = yield* Effect.fromResult(SourceSettings.make(given))
  return {
    ...own,
    source,
    ...yield* warehouse(given),
    lake: yield* lake(given, own.home, cwd),
    layout: values.layout ?? "symbol/date",
    parquet: yield* parquet(given),
    rules: Rule.without(Rule.names.filter((name) => values.rules?.[name] === false)),
    sample: values.sample === undefined ? undefined : Path.resolve(cwd, values.sample),
    watchlist: source._tag === "Sample" ? undefined : yield* watchlist(given, source),
    notices: isFreeDaily(source) && values.interval === undefined ? [DAILY] : []
  } satisfies Settings
})

const isFreeDaily = (source: SourceSettings.Source): boolean =>
  source._tag === "AlphaVantage" && source.isFree && source.interval === "1day"

const DAILY =
  "A free Alpha Vantage key: loading daily bars of the latest 100 sessions, which is what free keys may have. " +
  "With a premium plan set BAROGRAPH_QUOTA to its calls per minute for minute bars and full history."

const problem = (setting: string, message: string, fix: string) => new Given.SettingsError({ setting, message, fix })

const example = ({ _tag }: SourceSettings.Source) =>
  `set BAROGRAPH_SYMBOLS=${_tag === "Binance" ? "BTCUSDT,ETHUSDT" : "IBM,AAPL"} and BAROGRAPH_START=2024-01-02`

const watchlist = Effect.fnUntraced(function*({ placeOf, values }: Given.Given, source: SourceSettings.Source) {
  const { end, symbols } = values
  const start = values.start ?? (isFreeDaily(source) ? yield* threeMonthsAgo : undefined)
  if (symbols === undefined || start === undefined) {
    return yield* problem(
      symbols === undefined ? "BAROGRAPH_SYMBOLS" : "BAROGRAPH_START",
      "the source is not the sample, but what to load from it is not set",
      example(source)
    )
  }
  if (end !== undefined && end < start) {
    return yield* problem(
      placeOf("end"),
      `${placeOf("end")} ${end} lies before the start ${start}`,
      "set a later end, or none"
    )
  }
  return [...new Set(symbols)].map((value): Member => ({ value, from: start, to: end }))
})

/** The first of a month, so that it stays for a month: the free daily series begins before it. */
const threeMonthsAgo = Effect.map(Clock.currentTimeMillis, (now) => {
  const date = new Date(now)
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - 3, 1)).toISOString().slice(0, 10)
})

/** A Redshift, or the URL of a PostgreSQL, which is checked by whoever connects. */
const warehouse = Effect.fnUntraced(function*({ placeOf, values }: Given.Given) {
  const url = values.warehouse === undefined ? "" : Redacted.value(values.warehouse).trim()
  if (!url.startsWith(RedshiftTarget.PROTOCOL)) {
    return { warehouseUrl: url === "" ? undefined : values.warehouse, redshift: undefined }
  }
  const redshift = yield* Effect.mapError(
    Effect.fromResult(RedshiftTarget.parse(url)),
    ({ fix, message }) => problem(placeOf("warehouse"), `${placeOf("warehouse")}: ${message}`, fix)
  )
  return { warehouseUrl: undefined, redshift }
})

const lake = ({ placeOf, values }: Given.Given, home: string, cwd: string) =>
  Result.match(Location.parse(values.lake ?? Path.join(home, "lake"), cwd), {
    onSuccess: Effect.succeed,
    onFailure: ({ fix, message }) => Effect.fail(problem(placeOf("lake"), `${placeOf("lake")}: ${message}`, fix))
  })

const parquet = ({ placeOf, values }: Given.Given) =>
  Result.match(ParquetFormat.parse(values.parquet ?? "codec=zstd"), {
    onSuccess: Effect.succeed,
    onFailure: (message) =>
      Effect.fail(problem(
        placeOf("parquet"),
        `${placeOf("parquet")}: ${message}`,
        "write codec=zstd|snappy, prices=double|decimal(18,6), pages=v2|v1, separated by commas"
      ))
  })
