import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Cli from "../support/Cli.ts"

const SESSION =
  "select count(*)::int as rows, max(high) as high from bars where symbol = 'IBM' and session = '2013-10-07'"

const ask = (of: Cli.Project, ...args: ReadonlyArray<string>) =>
  Effect.map(Cli.run(of, ["query", SESSION, "--json", ...args]), ({ stdout }) => JSON.parse(stdout) as unknown)

it.live("columns of one name are all shown", () =>
  Effect.gen(function*() {
    const of = yield* Cli.project
    expect(yield* Cli.query(of, "staging", "select 1 as n, 2.5 as n, timestamptz 'epoch' as n, 'x' as m")).toEqual([
      { n: 1, n_2: "2.5", n_3: "1970-01-01T00:00:00.000Z", m: "x" }
    ])
  }), 120_000)

it.live("a query as of a time answers with what was known then", () =>
  Effect.gen(function*() {
    const of = yield* Cli.project
    const args = ["materialize", "--asset", "staged_bars", "-p", "symbol=IBM,session=2013-10-04..2013-10-08", "--json"]
    expect((yield* Cli.run(of, args)).code).toBe(0)
    const before = new Date().toISOString()
    const original = yield* ask(of)

    // The vendor takes one row back and restates another.
    yield* Cli.editSample(of, (lines) =>
      lines.flatMap((line) => {
        if (line.startsWith("IBM,2013-10-07,600,")) return []
        const cells = line.split(",")
        return line.startsWith("IBM,2013-10-07,601,")
          ? [[...cells.slice(0, 4), "9990000", ...cells.slice(5)].join(",")]
          : [line]
      }))
    const again = yield* Cli.run(of, args)
    expect(JSON.parse(again.stdout)).toMatchObject({
      assets: { staged_bars: { changed: 1, sums: { restated: 1, removed: 1 } } }
    })
    const { rows } = (original as ReadonlyArray<{ readonly rows: number }>)[0]!
    expect(yield* ask(of)).toEqual([{ rows: rows - 1, high: 999 }])
    expect(yield* ask(of, "--as-of", before)).toEqual(original)
    expect(yield* ask(of, "--as-of", "2013-10-07T21:00Z")).toEqual([{ rows: 0, high: null }])
    expect(yield* ask(of, "--as-of", new Date(Date.now() + 60_000).toISOString())).toEqual([{
      rows: rows - 1,
      high: 999
    }])

    const refused = Effect.fnUntraced(function*(args: ReadonlyArray<string>, said: string) {
      const ended = yield* Cli.run(of, ["query", ...args])
      expect([ended.code, ended.stdout]).toEqual([2, ""])
      expect(ended.stderr).toContain(said)
    })
    yield* refused(["select * from staging.bars", "--as-of", before], "write bars without its schema")
    yield* refused([SESSION, "--as-of", before, "--store", "warehouse"], "does not remember")
    yield* refused([SESSION, "--as-of", "yesterdayish"], "yesterdayish")
    yield* refused(["delete from bar_history", "--as-of", before], "read-only")
  }), 400_000)
