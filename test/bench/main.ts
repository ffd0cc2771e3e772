/**
 * `npm run bench`: what people wait for, as ratios to yardsticks of the same run. Needs the bundle (`npm run build`).
 *
 * Commands are timed as whole processes, taken in turns with `node -e 0`, so that a busy machine slows all alike; the
 * minimum is the figure to trust, the median says how noisy it was.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Url from "node:url"
import * as conditions from "./conditions.ts"
import * as daemon from "./daemon.ts"
import * as Decode from "./decode.ts"
import * as engine from "./engine.ts"

const ROUNDS = 7
const bin = Url.fileURLToPath(new URL("../../bin/barograph", import.meta.url))

interface Timed {
  readonly name: string
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly walls: Array<number>
}

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

const once = (timed: Timed, cwd: string): void => {
  const startedAt = performance.now()
  const ended = ChildProcess.spawnSync(timed.command, timed.args, { cwd, encoding: "utf8" })
  if (ended.status !== 0) throw new Error(`${timed.name} ended with ${ended.status}: ${ended.stderr}`)
  timed.walls.push(performance.now() - startedAt)
}

const table = (timed: ReadonlyArray<Timed>): void => {
  const yardstick = Math.min(...timed[0]!.walls)
  console.log("| command | min ms | median ms | x `node -e 0` |\n|---|---|---|---|")
  for (const { name, walls } of timed) {
    const least = Math.min(...walls)
    console.log(`| ${name} | ${least.toFixed(0)} | ${median(walls).toFixed(0)} | ${(least / yardstick).toFixed(1)} |`)
  }
}

const commands = (): void => {
  const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "barograph-bench-"))
  const both = ["materialize", "--asset", "redshift_bars", "--asset", "bars_parquet"]
  const timed = (name: string, args: ReadonlyArray<string>, command = bin): Timed => ({
    name,
    command,
    args,
    walls: []
  })
  try {
    const fresh = timed("materialize, first run", both)
    once(fresh, directory)
    const all = [
      timed("node -e 0", ["-e", "0"], process.execPath),
      timed("barograph --help", ["--help"]),
      timed("materialize --plan, up to date", [...both, "--plan"]),
      timed("materialize, up to date", both)
    ]
    for (let round = 0; round < ROUNDS; round++) for (const one of all) once(one, directory)
    table([...all, fresh])
  } finally {
    Fs.rmSync(directory, { recursive: true, force: true })
  }
}

if (process.argv[2] !== "decode") {
  commands()
  engine.bench()
  conditions.bench()
  daemon.bench()
}
await Decode.run(process.argv[3])
