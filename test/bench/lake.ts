/**
 * `npm run bench:lake`: 400 partition files of 1,000,000 bars, by Barograph and by DuckDB's partitioned write of the same
 * rows, in turns, each in a process of its own. What is measured is the writing: rows are in memory before, Barograph's
 * four symbols at a time, which it writes side by side as a run does its steps; DuckDB's in a table. Trust the ratio, not the milliseconds.
 */
import { DuckDBDateValue, DuckDBInstance, DuckDBTimestampValue } from "@duckdb/node-api"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { contentHash } from "../../src/layers/bars/Bars.ts"
import * as FileSystem from "../../src/layers/lake/FileSystem.ts"
import * as Layout from "../../src/layers/lake/Layout.ts"
import { ObjectStore } from "../../src/layers/lake/ObjectStore.ts"
import * as Parquet from "../../src/layers/lake/Parquet.ts"
import { ParquetFormat, parse } from "../../src/layers/lake/ParquetFormat.ts"
import * as Publication from "../../src/layers/lake/Publication.ts"
import * as GeneratedBars from "./GeneratedBars.ts"

const ROUNDS = 3

interface Measured {
  readonly wall: number
  readonly cpu: number
  /** Megabytes, of the whole process. */
  readonly memory: number
  readonly files: number
  readonly bytes: number
}

/** Adds up what runs inside `measure`; what runs outside is not counted. */
const stopwatch = () => {
  const total = { wall: 0, cpu: 0 }
  const measure = async <A>(run: () => Promise<A>): Promise<A> => {
    const [usage, startedAt] = [process.cpuUsage(), performance.now()]
    const result = await run()
    const { system, user } = process.cpuUsage(usage)
    total.wall += performance.now() - startedAt
    total.cpu += (user + system) / 1000
    return result
  }
  return { total, measure }
}

const range = (length: number): ReadonlyArray<number> => Array.from({ length }, (_, at) => at)

/** As many as a run has steps at a time. */
const AT_A_TIME = 4

const groups = range(GeneratedBars.SYMBOLS / AT_A_TIME).map((group) =>
  range(AT_A_TIME).map((at) => group * AT_A_TIME + at)
)

const bySymbol = (symbol: number) =>
  range(GeneratedBars.SESSIONS).map((session) => ({
    key: Layout.sessionKey(GeneratedBars.symbolOf(symbol), GeneratedBars.dateOf(session)),
    bars: GeneratedBars.session(symbol, session)
  }))

type Side = (root: string, measure: <A>(run: () => Promise<A>) => Promise<A>) => Promise<void>

/** As `bars_parquet` does it: looked at, hashed, encoded, synced, renamed. */
const published = (format: string): Side => async (root, measure) => {
  const layers = Effect.provide(FileSystem.layer(root))
  const formatted = Effect.provideService(ParquetFormat, Result.getOrThrow(parse(format)))
  const publish = (files: ReturnType<typeof bySymbol>) => {
    const read = Effect.sync(() =>
      files.map(({ bars, key }) => ({
        key,
        parts: [{ bars }],
        contentHash: contentHash(bars),
        meta: { source: "bench" }
      }))
    )
    return Effect.gen(function*() {
      const outcomes = yield* Publication.publish(yield* ObjectStore, files.map(({ key }) => key), () => read)
      yield* Effect.forEach(outcomes, Effect.fromResult)
    })
  }
  for (const group of groups) {
    const symbols = group.map(bySymbol)
    const all = Effect.forEach(symbols, publish, { concurrency: "unbounded", discard: true })
    await measure(() => Effect.runPromise(all.pipe(formatted, layers)))
  }
}

/** What DuckDB does: encoded and written, not synced. */
const written = (format: string): Side => async (root, measure) => {
  const formatted = Effect.provideService(ParquetFormat, Result.getOrThrow(parse(format)))
  const write = async (files: ReturnType<typeof bySymbol>) => {
    for (const { bars, key } of files) {
      const path = Path.join(root, key)
      await Fs.promises.mkdir(Path.dirname(path), { recursive: true })
      await Fs.promises.writeFile(path, Effect.runSync(formatted(Parquet.encode([{ bars }], {}))))
    }
  }
  for (const group of groups) {
    const symbols = group.map(bySymbol)
    await measure(() => Promise.all(symbols.map(write)))
  }
}

const duckdb = (codec: string): Side => async (root, measure) => {
  const connection = await (await DuckDBInstance.create(":memory:")).connect()
  await connection.run(
    "create table bars(symbol varchar, date date, ts timestamp, open double, high double, low double, close double, volume bigint)"
  )
  const appender = await connection.createAppender("bars")
  for (const symbol of range(GeneratedBars.SYMBOLS)) {
    for (const session of range(GeneratedBars.SESSIONS)) {
      const bars = GeneratedBars.session(symbol, session)
      const date = new DuckDBDateValue(Date.parse(GeneratedBars.dateOf(session)) / 86_400_000)
      for (let at = 0; at < bars.length; at++) {
        appender.appendVarchar(GeneratedBars.symbolOf(symbol))
        appender.appendDate(date)
        appender.appendTimestamp(new DuckDBTimestampValue(BigInt(bars.ts[at]!) * 1000n))
        for (const name of Parquet.prices) appender.appendDouble(bars[name][at]!)
        appender.appendBigInt(BigInt(bars.volume[at]!))
        appender.endRow()
      }
    }
  }
  appender.closeSync()
  await measure(() =>
    connection.run(`copy bars to '${root}/bars' (format parquet, codec '${codec}', partition_by (symbol, date))`)
  )
}

const sides: { readonly [name: string]: Side } = {
  "DuckDB, zstd": duckdb("zstd"),
  "Barograph, zstd": written("codec=zstd"),
  "Barograph, zstd, published": published("codec=zstd"),
  "DuckDB, snappy": duckdb("snappy"),
  "Barograph, snappy": written("codec=snappy"),
  "Barograph, snappy, published": published("codec=snappy")
}

const one = async (name: string): Promise<Measured> => {
  const root = Fs.mkdtempSync(Path.join(Os.tmpdir(), "barograph-lake-"))
  try {
    const { measure, total } = stopwatch()
    await sides[name]!(root, measure)
    const files = Fs.readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".parquet")
    )
    const bytes = files.reduce((sum, file) => sum + Fs.statSync(Path.join(root, file)).size, 0)
    return { ...total, memory: process.resourceUsage().maxRSS / 1024, files: files.length, bytes }
  } finally {
    Fs.rmSync(root, { recursive: true, force: true })
  }
}

const spawned = (name: string): Measured => {
  const ended = ChildProcess.spawnSync(process.execPath, [import.meta.filename, name], { encoding: "utf8" })
  if (ended.status !== 0) throw new Error(ended.stderr)
  return JSON.parse(ended.stdout)
}

const all = () => {
  const rounds = range(ROUNDS).map(() => Object.fromEntries(Object.keys(sides).map((name) => [name, spawned(name)])))
  const least = (name: string, of: "wall" | "cpu" | "memory"): number =>
    Math.min(...rounds.map((round) => round[name]![of]))
  console.log("| 400 files of 1,000,000 bars | wall ms | x DuckDB | CPU ms | x DuckDB | peak MB | files | MB |")
  console.log("|---|---|---|---|---|---|---|---|")
  let yardstick = ""
  for (const name of Object.keys(sides)) {
    if (name.startsWith("DuckDB")) yardstick = name
    const { bytes, files } = rounds[0]![name]!
    const ratio = (of: "wall" | "cpu") => (least(name, of) / least(yardstick, of)).toFixed(2)
    const cells = [least(name, "wall").toFixed(0), ratio("wall"), least(name, "cpu").toFixed(0), ratio("cpu")]
    console.log(
      `| ${[name, ...cells, least(name, "memory").toFixed(0), files, (bytes / 1e6).toFixed(1)].join(" | ")} |`
    )
  }
}

const side = process.argv[2]
if (side === undefined) all()
else console.log(JSON.stringify(await one(side)))
