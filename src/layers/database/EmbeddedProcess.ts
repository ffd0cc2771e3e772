/**
 * The server's process: what `postmaster.pid` and the system say about it, and the signals that stop it.
 *
 * A pid alone proves nothing (it may be reused, or another container's), so every server of ours carries the identity of
 * its data directory in its command line, which every user may read. `/proc/<pid>/cwd` would say the same, but root in
 * a container (without SYS_PTRACE) may not read that of another user's process.
 */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Process from "node:process"
import type { EmbeddedPaths } from "./EmbeddedPaths.ts"
import { orUndefined } from "./FileFailure.ts"
import * as RealTime from "./RealTime.ts"

/**
 * - `none`: no server, and no trace of one
 * - `dead`: a pid file of a server that is gone, or of one that is not ours
 * - `starting`, `ready`, `stopping`: our server, by its own word
 */
export type EmbeddedProcess =
  | { readonly state: "none" }
  | { readonly state: "dead"; readonly pid: number }
  | { readonly state: "starting" | "ready" | "stopping"; readonly pid: number }

/** The server's argument that names its data directory whatever path leads there. */
export const identity = (data: string): string => {
  const { dev, ino } = Fs.statSync(data)
  return `barograph.directory=${dev}:${ino}`
}

// Line 1 is the pid, line 8 the state, which the server pads and rewrites as it goes.
export const look = (paths: EmbeddedPaths): EmbeddedProcess => {
  const lines = orUndefined(() => Fs.readFileSync(paths.pidFile, "utf8"))?.split("\n")
  if (lines === undefined) return { state: "none" }
  const pid = Number(lines[0])
  if (!isOurs(pid, paths.data)) return { state: "dead", pid }
  const word = lines[7]?.trim() ?? ""
  return { state: word === "ready" || word === "stopping" ? word : "starting", pid }
}

/** True while the server of this data directory runs under this pid. A zombie has an empty command line. */
const isOurs = (pid: number, data: string): boolean => {
  if (!(pid > 0)) return false
  const command = orUndefined(() => Fs.readFileSync(`/proc/${pid}/cmdline`, "utf8"))
  const name = orUndefined(() => identity(data))
  return command !== undefined && name !== undefined && command.split("\0").includes(name)
}

/** Waits until the process is gone; false when it still is there after `limit` milliseconds. */
const awaitGone = (pid: number, data: string, limit: number): Effect.Effect<boolean> =>
  RealTime.until(Effect.sync(() => isOurs(pid, data) ? undefined : true), { every: 5, limit }).pipe(
    Effect.map((gone) => gone === true)
  )

/**
 * Stops the server: *fast* (open sessions end, everything is written out), and when that takes too long *immediate*,
 * which loses nothing either, since the next start replays the log. False when it runs on: not ours to signal, or stuck.
 */
export const stop = Effect.fn("EmbeddedProcess.stop")(function*(paths: EmbeddedPaths) {
  const process = look(paths)
  if (process.state === "none" || process.state === "dead") return true
  if (!signal(process.pid, "SIGINT")) return false
  if (yield* awaitGone(process.pid, paths.data, 10_000)) return true
  signal(process.pid, "SIGQUIT")
  return yield* awaitGone(process.pid, paths.data, 5_000)
})

/** Has a server that is stopping end its sessions instead of waiting for them. */
export const hurry = (paths: EmbeddedPaths): void => {
  const process = look(paths)
  if (process.state === "stopping") signal(process.pid, "SIGINT")
}

const signal = (pid: number, name: NodeJS.Signals): boolean => orUndefined(() => Process.kill(pid, name)) ?? false

/** Whether anyone listens on the socket. Sees servers of other pid namespaces, too. */
export const answers = (socket: string): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const connection = Net.connect({ path: socket })
    const end = (answer: boolean) => {
      connection.destroy()
      resume(Effect.succeed(answer))
    }
    connection.once("connect", () => end(true)).once("error", () => end(false))
    return Effect.sync(() => connection.destroy())
  })

/**
 * Makes PostgreSQL see that the files of a dead server are stale although another process got its pid meanwhile.
 *
 * **Details**
 *
 * The pid file is not removed: PostgreSQL checks by its shared memory line whether a session of the dead server still
 * runs, and refuses to start beside it. It takes a file that names its own parent, us, for stale.
 */
export const disown = (paths: EmbeddedPaths): void => {
  const lines = Fs.readFileSync(paths.pidFile, "utf8").split("\n")
  const owner = Fs.statSync(paths.pidFile)
  const next = `${paths.pidFile}.next`
  Fs.writeFileSync(next, [Process.pid, ...lines.slice(1)].join("\n"), { mode: 0o600 })
  if (Process.geteuid?.() === 0) Fs.chownSync(next, owner.uid, owner.gid)
  Fs.renameSync(next, paths.pidFile)
  Fs.rmSync(`${paths.socket}.lock`, { force: true })
}
