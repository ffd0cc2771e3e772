/** Who takes part, and the command of each stage. A stage reads what the stage before it left, in a process of its own. */
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"
import type { Connection } from "../../support/RedshiftStatements.ts"
import * as Payloads from "./Payloads.ts"
import type { Command } from "./Watched.ts"

export type Stage = "payloads" | "staging" | "lake" | "warehouse" | "whole"

export interface Setting {
  readonly payloads: Payloads.Payloads
  /** Of the vendor on this machine. */
  readonly url: string
  /** A directory of the run's own; `lake` in it holds the files. */
  readonly directory: string
  /** A database of the run's own. */
  readonly connection: Connection
  /** Steps at a time, of the program. */
  readonly concurrency: number
}

export interface Contestant {
  readonly name: string
  /** In their order; `whole` is run anew from the beginning. */
  readonly stages: ReadonlyArray<Stage>
  /** Whether the tables must be there before. */
  readonly needsTables: boolean
  readonly command: (stage: Stage, setting: Setting) => Command
}

const root = Path.join(import.meta.dirname, "../../..")

const asked: { readonly [S in Stage]: ReadonlyArray<string> } = {
  payloads: ["--asset", "raw_bars"],
  staging: ["--asset", "staged_bars"],
  lake: ["--asset", "bars_parquet"],
  warehouse: ["--asset", "redshift_bars"],
  whole: ["--asset", "bars_parquet", "--asset", "redshift_bars"]
}

/** The program itself; what it fetched is kept, so a stage finds those before it up to date. */
export const barograph: Contestant = {
  name: "Barograph",
  stages: ["payloads", "staging", "lake", "warehouse", "whole"],
  needsTables: false,
  command: (stage, { concurrency, connection, directory, payloads, url }) => ({
    command: Path.join(root, "bin", "barograph"),
    args: ["materialize", ...asked[stage]],
    cwd: directory,
    env: {
      ...process.env,
      ALPHA_VANTAGE_API_KEY: "bench",
      ALPHA_VANTAGE_URL: url,
      BAROGRAPH_QUOTA: "60000",
      BAROGRAPH_SYMBOLS: payloads.symbols.join(","),
      BAROGRAPH_START: Payloads.START,
      BAROGRAPH_END: payloads.end,
      BAROGRAPH_CONCURRENCY: String(concurrency),
      BAROGRAPH_LAKE: Path.join(directory, "lake"),
      BAROGRAPH_HOME: directory,
      DATABASE_URL: urlOf(connection)
    }
  })
}

export const urlOf = ({ database, host, port, user }: Connection): string =>
  `postgres://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`

const python = process.env["BENCH_PYTHON"] ?? "python3"

const script = (name: string, file: string): Contestant => ({
  name,
  stages: ["staging", "lake", "warehouse", "whole"],
  needsTables: true,
  command: (stage, { connection, directory, payloads }) => ({
    command: python,
    args: [Path.join(import.meta.dirname, file), stage, payloads.directory, Path.join(directory, "lake")],
    cwd: directory,
    env: {
      ...process.env,
      PGHOST: connection.host,
      PGPORT: String(connection.port),
      PGUSER: connection.user,
      PGDATABASE: connection.database
    }
  })
})

const MISSING = `Only Barograph takes part: ${python} lacks a package. With all of them:
  python3 -m venv venv && venv/bin/pip install pandas pyarrow polars duckdb sqlalchemy 'psycopg[binary]'
  BENCH_PYTHON=venv/bin/python npm run bench:pipeline`

/** The others, where their packages are installed. */
export const others = (): ReadonlyArray<Contestant> => {
  const found = ChildProcess.spawnSync(python, ["-c", "import pandas, pyarrow, polars, duckdb, sqlalchemy, psycopg"])
  if (found.status === 0) {
    return [script("pandas, SQLAlchemy", "seed.py"), script("polars, psycopg, DuckDB", "fast.py")]
  }
  console.error(MISSING)
  return []
}
