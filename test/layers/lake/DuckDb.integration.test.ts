import { DuckDBInstance } from "@duckdb/node-api"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Path from "node:path"
import { type Bars, contentHash } from "../../../src/layers/bars/Bars.ts"
import * as FileSystem from "../../../src/layers/lake/FileSystem.ts"
import { ObjectStore } from "../../../src/layers/lake/ObjectStore.ts"
import * as Parquet from "../../../src/layers/lake/Parquet.ts"
import { temporaryDirectory } from "../../support/EmbeddedDatabase.ts"
import * as TestBars from "../../support/TestBars.ts"

const symbols = ["AAPL", "BRK/B", "^GSPC", "BTC:USD", "TRUE", "1810", "EUR=X", "..", "100%", "a b", "ä"]
const days = ["2024-03-05", "2024-03-06"]

const rows = async (statement: string): Promise<ReadonlyArray<Record<string, unknown>>> => {
  const connection = await (await DuckDBInstance.create(":memory:")).connect()
  const reader = await connection.runAndReadAll(statement)
  connection.closeSync()
  return reader.getRowObjectsJS()
}

const sum = (column: Float64Array): number => column.reduce((total, one) => total + one, 0)

const writeAll = Effect.fnUntraced(function*(bars: (symbol: number, session: string) => Bars) {
  const store = yield* ObjectStore
  for (const [at, symbol] of symbols.entries()) {
    for (const session of days) {
      const held = bars(at, session)
      const meta = { source: "test", symbol, interval: "1min", session, contentHash: contentHash(held) }
      yield* store.put(Parquet.key(symbol, session), Parquet.encode(held, meta))
    }
  }
})

it.effect("DuckDB reads the lake by its folders: same rows, same sums, every symbol as it is", () =>
  Effect.gen(function*() {
    const root = yield* temporaryDirectory
    const bars = (at: number, session: string) => TestBars.make(session, 390 + at, 10 + at)
    yield* Effect.provide(writeAll(bars), FileSystem.layer(root))
    const files = Path.join(root, "bars/**/*.parquet").replaceAll("'", "''")
    const found = yield* Effect.promise(() =>
      rows(
        `select symbol, date::varchar as date, count(*)::int as rows, sum(close)::double as close,
        sum(volume)::double as volume, epoch_ms(min(ts))::double as first
      from read_parquet('${files}', hive_partitioning = true, hive_types = {'symbol': varchar, 'date': date})
      group by all order by all`
      )
    )
    const expected = symbols.flatMap((symbol, at) =>
      days.map((date) => {
        const held = bars(at, date)
        return { symbol, date, rows: held.length, close: sum(held.close), volume: sum(held.volume), first: held.ts[0]! }
      })
    )
    const byName = (one: Record<string, unknown>) => `${String(one["symbol"])}/${String(one["date"])}`
    const sorted = expected.toSorted((left, right) => byName(left) < byName(right) ? -1 : 1)
    expect(found.map(byName).toSorted()).toEqual(sorted.map(byName))
    for (const one of sorted) {
      const row = found.find((row) => byName(row) === byName(one))!
      expect(row).toMatchObject({ rows: one.rows, volume: one.volume, first: one.first })
      expect(row["close"]).toBeCloseTo(one.close, 6)
    }
  }))
