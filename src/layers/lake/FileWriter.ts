/**
 * Replacing and removing files: whole or not at all, also for a reader, a crash, and another process that does the same.
 * A file is written beside its place, synced, and given its name; then the directory is synced. Only the syncing waits
 * for a disk, so only it is asynchronous (`Files.ts` says why).
 */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Process from "node:process"
import * as Util from "node:util"
import type { FileLock } from "./FileLock.ts"
import { codeOf, etagAt, etagOf, unless } from "./Files.ts"

/** What a write needs to know about its directory. */
export interface Place {
  readonly root: string
  readonly lock: FileLock
  /** Epoch milliseconds, by which temporary files of other hosts are known to be old. */
  readonly now: number
}

/** The new etag; undefined where another file is there than the one that was expected. */
export const publish = async (
  { lock, now }: Place,
  path: string,
  bytes: Uint8Array,
  expected: string | null | undefined
): Promise<string | undefined> => {
  const directory = Path.dirname(path)
  sweep(directory, now)
  const { etag, name } = await writeBeside(directory, bytes)
  const temporary = Path.join(directory, name)
  let given = false
  try {
    given = await give(lock, temporary, path, expected)
  } finally {
    if (!given) Fs.rmSync(temporary, { force: true })
    ours.delete(name)
  }
  if (!given) return undefined
  await syncDirectory(directory)
  return etag
}

const give = async (lock: FileLock, from: string, to: string, expected: string | null | undefined) => {
  if (expected === undefined) {
    Fs.renameSync(from, to)
    return true
  }
  return lock.exclusively(() => {
    if (etagAt(to) !== expected) return false
    Fs.renameSync(from, to)
    return true
  })
}

const sync = Util.promisify(Fs.fsync)

/** A synced temporary file. A `remove` may take the directory away between two calls: once more, then. */
const writeBeside = async (
  directory: string,
  bytes: Uint8Array,
  attempts = 5
): Promise<{ readonly name: string; readonly etag: string }> => {
  const name = temporaryName()
  try {
    await makeDirectory(directory)
    return { name, etag: await writeSynced(Path.join(directory, name), bytes) }
  } catch (cause) {
    unless(["ENOTDIR"], () => Fs.rmSync(Path.join(directory, name), { force: true }), undefined)
    ours.delete(name)
    // Node's recursive mkdir says ENOTDIR where a directory vanished between two of its steps.
    if (attempts === 1 || !["ENOENT", "ENOTDIR"].includes(codeOf(cause))) throw cause
    return writeBeside(directory, bytes, attempts - 1)
  }
}

const writeSynced = async (path: string, bytes: Uint8Array): Promise<string> => {
  const file = Fs.openSync(path, "wx")
  try {
    Fs.writeFileSync(file, bytes)
    await sync(file)
    return etagOf(Fs.fstatSync(file, { bigint: true }))
  } finally {
    Fs.closeSync(file)
  }
}

/** Makes the directory and those above it, each synced into its parent. */
export const makeDirectory = async (directory: string): Promise<void> => {
  const first = Fs.mkdirSync(directory, { recursive: true })
  if (first === undefined) return
  for (let made = Path.resolve(directory); made.length >= Path.resolve(first).length; made = Path.dirname(made)) {
    await syncDirectory(Path.dirname(made))
  }
}

// Some file systems cannot sync a directory; they say so, and there is nothing more to do.
const syncDirectory = async (directory: string): Promise<void> => {
  const handle = Fs.openSync(directory, "r")
  try {
    await sync(handle)
  } catch (cause) {
    if (!["EINVAL", "ENOTSUP", "EISDIR"].includes(codeOf(cause))) throw cause
  } finally {
    Fs.closeSync(handle)
  }
}

const host = encodeURIComponent(Os.hostname())
const temporaryPattern = /^\.([^/]*)\.(\d+)\.\d+\.tmp$/
/** Being written by this process: one that had its pid before it may have left files too. */
const ours = new Set<string>()
let written = 0

const temporaryName = (): string => {
  const name = `.${host}.${Process.pid}.${++written}.tmp`
  ours.add(name)
  return name
}

/** Removes what crashed writers left in the directory. */
const sweep = (directory: string, now: number): void => {
  for (const name of unless(["ENOENT", "ENOTDIR"], () => Fs.readdirSync(directory), [])) {
    if (isLeftover(directory, name, now)) Fs.rmSync(Path.join(directory, name), { force: true })
  }
}

const HOUR = 3_600_000

// Of another host's process, only the age of its file is known; nobody writes an object for an hour.
const isLeftover = (directory: string, name: string, now: number): boolean => {
  const [, where, pid] = temporaryPattern.exec(name) ?? []
  if (where === undefined || ours.has(name)) return false
  if (where === host) return Number(pid) === Process.pid || !isAlive(Number(pid))
  const stat = Fs.statSync(Path.join(directory, name), { throwIfNoEntry: false })
  return stat !== undefined && now - stat.mtimeMs > HOUR
}

const isAlive = (pid: number): boolean => {
  try {
    Process.kill(pid, 0)
    return true
  } catch (cause) {
    return codeOf(cause) === "EPERM"
  }
}

/**
 * Also the directories between the file and the root that hold nothing any more. False where another file is there than
 * the one that was expected.
 */
export const remove = async ({ lock, now, root }: Place, path: string, expected?: string): Promise<boolean> => {
  const removed = expected === undefined
    ? unless(["ENOENT", "ENOTDIR"], () => (Fs.unlinkSync(path), true), false)
    : await lock.exclusively(() => unlinkExpected(path, expected))
  if (removed === undefined) return false
  const directory = Path.dirname(path)
  sweep(directory, now)
  const kept = removeEmpty(directory, root)
  if (removed && Fs.existsSync(kept)) await syncDirectory(kept)
  return true
}

const unlinkExpected = (path: string, expected: string): boolean | undefined => {
  const held = etagAt(path)
  if (held === null) return false
  if (held !== expected) return undefined
  Fs.unlinkSync(path)
  return true
}

/** The nearest directory that stays. */
const removeEmpty = (directory: string, root: string): string => {
  if (directory === root) return root
  const codes = ["ENOTEMPTY", "EEXIST", "ENOTDIR", "EBUSY", "EACCES", "EPERM"]
  const remove = () => unless(["ENOENT"], () => Fs.rmdirSync(directory), undefined)
  return unless(codes, () => (remove(), true), false) ? removeEmpty(Path.dirname(directory), root) : directory
}
