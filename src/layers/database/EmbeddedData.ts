/**
 * The data directory: made once, in a directory beside it that takes its name when everything in it is on disk. So
 * whatever bears the name `data` is whole. Callers hold the turn lock.
 */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { DatabaseError } from "./DatabaseError.ts"
import type { EmbeddedBinaries } from "./EmbeddedBinaries.ts"
import * as EmbeddedCommand from "./EmbeddedCommand.ts"
import * as EmbeddedLog from "./EmbeddedLog.ts"
import { type EmbeddedPaths, unfinished } from "./EmbeddedPaths.ts"
import { DataDamaged, OtherVersion } from "./EmbeddedReason.ts"
import type { EmbeddedUser } from "./EmbeddedUser.ts"
import { attempt, codeOf, fromCause, orUndefined } from "./FileFailure.ts"

/** Superuser and database, both of this name. */
export const name = "barograph"

/** The builtin provider sorts by code point on every system; the C library's collations change with its version. */
const initdb = [
  `--username=${name}`,
  "--auth=trust",
  "--encoding=UTF8",
  "--locale=C",
  "--locale-provider=builtin",
  "--builtin-locale=C.UTF-8",
  "--no-instructions"
]

/** Leaves a whole data directory of our version, made now or before. */
export const ensure = Effect.fn("EmbeddedData.ensure")(function*(
  paths: EmbeddedPaths,
  binaries: EmbeddedBinaries,
  user: EmbeddedUser | undefined
) {
  yield* sweep(paths)
  const version = yield* read(paths)
  if (version === undefined) return yield* make(paths, binaries, user)
  if (version !== binaries.major) {
    const reason = new OtherVersion({ path: paths.data, found: version, expected: binaries.major })
    return yield* new DatabaseError({ reason })
  }
})

/** The major version of what is there. An empty directory counts as nothing: a person may have made it. */
const read = (paths: EmbeddedPaths): Effect.Effect<string | undefined, DatabaseError> =>
  Effect.suspend(() => {
    orUndefined(() => Fs.rmdirSync(paths.data))
    try {
      return Effect.succeed(Fs.readFileSync(Path.join(paths.data, "PG_VERSION"), "utf8").trim())
    } catch (cause) {
      if (codeOf(cause) !== "ENOENT") return Effect.fail(fromCause(paths.data, cause))
      return Fs.existsSync(paths.data) ? Effect.fail(damaged(paths.data)) : Effect.succeed(undefined)
    }
  })

const damaged = (path: string): DatabaseError =>
  new DatabaseError({ reason: new DataDamaged({ path, text: "it has no file PG_VERSION" }) })

const make = (paths: EmbeddedPaths, binaries: EmbeddedBinaries, user: EmbeddedUser | undefined) =>
  Effect.acquireUseRelease(
    attempt(paths.directory, () => temporary(paths, user)),
    (directory) => fill(directory, paths, binaries, user),
    (directory) => Effect.andThen(remove(directory), remove(logOf(directory)))
  )

// Of its own: a killed maker's initdb goes on for a second, and its complaints that its directory is gone are not ours.
const logOf = (directory: string): string => `${directory}.log`

/** Removes what makers left behind that were killed. The turn lock says that none is at work. */
const sweep = (paths: EmbeddedPaths) =>
  attempt(paths.directory, () => Fs.readdirSync(paths.directory)).pipe(
    Effect.flatMap((names) =>
      Effect.forEach(
        names.filter((name) => name.startsWith(unfinished)),
        (name) => remove(Path.join(paths.directory, name)),
        { discard: true }
      )
    )
  )

// A killed maker's initdb may be writing still for a moment: then the next sweep gets it.
const remove = (directory: string) =>
  Effect.sync(() => orUndefined(() => Fs.rmSync(directory, { recursive: true, force: true, maxRetries: 3 })))

const temporary = (paths: EmbeddedPaths, user: EmbeddedUser | undefined): string => {
  const directory = Fs.mkdtempSync(Path.join(paths.directory, unfinished))
  Fs.chmodSync(directory, 0o700)
  if (user !== undefined) Fs.chownSync(directory, user.uid, user.gid)
  return directory
}

const fill = Effect.fnUntraced(function*(
  directory: string,
  paths: EmbeddedPaths,
  binaries: EmbeddedBinaries,
  user: EmbeddedUser | undefined
) {
  const step = { data: directory, user }
  yield* run(paths, { ...step, binary: binaries.initdb, args: [...EmbeddedCommand.here, ...initdb] })
  yield* run(paths, {
    ...step,
    binary: binaries.postgres,
    args: ["--single", ...EmbeddedCommand.here, "-c", "log_checkpoints=off", "postgres"],
    input: `CREATE DATABASE ${name}\n`
  })
  yield* attempt(paths.data, () => publish(directory, paths))
})

// `postgres --single` ends with 0 although its statement failed.
const refused = /(ERROR|FATAL|PANIC): {2}/

/** One command; what it wrote to its log explains its failure, and is kept in the server's. */
const run = (paths: EmbeddedPaths, command: Omit<EmbeddedCommand.EmbeddedCommand, "log">) =>
  EmbeddedLog.append(
    logOf(command.data),
    (log) =>
      Effect.flatMap(EmbeddedCommand.run({ ...command, log: log.file }), (code) => {
        const written = log.written()
        return code === 0 && !refused.test(written) ? Effect.void : failed(paths, written)
      })
  )

const failed = (paths: EmbeddedPaths, written: string) =>
  EmbeddedLog.append(paths.log, (log) => attempt(paths.log, () => Fs.writeSync(log.file, written))).pipe(
    Effect.andThen(Effect.fail(EmbeddedLog.toError(written, paths)))
  )

const publish = (directory: string, paths: EmbeddedPaths): void => {
  Fs.renameSync(directory, paths.data)
  const parent = Fs.openSync(paths.directory, "r")
  try {
    Fs.fsyncSync(parent)
  } finally {
    Fs.closeSync(parent)
  }
}
