/**
 * `npm run bench:load`: a million bars into staging and warehouse, next to what `psql \copy` needs for the same rows into
 * the same indexed tables on the same server. Stages are processes of their own, in turns with their yardstick; a table
 * gives wall time, CPU of client and server, and what the client's memory grew by at most.
 */
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Database from "../../src/layers/database/Database.ts"
import * as RedshiftServer from "../support/RedshiftServer.ts"
import * as RedshiftStandIn from "../support/RedshiftStandIn.ts"
import * as S3Server from "../support/S3Server.ts"
import { serverCpu } from "./ServerCpu.ts"

/** `npm run bench:load redshift`: the stand-in alone. */
const only = process.argv[2]
const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 3)
const script = Path.join(import.meta.dirname, "load", "stage.ts")

interface Took {
  readonly wall: number
  readonly cpu: number
  readonly server: number
  readonly rss: number
  readonly counts: { readonly [name: string]: number }
}

const home = Fs.mkdtempSync(Path.join(Os.tmpdir(), "barograph-bench-"))
const runtime = ManagedRuntime.make(Database.layer({ home, url: undefined }))
const connection = await runtime.runPromise(RedshiftStandIn.connection)
const rows = Path.join(home, "rows.bin")

interface Ended {
  readonly stdout: string
  /** Milliseconds. */
  readonly wall: number
}

const run = (command: string, args: ReadonlyArray<string>): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const child = ChildProcess.spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk) => (stdout += chunk))
    child.stderr.on("data", (chunk) => (stderr += chunk))
    child.on("error", reject)
    child.on("close", (code) =>
      code === 0
        ? resolve({ stdout, wall: performance.now() - startedAt })
        : reject(new Error(`${command} ${args.join(" ")} ended with ${code}: ${stderr}`)))
  })

const psql = (sql: string, database = connection.database): Promise<Ended> => {
  const { host, port, user } = connection
  return run("psql", [
    "-h",
    host,
    "-p",
    String(port),
    "-U",
    user,
    "-d",
    database,
    "-v",
    "ON_ERROR_STOP=1",
    "-qAtc",
    sql
  ])
}

const stage = async (name: string, url = "", s3 = ""): Promise<Took> => {
  const before = await serverCpu(home)
  const { stdout } = await run(process.execPath, [script, name, home, url, s3])
  return { ...JSON.parse(stdout) as Took, server: await serverCpu(home) - before }
}

const yardstick = async (sql: string): Promise<Took> => {
  const before = await serverCpu(home)
  const { wall } = await psql(sql)
  return { wall, cpu: 0, rss: 0, counts: {}, server: await serverCpu(home) - before }
}

const copyIn = async (table: string): Promise<Took> => {
  await psql(`truncate ${table}`)
  await psql("checkpoint")
  return yardstick(`\\copy ${table} from '${rows}' with (format binary)`)
}

const results = new Map<string, Array<Took>>()

const measure = async (name: string, work: () => Promise<Took>): Promise<void> => {
  await psql("checkpoint")
  const took = await work()
  results.set(name, [...results.get(name) ?? [], took])
  console.error(`${name}: ${took.wall.toFixed(0)} ms ${JSON.stringify(took.counts)}`)
}

const prepare = async (): Promise<void> => {
  await stage("migrate")
  await psql("create schema bench")
  await psql("create table bench.staging (like staging.bars including all)")
  await psql("create table bench.warehouse (like warehouse.bars including all)")
  await psql("create table bench.sorted (like warehouse.bars)")
  await psql("create index on bench.sorted (symbol, ts)")
  await psql("create database redshift")
}

const pipeline = async (): Promise<void> => {
  await psql("truncate staging.bars, staging.bar_history, staging.quarantined_rows")
  await measure("staging, fresh", () => stage("staging"))
  if (!Fs.existsSync(rows)) {
    await psql(`\\copy (select * from staging.bars order by symbol, ts) to '${rows}' with (format binary)`)
  }
  await measure("`\\copy` into the same table", () => copyIn("bench.staging"))
  await measure("staging, again, unchanged", () => stage("staging"))
  await measure("staging, every bar restated", () => stage("restated"))
  await measure("read staging", () => stage("read"))
  await measure("`\\copy` out of staging", () => yardstick(`\\copy staging.bars to '/dev/null' with (format binary)`))
  await psql("truncate warehouse.bars, warehouse.bar_loads")
  await measure("warehouse, fresh", () => stage("warehouse"))
  await measure("`\\copy` into the warehouse's table", () => copyIn("bench.warehouse"))
  await measure("warehouse, every session replaced", () => stage("warehouse"))
}

const round = async (server: RedshiftServer.RedshiftServer, s3: S3Server.S3Server): Promise<void> => {
  if (only === undefined) await pipeline()
  if (!Fs.existsSync(rows)) {
    await stage("warehouse")
    await psql(`\\copy (select * from warehouse.bars order by symbol, ts) to '${rows}' with (format binary)`)
  }
  await psql("drop schema if exists warehouse cascade", "redshift")
  await measure("Redshift stand-in, fresh", () => stage("redshift", server.url))
  await psql("drop schema if exists warehouse cascade", "redshift")
  await measure("Redshift stand-in by COPY, fresh", () => stage("redshift", server.url, s3.url))
  await measure("Redshift stand-in by COPY, replaced", () => stage("redshift", server.url, s3.url))
  await measure("`\\copy` into a table with the sort key", () => copyIn("bench.sorted"))
}

const least = (name: string, field: "wall" | "cpu" | "server" | "rss"): number =>
  Math.min(...results.get(name)!.map((took) => took[field]))

const against: { readonly [name: string]: string } = {
  "staging, fresh": "`\\copy` into the same table",
  "staging, again, unchanged": "`\\copy` into the same table",
  "staging, every bar restated": "`\\copy` into the same table",
  "read staging": "`\\copy` out of staging",
  "warehouse, fresh": "`\\copy` into the warehouse's table",
  "warehouse, every session replaced": "`\\copy` into the warehouse's table",
  "Redshift stand-in, fresh": "`\\copy` into a table with the sort key",
  "Redshift stand-in by COPY, fresh": "`\\copy` into a table with the sort key",
  "Redshift stand-in by COPY, replaced": "`\\copy` into a table with the sort key"
}

const table = (): void => {
  console.log("| 1,000,000 bars | wall ms | client CPU ms | server CPU ms | memory MB | x wall | x server CPU |")
  console.log("|---|---|---|---|---|---|---|")
  for (const name of results.keys()) {
    const yard = against[name]
    const own = (field: "cpu" | "rss") => yard === undefined ? "" : least(name, field).toFixed(0)
    const ratio = (field: "wall" | "server") =>
      yard === undefined ? "" : (least(name, field) / least(yard, field)).toFixed(2)
    const cells = [
      name,
      least(name, "wall").toFixed(0),
      own("cpu"),
      least(name, "server").toFixed(0),
      own("rss"),
      ratio("wall"),
      ratio("server")
    ]
    console.log(`| ${cells.join(" | ")} |`)
  }
}

await prepare()
const s3 = await S3Server.start()
const server = await RedshiftServer.start({
  connection: { ...connection, database: "redshift" },
  isolation: "snapshot",
  s3: { endpoint: s3.url }
})
try {
  for (let at = 0; at < ROUNDS; at++) {
    await round(server, s3)
    console.error(`round ${at + 1} of ${ROUNDS}`)
  }
  table()
} finally {
  await server.close()
  await s3.close()
  await runtime.dispose()
  Fs.rmSync(home, { recursive: true, force: true })
}
