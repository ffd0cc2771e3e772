/**
 * Brings the server of a state directory up: attaches to a running one, waits for one that starts or stops, else starts
 * one. Callers hold the turn lock, so nobody else decides at the same time.
 */
import * as Effect from "effect/Effect"
import type { ChildProcess } from "node:child_process"
import * as Fs from "node:fs"
import * as Process from "node:process"
import { DatabaseError } from "./DatabaseError.ts"
import * as EmbeddedBinaries from "./EmbeddedBinaries.ts"
import * as EmbeddedCommand from "./EmbeddedCommand.ts"
import * as EmbeddedData from "./EmbeddedData.ts"
import * as EmbeddedLog from "./EmbeddedLog.ts"
import type { EmbeddedPaths } from "./EmbeddedPaths.ts"
import * as EmbeddedProcess from "./EmbeddedProcess.ts"
import { DidNotStart, SocketTaken } from "./EmbeddedReason.ts"
import * as EmbeddedUser from "./EmbeddedUser.ts"
import { attempt, orUndefined } from "./FileFailure.ts"
import * as RealTime from "./RealTime.ts"

/** Replaying the log after a crash takes as long as it takes; beyond this we say that something is wrong. */
const startLimit = 120_000
/** Somebody's plain `kill` makes a server wait for its sessions, which may be ours, and refuse new ones meanwhile. */
const patience = 2_000
/** Sessions of a killed server notice within a second and end. */
const orphanLimit = 10_000

/**
 * On the command line, not in the data directory, so that a new version of ours changes them. `fsync` and its kin stay
 * on: a row that was committed is there after a power cut.
 */
const settings = {
  listen_addresses: "",
  unix_socket_directories: ".",
  unix_socket_permissions: "0700",
  cluster_name: EmbeddedData.name,
  max_connections: "100",
  shared_buffers: "64MB",
  // Nobody replicates a laptop's staging area. Without it COPY into a new table writes no log.
  wal_level: "minimal",
  max_wal_senders: "0",
  max_logical_replication_workers: "0",
  // A bound for the state directory, which a year of small runs would fill to 1 GB otherwise.
  max_wal_size: "256MB",
  min_wal_size: "32MB",
  // Parallel queries need /dev/shm, of which a container has 64 MB.
  max_parallel_workers_per_gather: "0",
  max_parallel_maintenance_workers: "0",
  // Three worker processes less; reads come from the page cache.
  io_method: "sync",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  lc_messages: "C",
  log_checkpoints: "off",
  log_min_messages: "log"
}

/** Leaves a server that takes connections; true when this call started it. */
export const ensure = Effect.fn("EmbeddedServer.ensure")(
  function*(paths: EmbeddedPaths): Effect.fn.Return<boolean, DatabaseError> {
    const process = yield* settled(paths)
    if (process.state === "ready") return false
    if (Fs.existsSync(paths.socket) && (yield* EmbeddedProcess.answers(paths.socket))) {
      if (process.state === "dead") return false
      const text = "a process that is no server of this directory listens there"
      return yield* new DatabaseError({ reason: new SocketTaken({ path: paths.socket, text }) })
    }
    yield* attempt(paths.data, () => clear(paths, process))
    yield* start(paths)
    return true
  }
)

/** What the server is once it is no longer on its way up or down. */
const settled = Effect.fnUntraced(function*(paths: EmbeddedPaths) {
  const soon = yield* change(paths, patience)
  if (soon !== undefined) return soon
  EmbeddedProcess.hurry(paths)
  const late = yield* change(paths, startLimit)
  return late ?? (yield* failed(paths, "it has been starting or stopping too long"))
})

const change = (paths: EmbeddedPaths, limit: number) =>
  RealTime.until(
    Effect.sync(() => {
      const process = EmbeddedProcess.look(paths)
      return process.state === "starting" || process.state === "stopping" ? undefined : process
    }),
    { every: 5, limit }
  )

const failed = (paths: EmbeddedPaths, text: string) =>
  new DatabaseError({ reason: new DidNotStart({ path: paths.log, text }) })

// PostgreSQL sees for itself that a dead pid is stale. It takes a reused one for a running server, and gives up at a
// file without a pid, which a power cut leaves: no session of that server can have survived it.
const clear = (paths: EmbeddedPaths, process: EmbeddedProcess.EmbeddedProcess): void => {
  Fs.rmSync(`${paths.socket}.lock`, { force: true })
  if (process.state !== "dead") return
  if (!(process.pid > 0)) Fs.rmSync(paths.pidFile)
  else if (Fs.existsSync(`/proc/${process.pid}`)) EmbeddedProcess.disown(paths)
}

const start = Effect.fnUntraced(function*(paths: EmbeddedPaths) {
  const user = yield* EmbeddedUser.find(paths.data)
  const binaries = yield* EmbeddedBinaries.prepare(user, paths.directory)
  yield* EmbeddedData.ensure(paths, binaries, user)
  const command = {
    binary: binaries.postgres,
    args: [...EmbeddedCommand.here, ...yield* attempt(paths.data, () => options(paths))],
    data: paths.data,
    user,
    detached: true
  }
  const pid = yield* RealTime.until(launch(paths, command), { every: 50, limit: orphanLimit })
  if (pid === undefined) return yield* failed(paths, "sessions of a killed server still run; end them first")
})

const options = (paths: EmbeddedPaths): ReadonlyArray<string> =>
  [...Object.entries(settings).map(([name, value]) => `${name}=${value}`), EmbeddedProcess.identity(paths.data)]
    .flatMap((setting) => ["-c", setting])

/** The pid of a server that takes connections; undefined where sessions of its killed forerunner are in the way. */
const launch = (paths: EmbeddedPaths, command: Omit<EmbeddedCommand.EmbeddedCommand, "log">) =>
  EmbeddedLog.append(paths.log, (log) =>
    Effect.acquireUseRelease(
      EmbeddedCommand.start({ ...command, log: log.file }),
      (child) => ready(paths, child),
      (child, exit) => exit._tag === "Success" && exit.value !== undefined ? Effect.void : abandon(child)
    ).pipe(Effect.catchIf(
      () => /pre-existing shared memory block/.test(log.written()),
      () => Effect.succeed(undefined),
      () => Effect.fail(EmbeddedLog.toError(log.written(), paths))
    )))

const ready = (paths: EmbeddedPaths, child: ChildProcess): Effect.Effect<number, "ended"> =>
  RealTime.until(
    Effect.suspend(() => {
      const process = EmbeddedProcess.look(paths)
      if (process.state === "ready" && process.pid === child.pid) return Effect.succeed(child.pid)
      return hasEnded(child) ? Effect.fail("ended" as const) : Effect.succeed(undefined)
    }),
    { every: 5, limit: startLimit }
  ).pipe(Effect.flatMap((pid) => pid === undefined ? Effect.fail("ended" as const) : Effect.succeed(pid)))

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

// A start that failed or was interrupted leaves no server behind.
const abandon = (child: ChildProcess) =>
  Effect.suspend(() => {
    if (hasEnded(child)) return Effect.void
    orUndefined(() => Process.kill(child.pid ?? 0, "SIGINT"))
    return RealTime.until(Effect.sync(() => hasEnded(child) ? true : undefined), { every: 5, limit: 10_000 })
  })
