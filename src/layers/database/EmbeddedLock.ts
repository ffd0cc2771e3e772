/**
 * Locks between processes that the kernel drops when their holder dies, however it dies. Node has no `flock`; SQLite does
 * the same with `fcntl` on an empty file, 0.4 ms a lock, and counts holders inside one process too.
 *
 * Limits: none of them survives on a file system without `fcntl` locks (an error then); never open these files otherwise
 * in the same process, closing them would drop the locks.
 */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { DatabaseSync } from "node:sqlite"
import { DatabaseError } from "./DatabaseError.ts"
import { LockBusy, NotWritable, PathProblem } from "./EmbeddedReason.ts"
import * as RealTime from "./RealTime.ts"

export interface EmbeddedLock {
  readonly release: () => void
}

const begin = { shared: "BEGIN; SELECT 1 FROM sqlite_schema", exclusive: "BEGIN EXCLUSIVE" }
const busy = 5
const ioError = 10
const notDatabase = 26

const failure = (path: string, cause: unknown): DatabaseError => {
  const text = cause instanceof Error ? cause.message : String(cause)
  const code = errcode(cause)
  const unfit = code === ioError || code === notDatabase
  return new DatabaseError({ reason: unfit ? new PathProblem({ path, text }) : new NotWritable({ path, text }) })
}

// The low byte is the class of a SQLite error, the rest its detail.
const errcode = (cause: unknown): number =>
  typeof cause === "object" && cause !== null && "errcode" in cause ? Number(cause.errcode) & 0xff : 0

/** Takes the lock now, or answers undefined when another has it. */
export const attempt = (
  path: string,
  mode: "shared" | "exclusive"
): Effect.Effect<EmbeddedLock | undefined, DatabaseError> =>
  Effect.suspend(() => {
    let database: DatabaseSync | undefined
    try {
      const opened = database = new DatabaseSync(path, { timeout: 0 })
      opened.exec(begin[mode])
      return Effect.succeed({ release: () => opened.isOpen && opened.close() })
    } catch (cause) {
      database?.close()
      return errcode(cause) === busy ? Effect.succeed(undefined) : Effect.fail(failure(path, cause))
    }
  })

/**
 * Waits for the lock and holds it until the scope closes, when `release` gives it back. The wait can be interrupted, the
 * step from having the lock to having its finalizer cannot.
 */
export const hold = (
  path: string,
  mode: "shared" | "exclusive",
  limit: number,
  release: (lock: EmbeddedLock) => Effect.Effect<void> = (lock) => Effect.sync(lock.release)
): Effect.Effect<EmbeddedLock, DatabaseError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    RealTime.loop(attempt(path, mode), { every: 20, limit }, (millis) => restore(RealTime.sleep(millis))).pipe(
      Effect.flatMap((lock) => lock === undefined ? Effect.fail(tooLong(path, limit)) : Effect.succeed(lock)),
      Effect.tap((lock) => Effect.addFinalizer(() => release(lock)))
    )
  )

const tooLong = (path: string, limit: number): DatabaseError =>
  new DatabaseError({ reason: new LockBusy({ path, text: `waited ${limit / 1000} seconds` }) })

/** Runs `body` while no other process runs under the same lock. */
export const exclusively = <A, E, R>(
  path: string,
  limit: number,
  body: Effect.Effect<A, E, R>
): Effect.Effect<A, E | DatabaseError, R> =>
  Effect.scopedWith((scope) => Effect.andThen(Scope.provide(hold(path, "exclusive", limit), scope), body))
