import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as NodeFs from "node:fs/promises"
import * as Path from "node:path"
import { nyse } from "../../src/assets/nyse.ts"
import * as Calendar from "../../src/runtime/partition/Calendar.ts"
import * as Cli from "../support/Cli.ts"
import * as HttpServer from "../support/HttpServer.ts"

const KEY = "K3Y0123456789ABC"
const date = (millis: number): string => new Date(millis).toISOString().slice(0, 10)

/** The sessions that are over, the latest hundred of them. */
const sessions = () => {
  const now = Date.now()
  return Calendar.sessionsBetween(nyse, date(now - 200 * 86_400_000), date(now))
    .filter((session) => Calendar.closesAt(nyse, session) < now)
    .slice(-100)
}

/** What a free key gets: the latest hundred days, nothing else. */
const vendor = (known: ReadonlyArray<string>): HttpServer.Handler => (url) => {
  const of = (name: string) => url.searchParams.get(name)
  if (of("function") !== "TIME_SERIES_DAILY" || of("outputsize") !== "compact") {
    return { body: "{\"Information\": \"Thank you! This is a premium endpoint.\"}" }
  }
  const rows = known.toReversed().map((session) => [session, {
    "1. open": "10.0000",
    "2. high": "11.0000",
    "3. low": "9.0000",
    "4. close": "10.5000",
    "5. volume": "12345678"
  }])
  const meta = { "2. Symbol": of("symbol"), "4. Output Size": "Compact", "5. Time Zone": "US/Eastern" }
  return { body: JSON.stringify({ "Meta Data": meta, "Time Series (Daily)": Object.fromEntries(rows) }, null, 4) }
}

it.live(
  "a free key and a symbol are enough for daily bars, in one call, and the program says what it does",
  () =>
    Effect.gen(function*() {
      const known = sessions()
      const { baseUrl, calls } = yield* HttpServer.serve(vendor(known))
      const of = yield* Cli.project
      const config = { symbols: ["IBM"], sourceUrl: baseUrl }
      yield* Effect.promise(() =>
        NodeFs.writeFile(Path.join(of.directory, "barograph.config.json"), JSON.stringify(config))
      )
      of.env["ALPHA_VANTAGE_API_KEY"] = KEY
      const loaded = yield* Cli.run(of, ["materialize", "--asset", "redshift_bars", "--json"])
      expect(loaded).toMatchObject({ code: 0 })
      expect(loaded.stderr).toContain("loading daily bars of the latest 100 sessions")
      expect(calls).toHaveLength(1)
      const [row] = yield* Cli.query(
        of,
        "warehouse",
        "select count(*)::int4 as rows, min(session)::text as first, max(session)::text as last from bars"
      )
      const now = new Date()
      const start = date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 3, 1))
      const asked = known.filter((session) => session >= start)
      expect(row).toEqual({ rows: asked.length, first: asked[0], last: asked.at(-1) })
      const outputs = yield* Cli.query(
        of,
        "staging",
        "select output from barograph.materializations where asset = 'staged_bars'"
      )
      for (const { output } of outputs) expect(output).toMatchObject({ interval: "1day", rows: 1, warnings: {} })
      of.env["BAROGRAPH_INTERVAL"] = "1min"
      of.env["BAROGRAPH_START"] = start
      const minutes = yield* Cli.run(of, ["materialize", "--asset", "raw_bars"])
      expect(minutes.code).toBe(4)
      expect(minutes.stderr + minutes.stdout).toContain("This is a premium endpoint")
      expect(minutes.stderr + minutes.stdout).not.toContain(KEY)
    }),
  240_000
)
