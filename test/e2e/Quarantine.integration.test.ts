import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Cli from "../support/Cli.ts"

const LINE = /^(IBM,2013-10-04,600,\d+),\d+,(.*)$/
const weekend = "IBM,2013-10-05,600,1000000,1010000,990000,1000000,5"

it.live("a refused row is listed, shown, and read again by other rules", () =>
  Effect.gen(function*() {
    const of = yield* Cli.project
    yield* Cli.editSample(of, (lines) =>
      lines.flatMap((line, at) => {
        const changed = line.replace(LINE, "$1,1,$2")
        return line.startsWith("IBM,2013-10-04") && lines[at + 1]!.startsWith("IBM,2013-10-07")
          ? [changed, weekend]
          : [changed]
      }))
    const staged = ["materialize", "--asset", "staged_bars", "-p", "symbol=IBM", "--json"]
    expect((yield* Cli.run(of, ["quarantine", "list"])).code).toBe(2)
    const first = yield* Cli.run(of, staged)
    expect(JSON.parse(first.stdout)).toMatchObject({ assets: { staged_bars: { sums: { rejected: 2 } } } })

    const audit = "select sum(rows_in - rows)::int4 as refused from audit where asset = 'staged_bars'"
    expect(yield* Cli.query(of, "staging", audit)).toEqual([{ refused: 2 }])

    const listed = yield* Cli.run(of, ["quarantine", "list"])
    expect(listed.stdout).toContain("high below open")
    const rows = JSON.parse((yield* Cli.run(of, ["quarantine", "list", "--json"])).stdout) as ReadonlyArray<
      { readonly id: number; readonly partition: string }
    >
    expect(rows.map(({ partition }) => partition).sort()).toEqual([
      "symbol=IBM,session=2013-10-01..2013-10-31",
      "symbol=IBM,session=2013-10-04"
    ])
    const { id } = rows.find(({ partition }) => partition.endsWith("2013-10-04"))!
    const shown = yield* Cli.run(of, ["quarantine", "show", String(id)])
    expect(shown.stdout).toContain("\"2. high\": \"0.0001\"")
    expect(shown.stdout).toContain("raw/replay/symbol=IBM/month=2013-10/")
    expect((yield* Cli.run(of, ["quarantine", "show", "999999"])).code).toBe(2)

    const same = yield* Cli.run(of, ["quarantine", "replay", String(id), "--json"])
    expect(same.stderr).toContain("1 refused rows were read again; 2 rows are refused now.")
    expect(JSON.parse(same.stdout)).toMatchObject({
      assets: { staged_bars: { materialized: 1, changed: 0, sums: { rejected: 2 } } }
    })

    of.env["BAROGRAPH_RULES"] = "ohlc_order=off"
    const replayed = yield* Cli.run(of, ["quarantine", "replay"])
    expect(replayed).toMatchObject({ code: 0 })
    expect(replayed.stderr).toContain("2 refused rows were read again; 1 rows are refused now.")
    const kept = yield* Cli.query(of, "staging", "select high from bars where high = 0.0001")
    expect(kept).toEqual([{ high: 0.0001 }])
  }), 240_000)

it.live(
  "all refused rows are read again in one run, and --json is one answer, also where there is none or a symbol is gone",
  () =>
    Effect.gen(function*() {
      const of = yield* Cli.project
      const replay = ["quarantine", "replay", "--json"]
      expect((yield* Cli.run(of, ["materialize", "--asset", "staged_bars", "-p", "symbol=IBM,symbol=AIG"])).code).toBe(
        0
      )
      const none = yield* Cli.run(of, replay)
      expect(JSON.parse(none.stdout)).toMatchObject({ runId: null, status: "succeeded", assets: {} })

      yield* Cli.editSample(of, (lines) =>
        lines.map((line) => line.replace(/^((?:IBM,2013-10-04|AIG,2013-10-07),600,\d+),\d+,(.*)$/, "$1,1,$2")))
      expect((yield* Cli.run(of, ["materialize", "--asset", "staged_bars", "-p", "symbol=IBM,symbol=AIG"])).code).toBe(
        0
      )
      const both = yield* Cli.run(of, replay)
      expect(JSON.parse(both.stdout)).toMatchObject({
        assets: { staged_bars: { materialized: 2, sums: { rejected: 2 } } }
      })

      yield* Cli.editSample(of, (lines) =>
        lines.filter((line) => !line.startsWith("AIG,")))
      const left = yield* Cli.run(of, replay)
      expect(left.stderr).toContain("1 refused rows stay: their partitions are there no more.")
      expect(JSON.parse(left.stdout)).toMatchObject({ assets: { staged_bars: { materialized: 1 } } })
    }),
  240_000
)
