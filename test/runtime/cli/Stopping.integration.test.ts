import { expect, it } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Cli from "../../support/Cli.ts"

const fixture = Cli.projectOf(Path.join(import.meta.dirname, "../automation/fixture/daemons.ts"))

const until = (is: () => boolean, within: Duration.Input = "60 seconds") =>
  Effect.sync(is).pipe(
    Effect.repeat({ until: (done) => done, schedule: Schedule.spaced("50 millis") }),
    Effect.timeout(within)
  )

/** A daemon in the middle of a run that takes a minute. */
const busy = Effect.fnUntraced(function*(drain: string) {
  const of = yield* fixture
  of.env["TAKES"] = "60000"
  Fs.writeFileSync(Path.join(of.directory, "lines"), "1\n")
  const daemon = Cli.start(of, ["daemon", "--drain", drain])
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => void daemon.child.kill("SIGKILL")).pipe(Effect.andThen(Effect.promise(() => daemon.ended)))
  )
  let said = ""
  daemon.child.stderr!.on("data", (chunk) => (said += chunk))
  yield* until(() => Fs.existsSync(Path.join(of.directory, "calls")))
  return { of, daemon, said: () => said }
})

const ended = ({ ended }: Cli.Started, within: Duration.Input) => Effect.timeout(Effect.promise(() => ended), within)

it.live(
  "a daemon that is asked to stop twice interrupts its runs, and hands the lead over",
  () =>
    Effect.scoped(Effect.gen(function*() {
      const { daemon, of, said } = yield* busy("60 seconds")
      daemon.child.kill("SIGTERM")
      yield* until(() => said().includes("stopping: 1 run"))
      daemon.child.kill("SIGTERM")
      const { code, stderr } = yield* ended(daemon, "9 seconds")
      expect(code).toBe(130)
      expect(stderr).not.toContain("ERROR")
      const { stdout } = yield* Cli.run(of, ["run", "list", "--json", "--tag", "automation=sensor/lines"])
      expect(JSON.parse(stdout)).toMatchObject([{ status: "interrupted" }])
      const status = yield* Cli.run(of, ["daemon", "status", "--json"])
      expect(JSON.parse(status.stdout).leader.isExpired).toBe(true)
    })),
  120_000
)

/** The server's processes stand still: statements are neither answered nor refused. */
const frozen = (of: Cli.Project) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const file = Path.join(of.directory, ".barograph", "postgres", "data", "postmaster.pid")
      const server = Number(Fs.readFileSync(file, "utf8").split("\n")[0])
      const children = ChildProcess.execFileSync("ps", ["-o", "pid=", "--ppid", String(server)]).toString()
      const pids = [server, ...children.trim().split(/\s+/).map(Number)]
      for (const pid of pids) process.kill(pid, "SIGSTOP")
      return pids
    }),
    (pids) => Effect.sync(() => pids.forEach((pid) => process.kill(pid, "SIGCONT")))
  )

it.live(
  "a daemon that is asked to stop ends although its database hangs",
  () =>
    Effect.scoped(Effect.gen(function*() {
      const { daemon, of } = yield* busy("0 seconds")
      const found = yield* Effect.scoped(Effect.gen(function*() {
        yield* frozen(of)
        daemon.child.kill("SIGTERM")
        return yield* ended(daemon, "30 seconds")
      }))
      expect(found.code).toBe(130)
      expect(found.stderr).toContain("ends at once")
    })),
  120_000
)
