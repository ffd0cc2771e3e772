import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as NodeFs from "node:fs/promises"
import * as Http from "node:http"
import * as Path from "node:path"
import * as Cli from "../support/Cli.ts"

const refused = Effect.fnUntraced(
  function*(of: Cli.Project, args: ReadonlyArray<string>, code: number, ...said: ReadonlyArray<string>) {
    const ended = yield* Cli.run(of, args)
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code, stdout: "" })
    for (const text of said) expect(ended.stderr).toContain(text)
  }
)

it.live("usage errors exit with 2 and say what was meant", () =>
  Effect.gen(function*() {
    const of = yield* Cli.project
    yield* refused(of, ["materialize", "--asset", "redshift_barz"], 2, "Did you mean \"redshift_bars\"?")
    yield* refused(of, ["materialize", "--aset", "redshift_bars"], 2, "--aset", "--asset")
    yield* refused(of, ["materialise"], 2, "materialize")
    yield* refused(of, ["materialize"], 2, "--asset")
    yield* refused(of, ["materialize", "--asset", "redshift_bars", "-p", "symbol=IBN"], 2, "Did you mean \"IBM\"?")
    yield* refused(
      of,
      ["materialize", "--asset", "redshift_bars", "-p", "session=2013-10-05"],
      2,
      "2013-10-04, 2013-10-07"
    )
    yield* refused(
      of,
      ["materialize", "--asset", "raw_bars", "-p", "session=2013-10-04"],
      2,
      "no partition dimension \"session\""
    )
    yield* refused(of, ["query", "select 1", "--store", "warehous"], 2, "Did you mean \"warehouse\"?")
    yield* refused(of, ["query", ""], 2, "Nothing is asked")
    yield* refused(of, ["query", "drop schema staging"], 2, "read-only")
    yield* refused(of, ["run", "show", "nothing"], 2, "There is no run")
  }), 120_000)

it.live("a configuration that cannot be used exits with 3 and says how to mend it", () =>
  Effect.gen(function*() {
    const of = yield* Cli.project
    const args = ["materialize", "--asset", "raw_bars"]
    const secret = "s3cr3t-pa55"
    of.env["DATABASE_URL"] = `postgres://someone:${secret}@127.0.0.1:9/nothing`
    const ended = yield* Cli.run(of, args)
    expect(ended.code).toBe(3)
    expect(ended.stderr).toContain("fix:")
    expect(ended.stderr + ended.stdout).not.toContain(secret)
    of.env["DATABASE_URL"] = "not a url"
    yield* refused(of, args, 3, "DATABASE_URL", "fix:")
    delete of.env["DATABASE_URL"]
    for (
      const wrong of [`postgres://someone:${secret}@127.0.0.1:9/nothing`, `redshift://me:${secret}@cluster:5439/dev`]
    ) {
      of.env["BAROGRAPH_WAREHOUSE"] = wrong
      for (
        const asked of [["materialize", "--asset", "redshift_bars"], ["query", "select 1", "--store", "warehouse"]]
      ) {
        const { code, stderr } = yield* Cli.run(of, asked)
        expect(code).toBe(3)
        expect(stderr).toMatch(/error: .*BAROGRAPH_WAREHOUSE|fix: .*BAROGRAPH_WAREHOUSE/)
        expect(stderr).not.toContain("DATABASE_URL")
        expect(stderr).not.toContain(secret)
      }
    }
    delete of.env["BAROGRAPH_WAREHOUSE"]
    of.env["BAROGRAPH_SAMPLE"] = "missing.csv.gz"
    yield* refused(of, args, 3, "missing.csv.gz", "fix:")
    delete of.env["BAROGRAPH_SAMPLE"]
    of.env["BAROGRAPH_SOURCE_URL"] = "vendor.example"
    yield* refused(of, args, 3, "BAROGRAPH_SOURCE_URL", "https://", "fix:")
    delete of.env["BAROGRAPH_SOURCE_URL"]
    of.env["BAROGRAPH_CONCURRENCY"] = "many"
    yield* refused(of, args, 3, "BAROGRAPH_CONCURRENCY", "fix:")
    delete of.env["BAROGRAPH_CONCURRENCY"]
    of.env["ALPHA_VANTAGE_API_KEY"] = "key"
    yield* refused(of, args, 3, "BAROGRAPH_SYMBOLS", "fix:")
    delete of.env["ALPHA_VANTAGE_API_KEY"]
    yield* Effect.promise(() => NodeFs.writeFile(Path.join(of.directory, "file"), ""))
    of.env["BAROGRAPH_HOME"] = "file/home"
    yield* refused(of, args, 3, "fix:")
    delete of.env["BAROGRAPH_HOME"]
  }), 120_000)

const row = (label: string, close: string) =>
  `"${label}": {"1. open": "10.0000", "2. high": "12.0000", "3. low": "9.0000", "4. close": "${close}", "5. volume": "100"}`

const series = (rows: ReadonlyArray<string>, end = "}}") =>
  `{"Meta Data": {"1. Information": "Intraday (1min) open, high, low, close prices and volume", "2. Symbol": "IBM",
    "3. Last Refreshed": "2024-01-03 19:59:00", "4. Interval": "1min", "5. Output Size": "Full size", "6. Time Zone": "US/Eastern"},
    "Time Series (1min)": {${rows.join(",")}${end}`

/** A vendor on this machine that answers what the test says. */
const vendor = (answer: { body: string }) =>
  Effect.acquireRelease(
    Effect.promise(() =>
      new Promise<Http.Server>((resolve) => {
        const server = Http.createServer((_, response) => response.end(answer.body))
        server.listen(0, "127.0.0.1", () => resolve(server))
      })
    ),
    (server) => Effect.sync(() => server.close())
  )

it.live(
  "bad rows are quarantined with their reason, a cut-off or damaged payload loses nothing, and the key is nowhere",
  () =>
    Effect.gen(function*() {
      const key = "K3Y0123456789ABC"
      const answer = {
        body: series([
          row("2024-01-03 10:00:00", "11.0000"),
          row("2024-01-03 09:59:00", "None"),
          row("2024-01-02 10:00:00", "11.5000")
        ])
      }
      const server = yield* vendor(answer)
      const of = yield* Cli.project
      const address = server.address() as { readonly port: number }
      Object.assign(of.env, {
        ALPHA_VANTAGE_API_KEY: key,
        ALPHA_VANTAGE_URL: `http://127.0.0.1:${address.port}/query`,
        BAROGRAPH_INTERVAL: "1min",
        BAROGRAPH_SYMBOLS: "IBM",
        BAROGRAPH_START: "2024-01-02",
        BAROGRAPH_END: "2024-01-03"
      })
      const args = ["materialize", "--asset", "redshift_bars", "--json"]
      const first = yield* Cli.run(of, args)
      expect(first).toMatchObject({ code: 0 })
      expect(JSON.parse(first.stdout)).toMatchObject({ assets: { staged_bars: { sums: { rows: 2, rejected: 1 } } } })
      const quarantined = yield* Cli.query(
        of,
        "staging",
        "select reason, raw, session::text from staging.quarantined_rows"
      )
      expect(quarantined).toHaveLength(1)
      expect(quarantined[0]!["reason"]).toContain("close")
      expect(quarantined[0]!["raw"]).toContain("None")

      const rows = [row("2024-01-03 10:00:00", "11.0000"), row("2024-01-03 09:59:00", "11.2500")]
      answer.body = series([...rows, "\"2024-01-02 10:00:00\": {\"1. open\": \"10."], "")
      const cut = yield* Cli.run(of, ["materialize", "--asset", "raw_bars", "--force"])
      expect(cut.code).toBe(4)
      expect(cut.stderr + cut.stdout).toContain("cut off")

      answer.body = series([...rows, "\"2024-01-02 10:00:00\": {\"1. open\" \"10.0000\"}"])
      expect((yield* Cli.run(of, ["materialize", "--asset", "raw_bars", "--force"])).code).toBe(0)
      const damaged = yield* Cli.run(of, args)
      expect(JSON.parse(damaged.stdout)).toMatchObject({
        assets: { staged_bars: { sums: { rows: 3, removed: 0, rejected: 1 } } }
      })

      answer.body = `{"Error Message": "Invalid API call. Please retry"}`
      expect((yield* Cli.run(of, ["materialize", "--asset", "raw_bars", "--force"])).code).toBe(4)
      answer.body = series([row("2024-01-03 10:00:00", "11.0000")])
      const retried = yield* Cli.run(of, ["run", "retry", "latest", "--json"])
      expect(JSON.parse(retried.stdout)).toMatchObject({
        status: "succeeded",
        assets: { raw_bars: { materialized: 1 } }
      })

      answer.body =
        `{"Information": "We have detected your API key as ${key} and our standard API rate limit is 25 requests per day."}`
      const quota = yield* Cli.run(of, ["materialize", "--asset", "raw_bars", "--force"])
      expect(quota.code).toBe(4)
      expect(quota.stderr + quota.stdout).toContain("25 requests per day")

      const events = yield* Cli.query(of, "staging", "select data::text from barograph.events")
      const said = [first, cut, damaged, quota].map(({ stderr, stdout }) => stderr + stdout).join("") +
        JSON.stringify(events)
      expect(said).not.toContain(key)
      const files = yield* Effect.promise(() => NodeFs.readdir(of.directory, { recursive: true, withFileTypes: true }))
      for (const file of files.filter((file) => file.isFile())) {
        const bytes = yield* Effect.promise(() => NodeFs.readFile(Path.join(file.parentPath, file.name)))
        expect(bytes.includes(key), file.name).toBe(false)
      }
    }),
  180_000
)

it.live("the commands that look at things answer as text and as JSON", () =>
  Effect.gen(function*() {
    const of = yield* Cli.project
    expect(
      (yield* Cli.run(of, ["materialize", "--asset", "redshift_bars", "-p", "symbol=IBM,session=2013-10-04"])).code
    ).toBe(0)
    const list = yield* Cli.run(of, ["asset", "list"])
    expect(list.stdout).toMatch(/redshift_bars\s+30\s+1\s+0/)
    expect(JSON.parse((yield* Cli.run(of, ["asset", "show", "staged_bars", "--json"])).stdout)).toMatchObject({
      reads: ["raw_bars"],
      feeds: ["bars_parquet", "redshift_bars", "session_bars", "adjusted_bars", "coverage"],
      total: 30,
      materialized: 1
    })
    expect((yield* Cli.run(of, ["run", "show", "latest"])).stdout).toContain(
      "redshift_bars: materialized symbol=IBM,session=2013-10-04"
    )
    const missing = yield* Cli.run(of, ["partition", "list", "bars_parquet", "-p", "symbol=IBM", "--json"])
    expect(JSON.parse(missing.stdout)).toHaveLength(6)
    expect(JSON.parse(missing.stdout)[0]).toMatchObject({
      partition: "symbol=IBM,session=2013-10-04",
      status: "missing"
    })
    const one = yield* Cli.run(of, ["partition", "list", "staged_bars", "--status", "materialized"])
    expect(one.stdout).toContain("symbol=IBM,session=2013-10-04")
    expect(one.stdout).not.toContain("symbol=IBM,session=2013-10-07")
    expect((yield* Cli.run(of, ["doctor"])).code).toBe(0)
    const help = yield* Cli.run(of, ["--help"])
    expect(help.code).toBe(0)
    expect(help.stdout).toContain("materialize")
  }), 120_000)

it.live(
  "data that cannot be written is an error, and a reader that has seen enough is none",
  () =>
    Effect.gen(function*() {
      const of = yield* Cli.project
      const shell = (command: string) =>
        ChildProcess.spawnSync("bash", ["-o", "pipefail", "-c", command, "bash", process.execPath, of.main], {
          cwd: of.directory,
          encoding: "utf8"
        })
      const full = shell("\"$1\" \"$2\" check --json > /dev/full")
      expect([full.status, full.stderr]).toEqual([1, expect.stringContaining("stdout cannot be written: ENOSPC")])
      expect(shell("\"$1\" \"$2\" check --json | true")).toMatchObject({ status: 0, stderr: "" })
    }),
  60_000
)
