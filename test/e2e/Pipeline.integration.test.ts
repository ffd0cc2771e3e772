import { DuckDBInstance } from "@duckdb/node-api"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Path from "node:path"
import * as Cli from "../support/Cli.ts"

const BOTH = ["materialize", "--asset", "redshift_bars", "--asset", "bars_parquet"]
const TOTALS = "select count(*)::int as rows, sum(round(close * 10000))::float8 as close, sum(volume)::float8 as volume"

const totals = Effect.fnUntraced(function*(of: Cli.Project) {
  const [staging] = yield* Cli.query(of, "staging", `${TOTALS} from staging.bars`)
  const [warehouse] = yield* Cli.query(of, "warehouse", `${TOTALS} from bars`)
  return { staging, warehouse, lake: yield* lakeTotals(of) }
})

const lakeTotals = (of: Cli.Project) =>
  Effect.promise(async () => {
    const connection = await (await DuckDBInstance.create()).connect()
    const glob = Path.join(of.directory, ".barograph", "lake", "bars", "**", "*.parquet")
    const reader = await connection.runAndReadAll(
      `select count(*)::int as rows, sum(round(close * 10000))::double as close, sum(volume)::double as volume
       from read_parquet('${glob}', hive_partitioning = true)`
    )
    connection.closeSync()
    return reader.getRowObjectsJS()[0]
  })

const symbolsInLake = (of: Cli.Project) =>
  Effect.map(Cli.parquetFiles(of), (files) => files.map((file) => file.replaceAll("\\", "/")))

it.live(
  "a stranger's first run brings 16,823 bars through all four assets, the second has nothing to do",
  () =>
    Effect.gen(function*() {
      const of = yield* Cli.project
      const first = yield* Cli.run(of, BOTH)
      expect(first).toMatchObject({ code: 0 })
      expect(first.stderr).toContain("using the bundled sample")
      const found = yield* totals(of)
      expect(found.staging).toMatchObject({ rows: 16823 })
      expect(found.warehouse).toEqual(found.staging)
      expect(found.lake).toEqual(found.staging)
      const files = yield* symbolsInLake(of)
      expect(files).toHaveLength(30)
      expect(files).toContain("bars/symbol=GOOG/date=2015-12-24/bars.parquet")

      const second = yield* Cli.run(of, BOTH)
      expect(second.code).toBe(0)
      expect(second.stdout).toContain("Nothing to do: everything is up to date")
      const plan = yield* Cli.run(of, [...BOTH, "--plan", "--json"])
      expect(JSON.parse(plan.stdout)).toMatchObject({ partitions: [], blocked: [] })

      const forced = yield* Cli.run(of, ["materialize", "--select", "*", "--force", "--json"])
      expect(JSON.parse(forced.stdout)).toMatchObject({
        status: "succeeded",
        assets: {
          raw_bars: { materialized: 6, changed: 0 },
          staged_bars: { materialized: 30, changed: 0, sums: { rows: 16823, inserted: 0, restated: 0, removed: 0 } },
          bars_parquet: { materialized: 30, changed: 0 },
          redshift_bars: { materialized: 30, changed: 0, sums: { rows: 16823 } }
        }
      })
      expect(yield* totals(of)).toEqual(found)
    }),
  180_000
)

it.live(
  "a session that is gone and a price that is changed touch those two sessions only, and are recorded",
  () =>
    Effect.gen(function*() {
      const of = yield* Cli.project
      yield* Cli.editSample(of, (lines) => lines)
      expect((yield* Cli.run(of, BOTH)).code).toBe(0)
      const [before] = yield* Cli.query(of, "staging", "select open from bars where symbol = 'SPY' order by ts limit 1")
      let changed = false
      yield* Cli.editSample(of, (lines) =>
        lines.filter((line) => !line.startsWith("IBM,2013-10-11,")).map((line) => {
          if (changed || !line.startsWith("SPY,2013-10-04,")) return line
          changed = true
          const cells = line.split(",")
          cells[4] = String(Number(cells[4]) + 10000)
          return cells.join(",")
        }))
      expect(changed).toBe(true)
      const rerun = yield* Cli.run(of, [...BOTH, "--json"])
      expect(JSON.parse(rerun.stdout)).toMatchObject({
        status: "succeeded",
        assets: {
          raw_bars: { materialized: 6, changed: 2 },
          staged_bars: { materialized: 12, changed: 2, skipped: 18, sums: { restated: 1 } },
          bars_parquet: { materialized: 2, changed: 2, skipped: 28 },
          redshift_bars: { materialized: 2, changed: 2, skipped: 28 }
        }
      })
      const found = yield* totals(of)
      expect(found.warehouse).toEqual(found.staging)
      expect(found.lake).toEqual(found.staging)
      expect(yield* symbolsInLake(of)).toHaveLength(29)
      const history = yield* Cli.query(
        of,
        "staging",
        "select symbol, change, count(*)::int as rows, min(open) as open from staging.bar_history group by 1, 2 order by 1"
      )
      expect(history).toMatchObject([
        { symbol: "IBM", change: "removed" },
        { symbol: "SPY", change: "restated", rows: 1, open: before!["open"] }
      ])
      expect((yield* Cli.run(of, BOTH)).stdout).toContain("Nothing to do")
    }),
  180_000
)

it.live("two processes at once both end well, and the rows are right", () =>
  Effect.gen(function*() {
    const of = yield* Cli.project
    const both = yield* Effect.all([Cli.run(of, BOTH), Cli.run(of, BOTH)], { concurrency: 2 })
    expect(both.map(({ code, stderr }) => ({ code, stderr: code === 0 ? "" : stderr }))).toEqual([
      { code: 0, stderr: "" },
      { code: 0, stderr: "" }
    ])
    const found = yield* totals(of)
    expect(found.staging).toMatchObject({ rows: 16823 })
    expect(found.warehouse).toEqual(found.staging)
    expect(found.lake).toEqual(found.staging)
    const twice = yield* Cli.query(
      of,
      "staging",
      "select asset, partition from barograph.materializations group by 1, 2 having count(*) > 1"
    )
    expect(twice).toEqual([])
  }), 180_000)

it.live(
  "killed at ten instants and run again, it holds what an undisturbed run holds, and no run is left running",
  () =>
    Effect.gen(function*() {
      const undisturbed = yield* Cli.project
      const startedAt = performance.now()
      expect((yield* Cli.run(undisturbed, BOTH)).code).toBe(0)
      const takes = performance.now() - startedAt
      const of = yield* Cli.project
      for (let round = 0; round < 10; round++) {
        const started = Cli.start(of, [...BOTH, ...(round % 2 === 1 ? ["--force"] : [])])
        const instant = takes * Math.random()
        yield* Effect.sleep(instant)
        started.child.kill("SIGKILL")
        yield* Effect.promise(() => started.ended)
      }
      const last = yield* Cli.run(of, BOTH)
      expect(last).toMatchObject({ code: 0 })
      expect(yield* totals(of)).toEqual(yield* totals(undisturbed))
      expect(yield* symbolsInLake(of)).toHaveLength(30)
      const running = yield* Cli.query(of, "staging", "select run_id from barograph.runs where status = 'running'")
      expect(running).toEqual([])
    }),
  300_000
)

it.live(
  "a run that was killed after its last step is marked by the next command, though nothing is left to do",
  () =>
    Effect.gen(function*() {
      const of = yield* Cli.project
      expect((yield* Cli.run(of, BOTH)).code).toBe(0)
      const started = Cli.start(of, [...BOTH, "--force"])
      yield* Effect.promise(() =>
        new Promise<void>((resolve) =>
          started.child.stderr!.on("data", (chunk: Buffer) => {
            if (chunk.toString().includes("redshift_bars: materialized")) resolve()
          })
        )
      )
      started.child.kill("SIGKILL")
      yield* Effect.promise(() => started.ended)
      yield* Cli.run(of, BOTH)
      const running = yield* Cli.query(of, "staging", "select run_id from barograph.runs where status = 'running'")
      expect(running).toEqual([])
    }),
  180_000
)

it.live("Ctrl-C ends with 130, marks the run, and the next run takes up the rest", () =>
  Effect.gen(function*() {
    const of = yield* Cli.project
    expect((yield* Cli.run(of, ["materialize", "--asset", "raw_bars"])).code).toBe(0)
    const started = Cli.start(of, BOTH)
    yield* Effect.promise(() =>
      new Promise<void>((resolve) =>
        started.child.stderr!.on("data", (chunk: Buffer) => {
          if (chunk.toString().includes("run started")) resolve()
        })
      )
    )
    started.child.kill("SIGINT")
    expect(yield* Effect.promise(() => started.ended)).toMatchObject({ code: 130 })
    const runs = JSON.parse((yield* Cli.run(of, ["run", "list", "--json"])).stdout)
    expect(runs[0]).toMatchObject({ status: "interrupted" })
    expect((yield* Cli.run(of, BOTH)).code).toBe(0)
    expect((yield* totals(of)).warehouse).toMatchObject({ rows: 16823 })
  }), 180_000)
