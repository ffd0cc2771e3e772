import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Fields from "../../../src/layers/settings/Fields.ts"
import * as Settings from "../../../src/layers/settings/Settings.ts"
import * as Source from "../../../src/source.ts"

type Environment = { readonly [name: string]: string }

/** A working directory with a configuration file, if there is a text for it. */
const directory = (text?: string): string => {
  const made = Fs.mkdtempSync(Path.join(Os.tmpdir(), "settings-"))
  if (text !== undefined) Fs.writeFileSync(Path.join(made, "barograph.config.json"), text)
  return made
}

const load = (cwd: string, env: Environment = {}) =>
  Settings.load(cwd).pipe(Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env })))

const loadFile = (file: object, env: Environment = {}) => load(directory(JSON.stringify(file)), env)

const refused = (file: string | object, env: Environment = {}) =>
  Effect.map(
    Effect.flip(load(directory(typeof file === "string" ? file : JSON.stringify(file)), env)),
    ({ fix, message }) => `${message}; ${fix}`
  )

const KEY = { ALPHA_VANTAGE_API_KEY: "k" }

describe("the configuration", () => {
  it.effect("is whole without a file, a key or a variable", () =>
    Effect.gen(function*() {
      const cwd = directory()
      const settings = yield* load(cwd)
      assert.deepStrictEqual(settings.source, { _tag: "Sample" })
      assert.deepStrictEqual(settings.lake, { kind: "directory", path: Path.join(cwd, ".barograph", "lake") })
      assert.strictEqual(settings.concurrency, 4)
      assert.isUndefined(settings.watchlist)
      assert.strictEqual(settings.rules.size, 17)
    }))

  it.effect("comes from the file, and from the environment over it", () =>
    Effect.gen(function*() {
      const file = {
        symbols: ["IBM", "AAPL"],
        start: "2024-01-02",
        interval: "5min",
        concurrency: 2,
        apiKey: "from file"
      }
      const settings = yield* loadFile(file, {
        BAROGRAPH_INTERVAL: "15min",
        BAROGRAPH_END: "2024-02-01",
        BAROGRAPH_CONCURRENCY: " "
      })
      assert.strictEqual(settings.concurrency, 2)
      assert.deepStrictEqual(settings.watchlist, [
        { value: "IBM", from: "2024-01-02", to: "2024-02-01" },
        { value: "AAPL", from: "2024-01-02", to: "2024-02-01" }
      ])
      assert.strictEqual(settings.source._tag, "AlphaVantage")
      if (settings.source._tag !== "AlphaVantage") return
      assert.strictEqual(settings.source.interval, "15min")
      assert.strictEqual(Redacted.value(settings.source.apiKey), "from file")
      assert.isFalse(settings.source.adjusted)
    }))

  it.effect("loads daily bars with a free key, from three months back, and says so", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.parse("2026-11-24T12:00:00Z"))
      const free = yield* load(directory(), { ...KEY, BAROGRAPH_SYMBOLS: "IBM" })
      assert.include(free.source, { _tag: "AlphaVantage", interval: "1day", isFree: true })
      assert.deepStrictEqual(free.watchlist, [{ value: "IBM", from: "2026-08-01", to: undefined }])
      assert.include(free.notices.join(), "daily")
      const env = { ...KEY, BAROGRAPH_SYMBOLS: "IBM", BAROGRAPH_START: "2024-01-02" }
      const premium = yield* load(directory(), { ...env, BAROGRAPH_QUOTA: "75" })
      assert.include(premium.source, { interval: "1min", isFree: false })
      assert.deepStrictEqual(premium.source._tag === "AlphaVantage" && premium.source.limits, { perMinute: 75 })
      assert.deepStrictEqual(premium.notices, [])
      assert.deepStrictEqual((yield* load(directory(), { ...env, BAROGRAPH_INTERVAL: "1min" })).notices, [])
    }))

  it.effect("loads weeks and months with a free key too, of Alpha Vantage alone", () =>
    Effect.gen(function*() {
      const env = { BAROGRAPH_SYMBOLS: "IBM", BAROGRAPH_START: "2010-01-04" }
      for (
        const [interval, calendar] of [["1week", "XNYS weeks"], ["1month", "XNYS months"], ["1day", "XNYS"]] as const
      ) {
        const { notices, source } = yield* load(directory(), { ...KEY, ...env, BAROGRAPH_INTERVAL: interval })
        assert.include(source, { _tag: "AlphaVantage", interval, isFree: true })
        assert.strictEqual(Source.calendar(source).name, calendar)
        assert.deepStrictEqual(notices, [])
      }
      const binance = { ...env, BAROGRAPH_SOURCE: "binance", BAROGRAPH_INTERVAL: "1week" }
      const said = "BAROGRAPH_INTERVAL is 1week, which the source binance does not serve; use an interval of minutes"
      assert.strictEqual(yield* refused({}, binance), said)
      const early = { ...KEY, BAROGRAPH_SYMBOLS: "IBM", BAROGRAPH_INTERVAL: "1month" }
      assert.include(yield* refused({}, early), "what to load from it is not set; set BAROGRAPH_SYMBOLS=IBM,AAPL and")
    }))

  it.effect("is looked for where BAROGRAPH_CONFIG says, and its paths begin there", () =>
    Effect.gen(function*() {
      const elsewhere = directory(JSON.stringify({ home: "state", lake: "lake", sample: "my.csv.gz" }))
      const settings = yield* load(directory(), { BAROGRAPH_CONFIG: Path.join(elsewhere, "barograph.config.json") })
      assert.strictEqual(settings.home, Path.join(elsewhere, "state"))
      assert.deepStrictEqual(settings.lake, { kind: "directory", path: Path.join(elsewhere, "lake") })
      assert.strictEqual(settings.sample, Path.join(elsewhere, "my.csv.gz"))
      const missing = yield* refused({}, { BAROGRAPH_CONFIG: "none.json" })
      assert.include(missing, "none.json cannot be read (ENOENT)")
    }))

  it.effect("names the place, the field and what was expected of a bad value", () =>
    Effect.gen(function*() {
      const at = (field: string) => `"${field}" of barograph.config.json is`
      assert.include(yield* refused({ interval: "2min" }), `${at("interval")} "2min"; expected one of 1min, 5min`)
      assert.include(yield* refused({ start: "yesterday" }), `${at("start")} "yesterday"; expected a date`)
      for (const end of ["2024-02-30", "2023-02-29", "2024-13-01", "2024-1-1"]) {
        assert.include(yield* refused({ end }), `${at("end")} "${end}"; expected a date`)
      }
      assert.include(
        yield* refused({ sourceUrl: "vendor.example" }),
        `${at("sourceUrl")} "vendor.example"; expected an`
      )
      assert.include(
        yield* refused({ sourceUrl: "htps://me:s3cret@vendor.example/?apikey=k3y" }),
        `${at("sourceUrl")} "htps://me:***@vendor.example/?apikey=***"`
      )
      yield* load(directory(JSON.stringify({ sourceUrl: "HTTPS://vendor.example" })))
      assert.include(yield* refused({ symbols: [] }), `${at("symbols")} []; expected symbols`)
      assert.include(yield* refused({ symbols: "IBM" }), `${at("symbols")} "IBM"`)
      assert.include(yield* refused({ adjusted: "yes" }), `${at("adjusted")} "yes"; expected true or false`)
      assert.include(yield* refused({ quota: 0 }), `${at("quota")} 0; expected "free" or`)
      assert.include(yield* refused({ rules: { wick: "off" } }), `${at("rules")} {"wick":"off"}`)
      assert.include(yield* refused({ concurrency: 1.5 }), "whole number from 1 to 999")
      assert.include(yield* refused({}, { BAROGRAPH_CONCURRENCY: "many" }), "BAROGRAPH_CONCURRENCY is \"many\"")
      assert.include(yield* refused({}, { BAROGRAPH_RULES: "wik=off" }), "BAROGRAPH_RULES is {\"wik\":false}")
      assert.include(yield* refused({ intervall: "1min" }), "Did you mean \"interval\"?")
      assert.include(yield* refused("[1]"), "barograph.config.json is no JSON object")
    }))

  it.effect("limits runs by tag, and says what was written where that is no limit", () =>
    Effect.gen(function*() {
      const limits = (text: string) => Effect.map(load(directory(), { BAROGRAPH_TAG_LIMITS: text }), (s) => s.tagLimits)
      assert.deepStrictEqual(yield* limits("team=etl:1, backfill : 2,"), { "team=etl": 1, backfill: 2 })
      assert.deepStrictEqual((yield* loadFile({ tagLimits: { "team=etl": 1 } })).tagLimits, { "team=etl": 1 })
      const right = "expected whole numbers from 1 to 999 for tags, as in { \"team=etl\": 1 }; " +
        "in the environment backfill:2,team=etl:1"
      for (const text of ["team=etl", ":3", "team=etl:", "team=etl:many", "=etl:1", "{\"team=etl\": 1}", "a:1,:2"]) {
        const said = yield* refused({}, { BAROGRAPH_TAG_LIMITS: text })
        assert.strictEqual(said, `BAROGRAPH_TAG_LIMITS is ${JSON.stringify(text)}; ${right}`)
      }
      const where = "\"tagLimits\" of barograph.config.json is"
      assert.strictEqual(yield* refused({ tagLimits: { "": 3 } }), `${where} {"":3}; ${right}`)
      assert.strictEqual(yield* refused({ tagLimits: { "a:b": 3 } }), `${where} {"a:b":3}; ${right}`)
      assert.strictEqual(yield* refused({ tagLimits: { a: 0 } }), `${where} {"a":0}; ${right}`)
    }))

  it.effect("shows no secret, neither a bad one nor one beside a syntax error", () =>
    Effect.gen(function*() {
      const said = [
        yield* refused({ apiKey: ["s3cr3t"] }),
        yield* refused("{\"apiKey\": \"s3cr3t\" \"start\": 1}"),
        JSON.stringify(yield* loadFile({ databaseUrl: "postgres://a:s3cr3t@b/c", apiKey: "s3cr3t", symbols: ["A"] }))
      ]
      assert.notInclude(said.join(), "s3cr3t")
      assert.include(said[1]!, "(line 1 column 21)")
    }))

  it.effect("refuses a symbol that some store could not hold, and no other", () =>
    Effect.gen(function*() {
      const own = { ...KEY, BAROGRAPH_START: "2024-01-02", BAROGRAPH_QUOTA: "75" }
      const odd = ["BRK.B", "A\\b", "O'N", "%00", "..", "日本語", "😀", "日".repeat(21), "A".repeat(32)]
      const { watchlist } = yield* load(directory(JSON.stringify({ symbols: odd })), own)
      assert.deepStrictEqual(watchlist!.map(({ value }) => value), odd)
      for (const wrong of ["A\0B", "A\u001b[31m", "\ud800", "日".repeat(22), "A".repeat(33), "A B", ""]) {
        assert.include(
          yield* refused({ symbols: ["IBM", wrong] }, own),
          "expected symbols as in",
          JSON.stringify(wrong)
        )
      }
    }))

  it.effect("refuses what does not fit together", () =>
    Effect.gen(function*() {
      assert.include(yield* refused({}, KEY), "BAROGRAPH_SYMBOLS")
      assert.include(yield* refused({ symbols: ["A"], quota: 75 }, KEY), "BAROGRAPH_START")
      assert.include(yield* refused({ source: "alpha-vantage" }), "there is no key")
      assert.include(yield* refused({ source: "alpaca" }), "APCA_API_KEY_ID")
      assert.include(yield* refused({ source: "binance", interval: "1day" }), "does not serve")
      assert.include(yield* refused({ interval: "5min" }), "the sample has 1min bars")
      assert.include(
        yield* refused({ symbols: ["A"], start: "2024-02-01", end: "2024-01-01" }, KEY),
        "lies before the start 2024-02-01; set a later end"
      )
      assert.include(yield* refused({ source: "binance" }), "BAROGRAPH_SYMBOLS=BTCUSDT")
      assert.include(yield* refused({ lake: "ftp://bucket" }), "ftp")
      assert.include(yield* refused({ lake: "s3:/lake/bars" }), "\"s3:/lake/bars\" is neither a directory nor a bucket")
      assert.include(yield* refused({ home: "~/bars" }), "\"home\" of barograph.config.json is \"~/bars\"")
      assert.include(yield* refused({}, { BAROGRAPH_LAKE: "~/lake" }), "without a ~, which only a shell knows")
    }))

  it.effect("switches quality rules off, in the file and in the environment", () =>
    Effect.gen(function*() {
      const file = yield* loadFile({ rules: { wick: false, gap: true } })
      assert.isFalse(file.rules.has("wick"))
      assert.isTrue(file.rules.has("gap"))
      const env = yield* load(directory(), { BAROGRAPH_RULES: "gap=off, wick = on" })
      assert.isFalse(env.rules.has("gap"))
      assert.isTrue(env.rules.has("wick"))
    }))

  it.effect("says where alerts go, for every graph, and which settings belong together", () =>
    Effect.gen(function*() {
      const HOOK = "https://hooks.slack.com/services/T0/B0/k3y"
      const nowhere = {
        slackWebhook: undefined,
        slackBot: undefined,
        webhook: undefined,
        quarantineThreshold: undefined
      }
      assert.deepStrictEqual((yield* load(directory())).alerts, nowhere)
      const { alerts } = yield* loadFile({
        slackWebhook: HOOK,
        quarantineThreshold: 0,
        alertWebhook: "http://localhost:1"
      }, {
        BAROGRAPH_SLACK_TOKEN: "xoxb-k3y",
        BAROGRAPH_SLACK_CHANNEL: "#alerts"
      })
      assert.strictEqual(Redacted.value(alerts.slackWebhook!), HOOK)
      assert.strictEqual(Redacted.value(alerts.slackBot!.token), "xoxb-k3y")
      assert.strictEqual(alerts.slackBot!.to, "#alerts")
      assert.isUndefined(alerts.webhook!.secret)
      assert.strictEqual(alerts.quarantineThreshold, 0)
      assert.notInclude(JSON.stringify(alerts), "k3y")
      assert.include(yield* refused({ slackToken: "xoxb-k3y" }), "set BAROGRAPH_SLACK_CHANNEL too")
      assert.include(yield* refused({ slackChannel: "C0" }), "set BAROGRAPH_SLACK_TOKEN too")
      assert.include(yield* refused({ alertWebhookSecret: "k3y" }), "set BAROGRAPH_ALERT_WEBHOOK too")
      const bad = yield* refused({ slackWebhook: "hooks.slack.com/k3y" })
      assert.include(bad, "begins with https://")
      assert.notInclude(bad, "k3y")
    }))

  it("says of every field what it is", () => {
    for (const name of Fields.names) {
      const { env, expected, schema } = Fields.fields[name]
      const description = Schema.resolveAnnotations(schema as Schema.Top)?.description
      assert.isAbove(description?.length ?? 0, 15, name)
      assert.isAbove(expected.length, 3, name)
      assert.match(env[0], /^[A-Z_]+$/)
    }
  })
})
