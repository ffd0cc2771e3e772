/**
 * The bundled sample through the whole graph, by the program as its users start it, into the stand-ins of AWS: staging,
 * lake and warehouse are counted by three different readers, and a second run has to write nothing.
 */
import { DuckDBInstance } from "@duckdb/node-api"
import * as ChildProcess from "node:child_process"
import * as NodeFs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Cloud from "./Cloud.ts"
import type { S3Server } from "./S3Server.ts"

/** Of all bars: how many, the sum of their closes in ten-thousandths, and of their volumes. */
export interface Totals {
  readonly bars: number
  readonly close: number
  readonly volume: number
}

/** For the warehouse and staging. */
export const TOTALS =
  `select cast(count(*) as integer) as bars, cast(sum(round(close * 10000)) as double precision) as close,
  cast(sum(volume) as double precision) as volume`

/** What DuckDB counts in the Parquet files of a bucket. */
export const lakeTotals = async (s3: S3Server): Promise<Totals> => {
  const directory = await NodeFs.mkdtemp(Path.join(Os.tmpdir(), "barograph-lake-"))
  try {
    for (const [key, { bytes }] of s3.buckets.get("lake").objects) {
      if (!key.startsWith("barograph/bars/") || !key.endsWith(".parquet")) continue
      const file = Path.join(directory, key)
      await NodeFs.mkdir(Path.dirname(file), { recursive: true })
      await NodeFs.writeFile(file, bytes)
    }
    const connection = await (await DuckDBInstance.create()).connect()
    const files = Path.join(directory, "barograph", "bars", "**", "*.parquet")
    const reader = await connection.runAndReadAll(`${TOTALS} from read_parquet('${files}', hive_partitioning = true)`)
    connection.closeSync()
    return reader.getRowObjectsJS()[0] as unknown as Totals
  } finally {
    await NodeFs.rm(directory, { recursive: true, force: true })
  }
}

const BIN = Path.resolve(import.meta.dirname, "../../bin")
const LOAD = ["--asset", "redshift_bars", "--asset", "bars_parquet"]

/** Answers an exit code: 0 when all three agree and the second run wrote nothing. */
export const run = async (): Promise<number> => {
  const directory = await NodeFs.mkdtemp(Path.join(Os.tmpdir(), "barograph-show-"))
  const cloud = await Cloud.start({ host: "127.0.0.1", directory: Path.join(directory, "redshift") })
  const env = {
    ...process.env,
    ...cloud.settings,
    BAROGRAPH_SOURCE: "sample",
    BAROGRAPH_HOME: Path.join(directory, "home")
  }
  const call = (program: string, args: ReadonlyArray<string>, stdout: "inherit" | "pipe") =>
    new Promise<string>((resolve, reject) => {
      const child = ChildProcess.spawn(Path.join(BIN, program), args, {
        cwd: directory,
        env,
        stdio: ["ignore", stdout, "inherit"]
      })
      let text = ""
      child.stdout?.on("data", (chunk) => (text += chunk))
      child.on("close", (code) => code === 0 ? resolve(text) : reject(new Error(`${program}: exit code ${code}`)))
    })
  const totals = async (store: "staging" | "warehouse"): Promise<Totals> =>
    JSON.parse(await call("barograph", ["query", `${TOTALS} from bars`, "--store", store, "--json"], "pipe"))[0]
  const materialize = async (): Promise<number> => {
    console.log(`\n$ materialize ${LOAD.join(" ")}`)
    cloud.requests.take()
    await call("materialize", LOAD, "inherit")
    const { text, writes } = cloud.requests.take()
    console.log(`\n${text}`)
    return writes
  }
  try {
    const first = await materialize()
    const places = {
      "staging, PostgreSQL": await totals("staging"),
      "lake, DuckDB": await lakeTotals(cloud.s3),
      "warehouse, Data API": await totals("warehouse")
    }
    console.table(places)
    const second = await materialize()
    const [staging, ...others] = Object.values(places).map((found) => JSON.stringify(found))
    const agree = others.every((found) => found === staging)
    console.log(
      `\n${agree ? "equal" : "NOT EQUAL"} in all three places; ${first} writes at first, ${second} in the rerun`
    )
    return agree && first > 0 && second === 0 ? 0 : 1
  } finally {
    await cloud.close()
    await NodeFs.rm(directory, { recursive: true, force: true })
  }
}
