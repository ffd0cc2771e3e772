/**
 * The server's log: a file that the server writes itself, so that it has one when we are gone. It grows by a few lines a
 * day (errors of statements go to their client, not here) and starts anew at 1 MB, keeping one old file.
 * The messages are English whatever the system's language is: `lc_messages` is C.
 */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Process from "node:process"
import { DatabaseError } from "./DatabaseError.ts"
import type { EmbeddedPaths } from "./EmbeddedPaths.ts"
import {
  DataDamaged,
  DidNotStart,
  DiskFull,
  type EmbeddedReason,
  NoServerUser,
  NotWritable,
  OtherVersion,
  PathProblem
} from "./EmbeddedReason.ts"
import { attempt, orUndefined } from "./FileFailure.ts"

const limit = 1_000_000
const shown = 8

export interface EmbeddedLog {
  readonly file: number
  /** What has been written since it was opened. */
  readonly written: () => string
}

/** Runs `use` with the log open for appending; a server started meanwhile has a descriptor of its own. */
export const append = <A, E, R>(
  path: string,
  use: (log: EmbeddedLog) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | DatabaseError, R> =>
  Effect.acquireUseRelease(attempt(path, () => open(path)), use, (log) => Effect.sync(() => Fs.closeSync(log.file)))

const open = (path: string): EmbeddedLog => {
  if ((orUndefined(() => Fs.statSync(path).size) ?? 0) > limit) Fs.renameSync(path, `${path}.old`)
  const file = Fs.openSync(path, "a", 0o600)
  giveToOwner(path, file)
  const start = Fs.fstatSync(file).size
  return { file, written: () => orUndefined(() => Fs.readFileSync(path, "utf8").slice(start)) ?? "" }
}

// Root that works in another user's directory leaves no file there that this user cannot write.
const giveToOwner = (path: string, file: number): void => {
  if (Process.geteuid?.() !== 0) return
  const { gid, uid } = Fs.statSync(Path.dirname(path))
  Fs.fchownSync(file, uid, gid)
}

// Without time and process.
const linesOf = (log: string): ReadonlyArray<string> =>
  log.split("\n")
    .map((line) => line.replace(/^\d{4}-\d\d-\d\d [\d:.]+ \S+ \[\d+\] /, "").trim())
    .filter((line) => line !== "")

/** The lines that tell why: fatal ones, else the last ones. */
const essence = (log: string): string => {
  const lines = linesOf(log)
  const kept = lines.filter((line) => !line.startsWith("LOG:"))
  return (kept.length > 0 ? kept : lines).slice(-shown).join("\n")
}

const damaged = (text: string, { data }: EmbeddedPaths): EmbeddedReason => new DataDamaged({ path: data, text })

// What PostgreSQL 18 says, with what it means. The first that matches counts.
const meanings: ReadonlyArray<readonly [RegExp, (text: string, paths: EmbeddedPaths) => EmbeddedReason]> = [
  [/No space left on device|Disk quota exceeded/, (text, { directory }) => new DiskFull({ path: directory, text })],
  [/could not look up effective user ID/, (text) => new NoServerUser({ text })],
  [
    /initialized by PostgreSQL version (\S+), which is not compatible with this version (\S+?)\.?$/m,
    (text, { data }) => {
      const [, found = "?", expected = "?"] = /version (\S+), which is not .* version (\S+?)\.?$/m.exec(text) ?? []
      return new OtherVersion({ path: data, found, expected })
    }
  ],
  [
    /could not (bind|create) Unix (address|socket)|could not create lock file .*PGSQL.*(not permitted|not supported)/,
    (text, { directory }) => new PathProblem({ path: directory, text })
  ],
  [
    /has invalid permissions|has wrong ownership/,
    (text, { data }) => new NotWritable({ path: data, text })
  ],
  [/Permission denied|Read-only file system/, (text, { directory }) => new NotWritable({ path: directory, text })],
  [/could not (locate a valid checkpoint|read (from )?file|open file "(global|base)|locate required)/, damaged],
  [/could not (find|access) the database system|is not a valid data dir|invalid checkpoint/, damaged],
  [/contains invalid data|incorrect checksum/, damaged]
]

/** The error that the log's words mean; `DidNotStart` with the words themselves where they mean nothing special. */
export const toError = (log: string, paths: EmbeddedPaths): DatabaseError => {
  const meaning = meanings.find(([pattern]) => pattern.test(log))
  const last = linesOf(log).slice(-shown).join("\n")
  const reason = meaning?.[1](essence(log), paths) ?? new DidNotStart({ path: paths.log, text: last })
  return new DatabaseError({ reason })
}
