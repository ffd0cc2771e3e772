/**
 * Where the embedded server keeps its files, all below `<home>/postgres/`, which only its owner may enter:
 * `data/` (the server's, 0700, with the socket), `server.log`, and two lock files that stay empty.
 */
import * as Path from "node:path"

export interface EmbeddedPaths {
  readonly directory: string
  readonly data: string
  readonly socket: string
  readonly pidFile: string
  readonly log: string
  /** Held while someone starts or stops the server. */
  readonly turn: string
  /** Shared by every process that uses the server. */
  readonly users: string
}

export const make = (home: string): EmbeddedPaths => {
  const directory = Path.join(home, "postgres")
  const data = Path.join(directory, "data")
  return {
    directory,
    data,
    socket: Path.join(data, socketName),
    pidFile: Path.join(data, "postmaster.pid"),
    log: Path.join(directory, "server.log"),
    turn: Path.join(directory, "turn.lock"),
    users: Path.join(directory, "users.lock")
  }
}

/** PostgreSQL makes the name from the port, which we leave at its default. */
export const socketName = ".s.PGSQL.5432"

/** Beginning of the name of a data directory in the making. */
export const unfinished = "data-unfinished-"
