/** The program over S3, asked by its own command and by the requests that it made. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Cli from "../support/Cli.ts"
import * as S3Server from "../support/S3Server.ts"

const TOTALS = "select count(*) as rows, sum(volume) as volume, min(close) as low, max(close) as high from bars"
const STAGED = "select count(*)::int as rows, sum(volume)::float8 as volume, min(close)::float8 as low, " +
  "max(close)::float8 as high from bars"

const project = Effect.gen(function*() {
  const server = yield* S3Server.make()
  const of = yield* Cli.project
  Object.assign(of.env, {
    AWS_ACCESS_KEY_ID: "stand-in",
    AWS_SECRET_ACCESS_KEY: "stand-in",
    BAROGRAPH_LAKE: `s3://lake/bars?endpoint=${server.url}`
  })
  return { server, of }
})

const ask = (of: Cli.Project, store: "staging" | "lake", sql: string) =>
  Effect.map(Cli.run(of, ["query", sql, "--store", store, "--json"]), ({ stderr, stdout }) => {
    if (stdout === "") throw new Error(stderr)
    return JSON.parse(stdout) as ReadonlyArray<{ readonly [column: string]: unknown }>
  })

const writes = (server: S3Server.S3Server) => server.seen.filter(({ method }) => method !== "GET").length

it.live(
  "the lake in a bucket holds what is staged, and a rerun writes nothing, forced or not",
  () =>
    Effect.gen(function*() {
      const { of, server } = yield* project
      const run = ["materialize", "--asset", "bars_parquet"]
      expect(yield* Cli.run(of, run)).toMatchObject({ code: 0 })
      // 6 payloads and 30 sessions, each written once.
      expect(writes(server)).toBe(36)
      const staged = yield* ask(of, "staging", STAGED)
      expect(staged).toMatchObject([{ rows: 16823 }])
      expect(yield* ask(of, "lake", TOTALS)).toEqual(staged)
      const before = server.seen.length
      expect((yield* Cli.run(of, run)).stdout).toContain("Nothing to do")
      expect(server.seen.length).toBe(before)
      expect(yield* Cli.run(of, ["materialize", "--select", "raw_bars or staged_bars or bars_parquet", "--force"]))
        .toMatchObject({ code: 0 })
      expect(writes(server)).toBe(36)
    }),
  180_000
)

it.live(
  "layouts of larger files answer as the sessions' own do, and are made anew where a session changed",
  () =>
    Effect.gen(function*() {
      const { of, server } = yield* project
      yield* Cli.editSample(of, (lines) => lines)
      const answers = []
      const question = "select symbol, date, count(*) as rows, sum(volume) as volume, min(ts) as first from bars " +
        "where date between '2013-10-04' and '2015-12-23' and close > 50 group by 1, 2 order by 1, 2"
      for (
        const [layout, asset] of [["symbol/date", "bars_parquet"], ["symbol/month", "bars_by_month"], [
          "date",
          "bars_by_date"
        ]]
      ) {
        of.env["BAROGRAPH_LAKE_LAYOUT"] = layout!
        expect(yield* Cli.run(of, ["materialize", "--asset", asset!])).toMatchObject({ code: 0 })
        answers.push(yield* ask(of, "lake", question))
      }
      expect(answers[0]!.length).toBeGreaterThan(15)
      expect(answers[1]).toEqual(answers[0])
      expect(answers[2]).toEqual(answers[0])

      of.env["BAROGRAPH_LAKE_LAYOUT"] = "symbol/month"
      yield* Cli.editSample(of, (lines) => lines.filter((line) => !line.startsWith("IBM,2013-10-11,")))
      const before = server.seen.length
      expect(yield* Cli.run(of, ["materialize", "--asset", "bars_by_month"])).toMatchObject({ code: 0 })
      const written = server.seen.slice(before).filter(({ method }) => method !== "GET")
      expect(written.map(({ key, operation }) => `${operation} ${key.replace(/[0-9a-f]{32}/, "HASH")}`).sort()).toEqual(
        [
          "DeleteObject bars/bars/symbol=IBM/date=2013-10-11/bars.parquet",
          "PutObject bars/bars_by_month/symbol=IBM/month=2013-10/bars.parquet",
          "PutObject bars/raw/replay/symbol=IBM/month=2013-10/HASH.gz"
        ]
      )
    }),
  180_000
)

it.live("a lake that cannot be reached is said by doctor, with what to do", () =>
  Effect.gen(function*() {
    const { of } = yield* project
    const server = yield* S3Server.make({ region: "eu-west-3" })
    of.env["BAROGRAPH_LAKE"] = `s3://lake/bars?endpoint=${server.url}`
    const told = yield* Cli.run(of, ["doctor"])
    expect(told.code).toBe(3)
    expect(told.stdout).toContain("write ?region=eu-west-3 in BAROGRAPH_LAKE")
    of.env["BAROGRAPH_LAKE"] = `s3://lake/bars?endpoints=${server.url}`
    const wrong = yield* Cli.run(of, ["doctor"])
    expect(wrong).toMatchObject({ code: 3 })
    expect(wrong.stderr).toContain("Did you mean \"endpoint\"?")
  }), 180_000)

it.live("a statement that the lake does not understand is a usage error", () =>
  Effect.gen(function*() {
    const { of } = yield* project
    const told = yield* Cli.run(of, ["query", "select a from bars", "--store", "lake"])
    expect(told).toMatchObject({ code: 2, stdout: "" })
    expect(told.stderr).toContain("bars has no column \"a\"")
  }), 180_000)

it.live("a file that cannot be read is told with what mends it, in every layout", () =>
  Effect.gen(function*() {
    const { of, server } = yield* project
    const objects = server.buckets.get("lake")
    for (
      const [layout, key, asset] of [
        ["symbol/date", "bars/symbol=IBM/date=2013-10-04/bars.parquet", "bars_parquet"],
        ["symbol/month", "bars_by_month/symbol=IBM/month=2013-10/bars.parquet", "bars_by_month"],
        ["date", "bars_by_date/date=2013-10-04/bars.parquet", "bars_by_date"]
      ] as const
    ) {
      of.env["BAROGRAPH_LAKE_LAYOUT"] = layout
      objects.put(`bars/${key}`, Buffer.from("no Parquet"), {}, 0, { ifMatch: undefined, ifNoneMatch: undefined })
      const told = yield* Cli.run(of, ["query", "select count(*) from bars", "--store", "lake"])
      expect(told).toMatchObject({ code: 3, stdout: "" })
      expect(told.stderr).toContain(`${key}: `)
      expect(told.stderr).toContain(`fix: remove the file, then materialize --asset ${asset} --force`)
    }
  }), 180_000)
