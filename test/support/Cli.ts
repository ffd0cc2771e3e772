/** The program as a process of its own, in a state directory of its own. */
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as NodeFs from "node:fs/promises"
import * as Path from "node:path"
import * as Url from "node:url"
import * as Zlib from "node:zlib"
import { temporaryDirectory } from "./EmbeddedDatabase.ts"

export const MAIN = Url.fileURLToPath(new URL("../../src/main.ts", import.meta.url))
export const SAMPLE = Url.fileURLToPath(new URL("../../src/layers/market-data/sample/bars.csv.gz", import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Project {
  readonly directory: string
  readonly env: { [name: string]: string }
  readonly main: string
}

/** An empty working directory for a program; its embedded server is stopped at the end, whatever happened. */
export const projectOf = (main: string): Effect.Effect<Project, never, import("effect/Scope").Scope> =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const made: Project = { directory, env: {}, main }
    yield* Effect.addFinalizer(() => Effect.ignore(run(made, ["run", "list"])))
    return made
  })

export const project = projectOf(MAIN)

const environment = (of: Project) => {
  const inherited = { ...process.env }
  for (const name of Object.keys(inherited)) {
    if (/^(BAROGRAPH|ALPHA|ALPACA|APCA|DATABASE_URL)/.test(name)) delete inherited[name]
  }
  return { ...inherited, ...of.env }
}

export interface Started {
  readonly child: ChildProcess.ChildProcess
  readonly ended: Promise<Ended>
}

export const start = (of: Project, args: ReadonlyArray<string>): Started => {
  const child = ChildProcess.spawn(process.execPath, [of.main, ...args], {
    cwd: of.directory,
    env: environment(of),
    stdio: ["ignore", "pipe", "pipe"]
  })
  let stdout = ""
  let stderr = ""
  child.stdout.on("data", (chunk) => (stdout += chunk))
  child.stderr.on("data", (chunk) => (stderr += chunk))
  const ended = new Promise<Ended>((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }))
  )
  return { child, ended }
}

export const run = (of: Project, args: ReadonlyArray<string>): Effect.Effect<Ended> =>
  Effect.promise(() => start(of, args).ended)

/** The rows that a statement answers. */
export const query = (of: Project, store: "staging" | "warehouse", sql: string) =>
  Effect.map(run(of, ["query", sql, "--store", store, "--json"]), (ended) => {
    if (ended.code !== 0) throw new Error(ended.stderr)
    return JSON.parse(ended.stdout) as ReadonlyArray<{ readonly [column: string]: unknown }>
  })

/** The Parquet files of the lake. */
export const parquetFiles = (of: Project) =>
  Effect.promise(async () => {
    const root = Path.join(of.directory, ".barograph", "lake")
    const all = await NodeFs.readdir(root, { recursive: true })
    return all.filter((name) => name.endsWith(".parquet")).sort()
  })

/** A copy of the bundled sample, changed. */
export const editSample = (of: Project, edit: (lines: ReadonlyArray<string>) => ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const lines = Zlib.gunzipSync(await NodeFs.readFile(SAMPLE)).toString().trimEnd().split("\n")
    const file = Path.join(of.directory, "sample.csv.gz")
    await NodeFs.writeFile(file, Zlib.gzipSync(`${edit(lines).join("\n")}\n`))
    of.env["BAROGRAPH_SAMPLE"] = file
  })
