/**
 * Running a PostgreSQL binary inside a data directory.
 *
 * The working directory is the data directory and `-D` is `/proc/self/cwd`: following that link needs no permission on
 * the directories above, so the server's user gets in where only root could walk. The environment is empty but for four
 * names: no secret of this process reaches the server.
 */
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import * as Process from "node:process"
import { DatabaseError } from "./DatabaseError.ts"
import { NoBinaries, NoServerUser } from "./EmbeddedReason.ts"
import type { EmbeddedUser } from "./EmbeddedUser.ts"
import { codeOf } from "./FileFailure.ts"

export interface EmbeddedCommand {
  readonly binary: string
  readonly args: ReadonlyArray<string>
  readonly data: string
  readonly user: EmbeddedUser | undefined
  /** Descriptor of the log, which gets both outputs. */
  readonly log: number
  readonly input?: string
  /** In a session of its own, where a terminal's Ctrl-C does not reach it, and not waited for at our end. */
  readonly detached?: boolean
}

/** The arguments that name the data directory, to go among `args` where the binary wants them. */
export const here = ["-D", "/proc/self/cwd"]

const environment = { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", LANG: "C", TZ: "UTC" }

const failure = (command: EmbeddedCommand, cause: unknown): DatabaseError => {
  const text = cause instanceof Error ? cause.message : String(cause)
  const forbidden = command.user !== undefined && ["EPERM", "EINVAL"].includes(codeOf(cause))
  return new DatabaseError({
    reason: forbidden
      ? new NoServerUser({ text: `this root may not become user ${command.user?.uid}: ${text}` })
      : new NoBinaries({ platform: `${Process.platform}-${Process.arch}`, text })
  })
}

/** Starts it; succeeds once the process exists. */
export const start = (command: EmbeddedCommand): Effect.Effect<ChildProcess, DatabaseError> =>
  Effect.callback((resume) => {
    const child = spawn(command.binary, command.args, {
      cwd: command.data,
      env: environment,
      detached: command.detached === true,
      stdio: [command.input === undefined ? "ignore" : "pipe", command.log, command.log],
      ...command.user
    })
    if (command.detached === true) child.unref()
    child.once("error", (cause) => resume(Effect.fail(failure(command, cause))))
    child.once("spawn", () => {
      child.stdin?.on("error", () => {})
      child.stdin?.end(command.input)
      resume(Effect.succeed(child))
    })
  })

/** Its end: the exit code, or null after a signal. */
export const exit = (child: ChildProcess): Effect.Effect<number | null> =>
  Effect.callback((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.succeed(child.exitCode))
    const end = (code: number | null) => resume(Effect.succeed(code))
    child.once("exit", end)
    return Effect.sync(() => child.off("exit", end))
  })

/** Runs it to its end; interruption kills it. */
export const run = (command: EmbeddedCommand): Effect.Effect<number | null, DatabaseError> =>
  Effect.acquireUseRelease(start(command), exit, (child) => Effect.sync(() => child.kill("SIGKILL")))
