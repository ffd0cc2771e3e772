/**
 * `npm run bench:pipeline [--bars N] [--rounds N] [--memory]`: minute bars from Alpha Vantage's JSON files into staging,
 * lake and warehouse, by the program itself and by two stacks of Python (`pipeline/seed.py`, `pipeline/fast.py`): the
 * same files, the same tables on the same server, in turns. A time counts only when all rows have arrived everywhere.
 * Needs the bundle (`npm run build`). `--memory` takes the program alone, over numbers of partitions.
 */
import { DuckDBInstance } from "@duckdb/node-api"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Util from "node:util"
import Pg from "pg"
import * as Database from "../../src/layers/database/Database.ts"
import * as StagingPostgres from "../../src/layers/staging/Postgres.ts"
import * as WarehousePostgres from "../../src/layers/warehouse/Postgres.ts"
import * as RedshiftStandIn from "../support/RedshiftStandIn.ts"
import type { Connection } from "../support/RedshiftStatements.ts"
import { table } from "./Measured.ts"
import * as Contestant from "./pipeline/Contestant.ts"
import * as Payloads from "./pipeline/Payloads.ts"
import * as Vendor from "./pipeline/Vendor.ts"
import * as Watched from "./pipeline/Watched.ts"
import { serverCpu } from "./ServerCpu.ts"

const { values: asked } = Util.parseArgs({
  options: {
    bars: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "1" },
    memory: { type: "boolean", default: false }
  }
})

interface Took extends Watched.Watched {
  readonly server: number
}

const home = Fs.mkdtempSync(Path.join(Os.tmpdir(), "barograph-bench-"))
const runtime = ManagedRuntime.make(Database.layer({ home, url: undefined }))
const admin = await runtime.runPromise(RedshiftStandIn.connection)

const query = async (connection: Connection, text: string): Promise<ReadonlyArray<Record<string, unknown>>> => {
  const client = new Pg.Client({ ...connection })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

const migrate = (connection: Connection): Promise<void> => {
  const url = Redacted.make(Contestant.urlOf(connection))
  const tables = Layer.merge(StagingPostgres.layer, WarehousePostgres.layer("bench"))
  return Effect.runPromise(Effect.provide(Effect.void, Layer.provide(tables, Database.layer({ home, url }))))
}

let databases = 0

/** What the program does when nobody says otherwise. */
const CONCURRENCY = 4

/** A directory and a database for the run, gone after it. */
const fresh = async <A>(
  contestant: Contestant.Contestant,
  payloads: Payloads.Payloads,
  run: (setting: Contestant.Setting) => Promise<A>,
  concurrency = CONCURRENCY
): Promise<A> => {
  const directory = Fs.mkdtempSync(Path.join(home, "run-"))
  const connection = { ...admin, database: `bench_${++databases}` }
  await query(admin, `create database ${connection.database}`)
  const vendor = await Vendor.start(payloads.directory)
  try {
    if (contestant.needsTables) await migrate(connection)
    return await run({ payloads, url: vendor.url, directory, connection, concurrency })
  } finally {
    await vendor.close()
    await query(admin, `drop database ${connection.database} with (force)`)
    Fs.rmSync(directory, { recursive: true, force: true })
  }
}

const COUNTS = "count(*)::text as bars, sum(volume)::bigint::text as volume"

const expectSame = (where: string, { bars, volume }: Payloads.Payloads, found: Record<string, unknown>): void => {
  if (found["bars"] === String(bars) && found["volume"] === String(volume)) return
  throw new Error(`${where} holds ${JSON.stringify(found)}, not ${bars} bars with a volume of ${volume}`)
}

const inLake = async (lake: string) => {
  const connection = await (await DuckDBInstance.create(":memory:")).connect()
  const from = `read_parquet('${lake}/bars/**/*.parquet', hive_partitioning = true, hive_types = {'symbol': varchar})`
  const reader = await connection.runAndReadAll(`select ${COUNTS} from ${from}`)
  return reader.getRowObjectsJS()[0]!
}

const verify = async (stage: Contestant.Stage, { connection, directory, payloads }: Contestant.Setting) => {
  const inTable = async (name: string) => (await query(connection, `select ${COUNTS} from ${name}`))[0]!
  const all = stage === "whole"
  if (all || stage === "staging") expectSame("staging", payloads, await inTable("staging.bars"))
  if (all || stage === "lake") expectSame("the lake", payloads, await inLake(Path.join(directory, "lake")))
  if (all || stage === "warehouse") expectSame("the warehouse", payloads, await inTable("warehouse.bars"))
}

const measure = async (
  contestant: Contestant.Contestant,
  stage: Contestant.Stage,
  setting: Contestant.Setting
): Promise<Took> => {
  await query(admin, "checkpoint")
  const before = await serverCpu(home)
  const watched = await Watched.run(contestant.command(stage, setting))
  const took = { ...watched, server: await serverCpu(home) - before }
  await verify(stage, setting)
  console.error(`${contestant.name}, ${stage}: ${JSON.stringify(took)}`)
  return took
}

const results = new Map<string, Array<Took>>()

const note = (contestant: string, stage: Contestant.Stage, took: Took): void => {
  const name = `${contestant}/${stage}`
  results.set(name, [...results.get(name) ?? [], took])
}

const round = async (contestant: Contestant.Contestant, payloads: Payloads.Payloads): Promise<void> => {
  await fresh(contestant, payloads, async (setting) => {
    for (const stage of contestant.stages.filter((stage) => stage !== "whole")) {
      note(contestant.name, stage, await measure(contestant, stage, setting))
    }
  })
  await fresh(contestant, payloads, async (setting) => {
    note(contestant.name, "whole", await measure(contestant, "whole", setting))
  })
}

const least = (name: string, of: keyof Took): number => Math.min(...results.get(name)!.map((took) => took[of]))

const show = (contestants: ReadonlyArray<Contestant.Contestant>, { bars, bytes, sessions }: Payloads.Payloads) => {
  const rows = contestants.flatMap(({ name, stages }) =>
    stages.map((stage) => {
      const [own, ours] = [`${name}/${stage}`, `${Contestant.barograph.name}/${stage}`]
      const cells = (["wall", "cpu", "server", "peak"] as const).map((of) => least(own, of).toFixed(0))
      return [name, stage, ...cells, (least(own, "wall") / least(ours, "wall")).toFixed(2)]
    })
  )
  table(
    `${bars} bars in ${(bytes / 1e6).toFixed(0)} MB of JSON, ${sessions} partitions`,
    ["stack", "stage", "wall ms", "client CPU ms", "server CPU ms", "peak MB", "x Barograph's wall"],
    rows
  )
}

const withPayloads = async <A>(size: Payloads.Size, run: (payloads: Payloads.Payloads) => Promise<A>): Promise<A> => {
  const directory = Fs.mkdtempSync(Path.join(home, "payloads-"))
  try {
    return await run(Payloads.write(directory, size))
  } finally {
    Fs.rmSync(directory, { recursive: true, force: true })
  }
}

const SYMBOLS = 20
const EXTENDED = 960

const compare = (barsPerSymbol: number): Promise<void> =>
  withPayloads({ symbols: SYMBOLS, barsPerSymbol, barsPerSession: EXTENDED }, async (payloads) => {
    const contestants = [Contestant.barograph, ...Contestant.others()]
    for (let at = 0; at < Number(asked.rounds); at++) {
      for (const contestant of contestants) await round(contestant, payloads)
    }
    show(contestants, payloads)
  })

/** Symbols, sessions of each, bars a session, steps at a time. */
const SIZES = [
  [5, 52, 960, 4],
  [20, 52, 960, 4],
  [20, 130, 390, 4],
  [20, 520, 96, 4],
  [20, 52, 960, 16]
] as const

const memory = async (): Promise<void> => {
  const rows: Array<ReadonlyArray<string>> = []
  for (const [symbols, sessions, barsPerSession, concurrency] of SIZES) {
    const size = { symbols, barsPerSession, barsPerSymbol: sessions * barsPerSession }
    const whole = (to: Contestant.Setting) => measure(Contestant.barograph, "whole", to)
    const [payloads, took] = await withPayloads(
      size,
      async (payloads) => [payloads, await fresh(Contestant.barograph, payloads, whole, concurrency)] as const
    )
    const counts = [symbols, payloads.sessions, barsPerSession, payloads.bars, concurrency]
    rows.push([...counts.map(String), took.peak.toFixed(0), took.wall.toFixed(0)])
  }
  const heading = ["symbols", "partitions", "bars a session", "bars", "steps at a time", "peak MB", "wall ms"]
  table("The whole", heading, rows)
}

try {
  await (asked.memory ? memory() : compare(Math.ceil(Number(asked.bars) / SYMBOLS)))
} finally {
  await runtime.dispose()
  Fs.rmSync(home, { recursive: true, force: true })
}
