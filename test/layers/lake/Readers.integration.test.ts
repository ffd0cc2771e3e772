/** Other readers' view of the lake: DuckDB always, pyarrow where it is installed. */
import { DuckDBInstance } from "@duckdb/node-api"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"
import * as FileSystem from "../../../src/layers/lake/FileSystem.ts"
import * as Layout from "../../../src/layers/lake/Layout.ts"
import { ObjectStore } from "../../../src/layers/lake/ObjectStore.ts"
import * as Parquet from "../../../src/layers/lake/Parquet.ts"
import * as ParquetFormat from "../../../src/layers/lake/ParquetFormat.ts"
import { temporaryDirectory } from "../../support/EmbeddedDatabase.ts"
import * as TestBars from "../../support/TestBars.ts"

const symbols = ["AAPL", "BRK/B", "^GSPC", "BTC:USD", "TRUE", "1810", "EUR=X", "..", "100%", "a b", "ä"]
const days = ["2024-03-05", "2024-03-06"]

const FORMATS = [
  "codec=zstd",
  "codec=snappy",
  "codec=zstd,pages=v1",
  "codec=snappy,pages=v1",
  "codec=zstd,prices=decimal(18,6)",
  "codec=snappy,prices=decimal(18,6),pages=v1"
]

const rows = (statement: string) =>
  Effect.promise(async () => {
    const connection = await (await DuckDBInstance.create(":memory:")).connect()
    const reader = await connection.runAndReadAll(statement)
    connection.closeSync()
    return reader.getRowObjectsJS()
  })

const sum = (column: Float64Array): number => column.reduce((total, one) => total + one, 0)

const bars = (at: number, session: string) => {
  const made = TestBars.make(session, 390 + at * 300, 10 + at)
  for (const column of [made.open, made.high, made.low, made.close]) {
    column.forEach((price, at) => column[at] = Math.round(price * 10) / 10)
  }
  return made
}

/** Writes every symbol's sessions and answers the root and a pattern for the files. */
const lakeOf = Effect.fnUntraced(function*(format: string) {
  const root = yield* temporaryDirectory
  yield* Effect.gen(function*() {
    const store = yield* ObjectStore
    for (const [at, symbol] of symbols.entries()) {
      for (const session of days) {
        yield* store.put(Layout.sessionKey(symbol, session), yield* Parquet.encode([{ bars: bars(at, session) }], {}))
      }
    }
  }).pipe(
    Effect.provideService(ParquetFormat.ParquetFormat, Result.getOrThrow(ParquetFormat.parse(format))),
    Effect.provide(FileSystem.layer(root))
  )
  return { root, files: Path.join(root, "bars/**/*.parquet").replaceAll("'", "''") }
})

const expected = symbols.flatMap((symbol, at) =>
  days.map((date) => {
    const held = bars(at, date)
    return { symbol, date, rows: held.length, close: sum(held.close), volume: sum(held.volume), first: held.ts[0]! }
  })
)

const byName = (one: Record<string, unknown>) => `${String(one["symbol"])}/${String(one["date"])}`

const compare = (found: ReadonlyArray<Record<string, unknown>>): void => {
  expect(found.map(byName).toSorted()).toEqual(expected.map(byName).toSorted())
  for (const one of expected) {
    const row = found.find((row) => byName(row) === byName(one))!
    expect(row).toMatchObject({ rows: one.rows, volume: one.volume, first: one.first })
    expect(row["close"]).toBeCloseTo(one.close, 6)
  }
}

for (const format of FORMATS) {
  it.effect(`DuckDB reads ${format} by its folders: same rows, same sums, every symbol as it is`, () =>
    Effect.gen(function*() {
      const { files } = yield* lakeOf(format)
      compare(
        yield* rows(
          `select symbol, date::varchar as date, count(*)::int as rows, sum(close)::double as close,
            sum(volume)::double as volume, epoch_ms(min(ts))::double as first
          from read_parquet('${files}', hive_partitioning = true, hive_types = {'symbol': varchar, 'date': date})
          group by all order by all`
        )
      )
    }))
}

it.effect("DuckDB sees UTC timestamps, exact decimals, whole numbers, and statistics that it may skip by", () =>
  Effect.gen(function*() {
    const { files } = yield* lakeOf("prices=decimal(18,6)")
    const types = yield* rows(`describe select ts, close, volume from read_parquet('${files}')`)
    expect(types.map((row) => row["column_type"])).toEqual(["TIMESTAMP WITH TIME ZONE", "DECIMAL(18,6)", "BIGINT"])
    const chunks = yield* rows(
      `select count(*)::int as chunks, count(stats_min_value)::int as bounded from parquet_metadata('${files}')`
    )
    expect(chunks).toEqual([{ chunks: symbols.length * days.length * 6, bounded: symbols.length * days.length * 6 }])
  }))

const hasPyarrow = ChildProcess.spawnSync("python3", ["-c", "import pyarrow"]).status === 0

if (!hasPyarrow) {
  console.warn(
    "pyarrow's view of the lake is skipped: the first python3 on PATH lacks it. To run these tests:\n" +
      "  python3 -m venv venv && venv/bin/pip install pyarrow && PATH=$PWD/venv/bin:$PATH npx vitest run Readers"
  )
}

for (const format of FORMATS) {
  it.effect.skipIf(!hasPyarrow)(`pyarrow reads ${format}`, () =>
    Effect.gen(function*() {
      const { root } = yield* lakeOf(format)
      const script = `
import json, sys, pyarrow as pa, pyarrow.dataset as ds, pyarrow.compute as pc
hive = ds.HivePartitioning(pa.schema([("symbol", pa.string()), ("date", pa.string())]), segment_encoding="uri")
t = ds.dataset(sys.argv[1] + "/bars", format="parquet", partitioning=hive).to_table()
t = t.set_column(t.schema.get_field_index("close"), "close", pc.cast(t["close"], pa.float64()))
t = t.set_column(t.schema.get_field_index("ts"), "ts", pc.cast(t["ts"], pa.int64()))
g = t.group_by(["symbol", "date"]).aggregate([("close", "sum"), ("volume", "sum"), ("ts", "min"), ("ts", "count")])
print(json.dumps([dict(symbol=r["symbol"], date=r["date"], rows=r["ts_count"], close=r["close_sum"], volume=r["volume_sum"], first=r["ts_min"]) for r in g.to_pylist()]))`
      const ended = ChildProcess.spawnSync("python3", ["-c", script, root], { encoding: "utf8" })
      expect(ended.stderr).toBe("")
      compare(JSON.parse(ended.stdout))
    }))
}
