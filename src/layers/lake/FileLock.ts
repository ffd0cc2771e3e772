/**
 * Compare and rename as one step for every process on a directory. Node has no `flock`; SQLite takes `fcntl` locks on an
 * empty file, which the kernel drops when their holder dies, however it dies. A lock costs 50 us.
 *
 * Limits: what runs under the lock must be synchronous and short, because others wait with their thread; and the
 * directory's file system must have `fcntl` locks, as all do but some network mounts.
 */
import type { DatabaseSync } from "node:sqlite"

/** Longer than any stall of a process between two system calls that is worth waiting for. */
const LIMIT = 10_000

export class FileLock {
  private database: DatabaseSync | undefined
  private readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** The lock's file appears with its first use. */
  async exclusively<A>(run: () => A): Promise<A> {
    const sqlite = await import("node:sqlite")
    const database = this.database ??= new sqlite.DatabaseSync(this.path, { timeout: LIMIT })
    database.exec("BEGIN EXCLUSIVE")
    try {
      return run()
    } finally {
      database.exec("ROLLBACK")
    }
  }

  close(): void {
    this.database?.close()
    this.database = undefined
  }
}
