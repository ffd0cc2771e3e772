/**
 * Every field of the configuration: what it is called in the file and in the environment, what it may be, and what it
 * means. The schema of the file and the environment is made of these, and the README's table says the same.
 */
import * as Schema from "effect/Schema"
import * as Zone from "../../runtime/partition/Zone.ts"
import * as Rule from "../bars/Rule.ts"
import * as Layout from "../lake/Layout.ts"

/** A field by its schema, which is for the file's JSON; `parse` makes that JSON of an environment variable's text. */
interface Field<S extends Schema.Top> {
  readonly schema: S
  /** Environment variables, the first one found counts. */
  readonly env: readonly [string, ...ReadonlyArray<string>]
  /** What a value has to be, as the end of "expected …". */
  readonly expected: string
  readonly parse: (text: string) => unknown
  /** A secret's value is never shown. */
  readonly secret?: true
  /** Relative to the file where the file gives it. */
  readonly path?: true
}

const itself = (text: string): unknown => text

/** Digits are a number; other text stays and is refused with its own words. */
const number = (text: string): unknown => /^\d{1,9}$/.test(text) ? Number(text) : text

const boolean = (text: string): unknown =>
  ["true", "yes", "on"].includes(text) ? true : ["false", "no", "off"].includes(text) ? false : text

const list = (text: string): ReadonlyArray<string> =>
  text.split(",").map((item) => item.trim()).filter((item) => item !== "")

/** `wick=off,gap=on`. */
const switches = (text: string): unknown =>
  Object.fromEntries(
    text.split(",").map((item) => {
      const [name = "", state = ""] = item.split("=").map((part) => part.trim())
      return [name, boolean(state)]
    })
  )

const TAG = /^[^=:,]+(=[^=:,]*)?$/

/** `backfill:2,team=etl:1`; other text stays and is refused with its own words. */
const counts = (text: string): unknown => {
  const found = list(text).map((item): readonly [tag: string, count: unknown] => {
    const at = item.lastIndexOf(":")
    return [item.slice(0, at).trim(), at < 0 ? undefined : number(item.slice(at + 1).trim())]
  })
  return found.every(([tag, count]) => TAG.test(tag) && typeof count === "number") ? Object.fromEntries(found) : text
}

const text = Schema.String.check(Schema.isNonEmpty())
const count = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 999 }))
const date = Schema.String.check(Schema.makeFilter(Zone.isDate))

/** 64 bytes are what the warehouse's column holds; no store holds a NUL or half of a character. */
const symbol = Schema.String.check(
  Schema.isPattern(/^[^\s,/=\p{Cc}\p{Cs}]{1,32}$/u),
  Schema.makeFilter((text) => Buffer.byteLength(text) <= 64)
)

const switchedRules = Schema.Record(Schema.String, Schema.Boolean).check(
  Schema.makeFilter((given) => Object.keys(given).every((name) => Object.hasOwn(Rule.rules, name)))
)

/** A key that a record's schema does not take would be left out in silence. */
const limitedTags = Schema.Record(Schema.String, count).check(
  Schema.makeFilter((given) => Object.keys(given).every((tag) => TAG.test(tag)))
)

const ADDRESS = /^https?:\/\/[^\s/]\S*$/i

const oneOf = <const L extends ReadonlyArray<string>>(env: string, values: L, description: string) =>
  ({
    schema: Schema.Literals(values).annotate({ description }),
    env: [env],
    expected: `one of ${values.join(", ")}`,
    parse: itself
  }) satisfies Field<Schema.Top>

const secret = (env: string, description: string) =>
  ({
    schema: Schema.RedactedFromValue(text).annotate({ description }),
    env: [env],
    expected: "a text",
    parse: itself,
    secret: true
  }) satisfies Field<
    Schema.Top
  >

/** An address that is a secret, because whoever has it may write there. */
const secretUrl = (env: string, description: string) =>
  ({
    ...secret(env, description),
    schema: Schema.RedactedFromValue(text.check(Schema.isPattern(ADDRESS))).annotate({ description }),
    expected: "an address that begins with https://"
  }) satisfies Field<Schema.Top>

const path = (env: string, description: string) =>
  ({
    schema: text.check(Schema.isPattern(/^(?!\s*~(?:\/|$))/)).annotate({ description }),
    env: [env],
    expected: "a path, without a ~, which only a shell knows",
    parse: itself,
    path: true
  }) satisfies Field<
    Schema.Top
  >

const day = (env: string, description: string) =>
  ({
    schema: date.annotate({ description }),
    env: [env],
    expected: "a date as in 2024-01-02",
    parse: itself
  }) satisfies Field<
    Schema.Top
  >

export const fields = {
  source: oneOf(
    "BAROGRAPH_SOURCE",
    ["sample", "alpha-vantage", "alpaca", "binance"],
    "Where bars come from. Without it: Alpha Vantage where there is a key of it, else the sample."
  ),
  symbols: {
    schema: Schema.Array(symbol).check(Schema.isMinLength(1)).annotate({
      description: "What to load, as the source names it. Needed with every source but the sample."
    }),
    env: ["BAROGRAPH_SYMBOLS"],
    expected: "symbols as in [\"IBM\", \"AAPL\"], in the environment IBM,AAPL",
    parse: list
  },
  start: day("BAROGRAPH_START", "The first date to load. Free daily bars go back three months without it."),
  end: day("BAROGRAPH_END", "The last date to load; without it there is none."),
  interval: oneOf(
    "BAROGRAPH_INTERVAL",
    ["1min", "5min", "15min", "30min", "60min", "1day", "1week", "1month"],
    "The width of a bar. Without it: 1day with a free Alpha Vantage key, which gets no minutes, else 1min."
  ),
  adjusted: {
    schema: Schema.Boolean.annotate({
      description:
        "Prices adjusted by the vendor. Off, because every split and dividend then rewrites all bars before it."
    }),
    env: ["BAROGRAPH_ADJUSTED"],
    expected: "true or false",
    parse: boolean
  },
  hours: oneOf(
    "BAROGRAPH_HOURS",
    ["extended", "regular"],
    "Extended hours are 04:00 to 20:00 and the default; regular ones 09:30 to 16:00, which lack the closing auction."
  ),
  quota: {
    schema: Schema.Union([Schema.Literal("free"), Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000 }))])
      .annotate({
        description:
          "The plan: free is 25 calls a day, one a second; a number is the calls per minute of a premium plan."
      }),
    env: ["BAROGRAPH_QUOTA"],
    expected: "\"free\" or the calls per minute of the plan, as in 75",
    parse: number
  },
  dataType: oneOf(
    "BAROGRAPH_DATA_TYPE",
    ["json", "csv"],
    "What Alpha Vantage sends: JSON says what it is, CSV is a third as long."
  ),
  entitlement: oneOf(
    "BAROGRAPH_ENTITLEMENT",
    ["realtime", "delayed"],
    "For Alpha Vantage plans with data of the running day."
  ),
  feed: oneOf("ALPACA_FEED", ["sip", "iex"], "Of Alpaca: sip is all trades and the default, iex one exchange's."),
  rules: {
    schema: switchedRules.annotate({ description: "Quality rules to switch off, as in { \"wick\": false }." }),
    env: ["BAROGRAPH_RULES"],
    expected: `true or false for any of ${Rule.names.join(", ")}; in the environment wick=off`,
    parse: switches
  },
  apiKey: secret("ALPHA_VANTAGE_API_KEY", "The key of Alpha Vantage."),
  alpacaKeyId: secret("APCA_API_KEY_ID", "The key id of Alpaca."),
  alpacaSecretKey: secret("APCA_API_SECRET_KEY", "The secret key of Alpaca."),
  sourceUrl: {
    schema: text.check(Schema.isPattern(ADDRESS)).annotate({
      description: "The source's address, where it is not the vendor's own."
    }),
    env: ["BAROGRAPH_SOURCE_URL", "ALPHA_VANTAGE_URL"],
    expected: "an address that begins with https://",
    parse: itself
  },
  sample: path("BAROGRAPH_SAMPLE", "The sample to replay; the bundled one without it."),
  home: path("BAROGRAPH_HOME", "State directory: embedded PostgreSQL, and the lake unless it is elsewhere."),
  lake: path("BAROGRAPH_LAKE", "Where raw payloads and Parquet files are: a directory, or s3://bucket/prefix?region=…"),
  layout: oneOf(
    "BAROGRAPH_LAKE_LAYOUT",
    Layout.LAYOUTS,
    "symbol/month or date adds larger files to the sessions' own: assets bars_by_month, bars_by_date."
  ),
  parquet: {
    schema: text.annotate({ description: "How Parquet is written: codec, prices, pages." }),
    env: ["BAROGRAPH_PARQUET"],
    expected: "a text as in codec=zstd,prices=double,pages=v2",
    parse: itself
  },
  databaseUrl: secret("DATABASE_URL", "PostgreSQL to use instead of the embedded one."),
  warehouse: secret(
    "BAROGRAPH_WAREHOUSE",
    "Amazon Redshift, redshift-data://…, or another PostgreSQL to stand in for it."
  ),
  concurrency: {
    schema: count.annotate({ description: "Steps at a time." }),
    env: ["BAROGRAPH_CONCURRENCY"],
    expected: "a whole number from 1 to 999",
    parse: number
  },
  maxRuns: {
    schema: count.annotate({ description: "Runs at a time, in all processes together; any number without it." }),
    env: ["BAROGRAPH_MAX_RUNS"],
    expected: "a whole number from 1 to 999",
    parse: number
  },
  tagLimits: {
    schema: limitedTags.annotate({
      description: "Runs with a tag at a time, as in { \"backfill\": 2, \"team=etl\": 1 }."
    }),
    env: ["BAROGRAPH_TAG_LIMITS"],
    expected:
      "whole numbers from 1 to 999 for tags, as in { \"team=etl\": 1 }; in the environment backfill:2,team=etl:1",
    parse: counts
  },
  slackWebhook: secretUrl("BAROGRAPH_SLACK_WEBHOOK", "An incoming webhook of Slack: alerts go there."),
  slackToken: secret("BAROGRAPH_SLACK_TOKEN", "The token of a Slack bot: its alerts keep each incident in a thread."),
  slackChannel: {
    schema: Schema.String.check(Schema.isPattern(/^#?[\w.-]{1,80}$/)).annotate({
      description: "The channel that the bot of slackToken writes to."
    }),
    env: ["BAROGRAPH_SLACK_CHANNEL"],
    expected: "the id or the name of a channel",
    parse: itself
  },
  alertWebhook: secretUrl("BAROGRAPH_ALERT_WEBHOOK", "An address of yours: alerts are posted there as JSON."),
  alertWebhookSecret: secret("BAROGRAPH_ALERT_WEBHOOK_SECRET", "What alerts to alertWebhook are signed with."),
  quarantineThreshold: {
    schema: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999_999_999 })).annotate({
      description: "More refused rows of an asset in one run are an alert."
    }),
    env: ["BAROGRAPH_QUARANTINE_THRESHOLD"],
    expected: "a whole number",
    parse: number
  }
} as const satisfies { readonly [name: string]: Field<Schema.Top> }

export type Name = keyof typeof fields

export const names = Object.keys(fields) as ReadonlyArray<Name>

export type Values = { readonly [N in Name]: (typeof fields)[N]["schema"]["Type"] | undefined }
