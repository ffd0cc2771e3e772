/**
 * The embedded PostgreSQL of a state directory, for as long as a scope: the first process starts it, the next ones share
 * it, the last one out stops it. Membership is a lock that the kernel drops, so a killed process does not count.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import * as Process from "node:process"
import type { DatabaseError } from "./DatabaseError.ts"
import * as EmbeddedLock from "./EmbeddedLock.ts"
import * as EmbeddedPaths from "./EmbeddedPaths.ts"
import * as EmbeddedProcess from "./EmbeddedProcess.ts"
import * as EmbeddedServer from "./EmbeddedServer.ts"
import { attempt } from "./FileFailure.ts"
import * as RealTime from "./RealTime.ts"

/** Longer than the longest that a holder may take: making a data directory on a slow disk, replaying a long log. */
const turnLimit = 180_000
/** At the end of a process nobody waits that long: whoever holds the turn is alive and stops the server later. */
const leaveLimit = 10_000

export interface Embedded {
  readonly paths: EmbeddedPaths.EmbeddedPaths
  /** Where clients connect, at most 107 bytes long. Valid while the scope is open. */
  readonly socket: string
}

export const make = Effect.fn("Embedded.make")(
  function*(home: string): Effect.fn.Return<Embedded, DatabaseError, Scope.Scope> {
    const paths = EmbeddedPaths.make(home)
    yield* attempt(home, () => makeDirectories(home, paths.directory))
    yield* EmbeddedLock.hold(paths.users, "shared", turnLimit, (share) => leave(paths, share))
    yield* ensure(paths)
    yield* Effect.forkScoped(watch(paths))
    return { paths, socket: yield* clientPath(paths) }
  }
)

const makeDirectories = (home: string, directory: string): void => {
  Fs.mkdirSync(home, { recursive: true })
  Fs.mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (Fs.statSync(directory).uid === Process.geteuid?.()) Fs.chmodSync(directory, 0o700)
}

const ensure = (paths: EmbeddedPaths.EmbeddedPaths) =>
  EmbeddedLock.exclusively(paths.turn, turnLimit, EmbeddedServer.ensure(paths))

/** Gives the share back, and stops the server if nobody else has one. Never fails: a start that comes later heals. */
const leave = (paths: EmbeddedPaths.EmbeddedPaths, share: EmbeddedLock.EmbeddedLock) =>
  EmbeddedLock.exclusively(
    paths.turn,
    leaveLimit,
    Effect.andThen(Effect.sync(share.release), stopIfLast(paths))
  ).pipe(
    Effect.catch((error) => Effect.logWarning(`PostgreSQL was left running: ${error.message}`)),
    Effect.ensuring(Effect.sync(share.release)),
    Effect.uninterruptible
  )

const stopIfLast = Effect.fnUntraced(function*(paths: EmbeddedPaths.EmbeddedPaths) {
  const last = yield* EmbeddedLock.attempt(paths.users, "exclusive")
  if (last === undefined) return
  const stopped = yield* Effect.ensuring(EmbeddedProcess.stop(paths), Effect.sync(last.release))
  if (!stopped) yield* Effect.logWarning("PostgreSQL was left running: it does not stop")
})

/**
 * Starts a server that was stopped or killed under us again. Sessions are lost with it, but the socket keeps its name,
 * so the pool of every process that shares it finds the new one.
 */
const watch = (paths: EmbeddedPaths.EmbeddedPaths) =>
  Effect.gen(function*() {
    yield* RealTime.sleep(1000)
    const { state } = EmbeddedProcess.look(paths)
    if (state === "starting" || state === "ready") return
    const started = yield* ensure(paths)
    if (started) yield* Effect.logWarning("PostgreSQL had ended unexpectedly and was started again")
  }).pipe(
    Effect.catch((error) => Effect.andThen(Effect.logError(error.message), RealTime.sleep(10_000))),
    Effect.forever
  )

/**
 * The kernel takes 107 bytes of a socket's path. A longer one is shortened by way of an open descriptor of its directory.
 */
const clientPath = (paths: EmbeddedPaths.EmbeddedPaths): Effect.Effect<string, DatabaseError, Scope.Scope> =>
  new TextEncoder().encode(paths.socket).length <= 107
    ? Effect.succeed(paths.socket)
    : Effect.acquireRelease(
      attempt(paths.data, () => Fs.openSync(paths.data, Fs.constants.O_RDONLY | Fs.constants.O_DIRECTORY)),
      (directory) => Effect.sync(() => Fs.closeSync(directory))
    ).pipe(Effect.map((directory) => `/proc/self/fd/${directory}/${EmbeddedPaths.socketName}`))
