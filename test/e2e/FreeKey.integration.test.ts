import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as NodeFs from "node:fs/promises"
import * as Path from "node:path"
import * as Zlib from "node:zlib"
import { nyse } from "../../src/assets/nyse.ts"
import * as PeriodCalendar from "../../src/assets/PeriodCalendar.ts"
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

/** What a free key gets: the latest hundred days, weeks in full, nothing else. Every answer tells the key. */
const vendor = (known: ReadonlyArray<string>): HttpServer.Handler => (url) => {
  const of = (name: string) => url.searchParams.get(name)
  const isWeekly = of("function") === "TIME_SERIES_WEEKLY"
  if (!isWeekly && (of("function") !== "TIME_SERIES_DAILY" || of("outputsize") !== "compact")) {
    return { body: `{"Information": "Thank you, ${KEY}! This is a premium endpoint."}` }
  }
  const weeks = Calendar.allSessions(PeriodCalendar.of(nyse, "week"))
  const labels = isWeekly ? known.filter((session) => weeks.includes(session)) : known
  const rows = labels.toReversed().map((session) => [session, {
    "1. open": "10.0000",
    "2. high": "11.0000",
    "3. low": "9.0000",
    "4. close": "10.5000",
    "5. volume": isWeekly ? "61728390" : "12345678"
  }])
  const meta = {
    "1. Information": `Prices for ${KEY}`,
    "2. Symbol": of("symbol"),
    ...(isWeekly ? { "4. Time Zone": "US/Eastern" } : { "4. Output Size": "Compact", "5. Time Zone": "US/Eastern" })
  }
  const name = isWeekly ? "Weekly Time Series" : "Time Series (Daily)"
  return { body: JSON.stringify({ "Meta Data": meta, [name]: Object.fromEntries(rows) }, null, 4) }
}

/** Every row of every table, and every file of the state directory: the lake, the server's log and its own files. */
const everything = Effect.fnUntraced(function*(of: Cli.Project) {
  const tables = yield* Cli.query(
    of,
    "staging",
    `select format('select %L as "table", to_jsonb(t)::text as row from %I.%I t', table_schema || '.' || table_name,
      table_schema, table_name) as read from information_schema.tables where table_type = 'BASE TABLE'
      and table_schema not in ('pg_catalog', 'information_schema')`
  )
  const rows = yield* Cli.query(of, "staging", tables.map(({ read }) => read).join(" union all "))
  const root = Path.join(of.directory, ".barograph")
  const files = yield* Effect.promise(async () => {
    const entries = await NodeFs.readdir(root, { recursive: true, withFileTypes: true })
    return Promise.all(
      entries.filter((entry) => entry.isFile()).map(async ({ name, parentPath }) => {
        const bytes = await NodeFs.readFile(Path.join(parentPath, name))
        return [name, (name.endsWith(".gz") ? Zlib.gunzipSync(bytes) : bytes).toString("latin1")] as const
      })
    )
  })
  return { rows, files }
})

it.live(
  "a free key and a symbol are enough for daily bars, for weeks too, in one call each, and the key stays nowhere",
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
      for (const { output } of outputs) {
        expect(output).toMatchObject({ interval: "1day", rows: 1, rejected: 0 })
        expect((output as { readonly warnings: object }).warnings).toEqual({})
      }
      of.env["BAROGRAPH_INTERVAL"] = "1min"
      of.env["BAROGRAPH_START"] = start
      const minutes = yield* Cli.run(of, ["materialize", "--asset", "raw_bars"])
      expect(minutes.code).toBe(4)
      expect(minutes.stderr + minutes.stdout).toContain("This is a premium endpoint")
      expect(minutes.stderr + minutes.stdout).not.toContain(KEY)

      of.env["BAROGRAPH_INTERVAL"] = "1week"
      const before = calls.length
      const weekly = yield* Cli.run(of, [
        "materialize",
        "--asset",
        "redshift_bars",
        "--asset",
        "bars_parquet",
        "--json"
      ])
      expect(weekly).toMatchObject({ code: 0 })
      expect(calls.length - before).toBe(1)
      const weeks = Calendar.allSessions(PeriodCalendar.of(nyse, "week"))
      const stored = yield* Cli.query(
        of,
        "warehouse",
        "select session::text as session, count(*)::int4 as rows from bars where interval = '1week' group by 1 order by 1"
      )
      const ended = asked.filter((session) => weeks.includes(session))
      expect(stored).toEqual(ended.map((session) => ({ session, rows: 1 })))

      const { files, rows } = yield* everything(of)
      for (const part of ["barograph.events", "staging.bars", "quota.accounts"]) {
        expect(rows.some(({ table }) => table === part), part).toBe(true)
      }
      expect(rows.filter(({ row }) => String(row).includes(KEY))).toEqual([])
      expect(files.some(([name, text]) => name.endsWith(".gz") && text.includes("Prices for ***"))).toBe(true)
      expect(files.filter(([, text]) => text.includes(KEY)).map(([name]) => name)).toEqual([])
      expect(loaded.stdout + loaded.stderr + weekly.stdout + weekly.stderr).not.toContain(KEY)
    }),
  240_000
)
