import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as NodeFs from "node:fs/promises"
import * as Path from "node:path"
import * as Cli from "../support/Cli.ts"
import { temporaryDirectory } from "../support/EmbeddedDatabase.ts"

const ROOT = Path.resolve(import.meta.dirname, "../..")

/** A registry out of reach must end the test, not hang it. */
const ONCE = { npm_config_fetch_retries: "0", npm_config_fetch_timeout: "20000", npm_config_prefer_offline: "true" }

const TWINS = `import * as Asset from "barograph/Asset"
import * as AssetGraph from "barograph/AssetGraph"
import * as Effect from "effect/Effect"
const twin = () => Asset.make("twin", {}, () => Effect.void)
export default AssetGraph.make(twin(), twin())
`

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const execute = (cwd: string, command: string, ...args: ReadonlyArray<string>): Effect.Effect<Ended> =>
  Effect.callback((resume) => {
    const env = { ...process.env, ...ONCE }
    for (const name of Object.keys(env)) {
      if (/^(BAROGRAPH|DATABASE_URL)/.test(name)) delete env[name as keyof typeof env]
    }
    const child = ChildProcess.execFile(
      command,
      args,
      { cwd, env, timeout: 120_000 },
      (error, stdout, stderr) =>
        resume(
          Effect.succeed({
            code: error === null ? 0 : typeof error.code === "number" ? error.code : -1,
            stdout,
            stderr
          })
        )
    )
    return Effect.sync(() => void child.kill())
  })

const ok = Effect.fnUntraced(function*(cwd: string, command: string, ...args: ReadonlyArray<string>) {
  const ended = yield* execute(cwd, command, ...args)
  if (ended.code === 0) return ended.stdout
  throw new Error(`${[command, ...args].join(" ")} ended with ${ended.code}:\n${ended.stdout}\n${ended.stderr}`)
})

/** Whether the registry answers is asked only where the installation did not work: the cache may have all it needs. */
const install = Effect.fnUntraced(function*(project: string) {
  const ended = yield* execute(project, "npm", "install", "--no-audit", "--no-fund")
  if (ended.code === 0) return
  const ping = yield* execute(project, "npm", "ping")
  const reached = ping.code === 0 ? "npm install failed" : "the npm registry is out of reach, and this test needs it"
  throw new Error(`${reached}:\n${ended.stderr}`)
})

const edit = (file: string, from: string, to: string) =>
  Effect.promise(async () => {
    const text = await NodeFs.readFile(file, "utf8")
    expect(text).toContain(from)
    await NodeFs.writeFile(file, text.replace(from, to))
  })

it.live(
  "the project that init writes installs, is type-checked, tested, checked and materialized",
  () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* ok(ROOT, "npm", "pack", "--silent", "--pack-destination", directory)
      const tarball = (yield* Effect.promise(() => NodeFs.readdir(directory))).find((name) => name.endsWith(".tgz"))!
      const project = Path.join(directory, "My rain")
      yield* ok(
        directory,
        process.execPath,
        Path.join(ROOT, "src/main.ts"),
        "init",
        project,
        "--barograph",
        `./${tarball}`
      )
      yield* install(project)
      const copies = yield* ok(
        project,
        "find",
        "node_modules",
        "-path",
        "*/effect/package.json",
        "-not",
        "-path",
        "*/src/*"
      )
      expect(copies).toBe("node_modules/effect/package.json\n")

      expect(yield* ok(project, "npm", "test")).toContain("2 passed")
      yield* ok(project, "npm", "run", "check")
      expect(yield* ok(project, "npx", "barograph", "check")).toBe("definitions.ts: 2 assets, 1 edge, no problems\n")
      const run = yield* ok(project, "npx", "barograph", "materialize", "--asset", "weekly_report", "--json")
      expect(JSON.parse(run)).toMatchObject({
        status: "succeeded",
        assets: { rainfall: { materialized: 14 }, weekly_report: { materialized: 2 } }
      })

      // With two copies of the package in one process its own error would be a stranger to the command.
      const twins = Path.join(directory, "twins.ts")
      yield* Effect.promise(() => NodeFs.writeFile(twins, TWINS))
      const refused = yield* execute(
        directory,
        Path.join(project, "node_modules/.bin/barograph"),
        "check",
        "--definitions",
        twins
      )
      expect(refused.stderr).toBe(`error: Two assets are named "twin": rename one of them.\n  fix: see ${twins}:5\n`)

      yield* edit(Path.join(project, "definitions.ts"), ",\n  layer: Gauge.layer", "")
      const untyped = yield* execute(project, "npm", "run", "check")
      expect(untyped.stdout).toContain("Property 'layer' is missing")
    }),
  150_000
)

it.live("init writes nothing into a directory that is not empty", () =>
  Effect.gen(function*() {
    const of: Cli.Project = { directory: yield* temporaryDirectory, env: {}, main: Cli.MAIN }
    yield* Effect.promise(() => NodeFs.writeFile(Path.join(of.directory, "mine.txt"), ""))
    const refused = yield* Cli.run(of, ["init", "."])
    expect(refused).toMatchObject({ code: 2, stdout: "" })
    expect(refused.stderr).toContain(". is not empty: nothing was written")
    const file = yield* Cli.run(of, ["init", "mine.txt"])
    expect(file.stderr).toContain("mine.txt is no directory: nothing was written")
    expect(yield* Effect.promise(() => NodeFs.readdir(of.directory))).toEqual(["mine.txt"])
    expect((yield* Cli.run(of, ["init", "new"])).code).toBe(0)
    const manifest = yield* Effect.promise(() => NodeFs.readFile(Path.join(of.directory, "new/package.json"), "utf8"))
    expect(JSON.parse(manifest)).toMatchObject({
      name: "new",
      dependencies: { barograph: `file:${ROOT}`, effect: "4.1.0" }
    })
  }), 60_000)
