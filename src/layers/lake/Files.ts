/** The file calls behind `FileSystem.ts`: Node's promises, whose rejections have an errno in `code`. */
import * as NodeFs from "node:fs"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Process from "node:process"
import type { FileLock } from "./FileLock.ts"
import type { Part, Range } from "./ObjectStore.ts"

/** The errno name of a thrown value: `EACCES`, or "" where there is none. */
export const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string" ? cause.code : ""

/** Answers `otherwise` where `run` fails with one of the codes. */
const unless = <A, B>(codes: ReadonlyArray<string>, run: Promise<A>, otherwise: B): Promise<A | B> =>
  run.catch((cause) => {
    if (codes.includes(codeOf(cause))) return otherwise
    throw cause
  })

/** Another write is another file: the etag tells them apart also where the bytes are equal. */
const etagOf = ({ ino, mtimeNs, size }: NodeFs.BigIntStats): string =>
  `${ino.toString(36)}-${mtimeNs.toString(36)}-${size.toString(36)}`

/** Null where there is no file. */
const etagAt = (path: string): string | null => {
  const found = NodeFs.statSync(path, { bigint: true, throwIfNoEntry: false })
  return found?.isFile() === true ? etagOf(found) : null
}

export const read = (path: string): Promise<Uint8Array> => Fs.readFile(path)

/** All from one open file: a rename in between changes nothing. Undefined when the file is another one. */
export const readPart = async (path: string, range: Range, expected?: string): Promise<Part | undefined> => {
  const file = await Fs.open(path, "r")
  try {
    const stat = await file.stat({ bigint: true })
    if (stat.isDirectory()) throw Object.assign(new Error("it is a directory"), { code: "EISDIR" })
    const [etag, size] = [etagOf(stat), Number(stat.size)]
    if (expected !== undefined && expected !== etag) return undefined
    const from = "last" in range ? Math.max(0, size - range.last) : Math.min(range.from, size)
    const to = "last" in range ? size : Math.min(range.to, size)
    const { bytesRead, buffer } = await file.read(new Uint8Array(to - from), 0, to - from, from)
    return { bytes: buffer.subarray(0, bytesRead), etag, size }
  } finally {
    await file.close()
  }
}

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
  await sweep(directory, now)
  const temporary = await writeBeside(directory, bytes)
  const renamed = await rename(lock, temporary, path, expected).catch(async (cause) => {
    await Fs.rm(temporary, { force: true })
    throw cause
  })
  if (renamed === undefined) await Fs.rm(temporary, { force: true })
  else await syncDirectory(directory)
  return renamed
}

const rename = async (lock: FileLock, from: string, to: string, expected: string | null | undefined) => {
  const etag = etagOf(await Fs.stat(from, { bigint: true }))
  if (expected === undefined) {
    await Fs.rename(from, to)
    return etag
  }
  const linked = expected === null ? await link(from, to) : undefined
  if (linked !== undefined) return linked ? etag : undefined
  return lock.exclusively(() => {
    if (etagAt(to) !== expected) return undefined
    NodeFs.renameSync(from, to)
    return etag
  })
}

/** A synced temporary file. A `remove` may take the directory away between two calls: once more, then. */
const writeBeside = async (directory: string, bytes: Uint8Array, attempts = 5): Promise<string> => {
  const temporary = Path.join(directory, temporaryName())
  try {
    await makeDirectory(directory)
    const file = await Fs.open(temporary, "wx")
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    return temporary
  } catch (cause) {
    await unless(["ENOTDIR"], Fs.rm(temporary, { force: true }), undefined)
    // Node's recursive mkdir says ENOTDIR where a directory vanished between two of its steps.
    if (attempts === 1 || !["ENOENT", "ENOTDIR"].includes(codeOf(cause))) throw cause
    return writeBeside(directory, bytes, attempts - 1)
  }
}

/** Makes the directory and those above it, each synced into its parent. */
export const makeDirectory = async (directory: string): Promise<void> => {
  const first = await Fs.mkdir(directory, { recursive: true })
  if (first === undefined) return
  for (let made = Path.resolve(directory); made.length >= Path.resolve(first).length; made = Path.dirname(made)) {
    await syncDirectory(Path.dirname(made))
  }
}

// Some file systems cannot sync a directory; they say so, and there is nothing more to do.
const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await Fs.open(directory, "r")
  try {
    await unless(["EINVAL", "ENOTSUP", "EISDIR"], handle.sync(), undefined)
  } finally {
    await handle.close()
  }
}

const host = encodeURIComponent(Os.hostname())
const temporaryPattern = /^\.([^/]*)\.(\d+)\.\d+\.tmp$/
/** Names of this process: the process that had its pid before it may have left files too. */
const ours = new Set<string>()
let written = 0

const temporaryName = (): string => {
  const name = `.${host}.${Process.pid}.${++written}.tmp`
  ours.add(name)
  return name
}

/** Removes what crashed writers left in the directory. */
const sweep = async (directory: string, now: number): Promise<void> => {
  const names = await unless(["ENOENT", "ENOTDIR"], Fs.readdir(directory), [])
  for (const name of names) {
    if (await isLeftover(directory, name, now)) await Fs.rm(Path.join(directory, name), { force: true })
  }
}

const HOUR = 3_600_000

// Of another host's process, only the age of its file is known; nobody writes an object for an hour.
const isLeftover = async (directory: string, name: string, now: number): Promise<boolean> => {
  const [, where, pid] = temporaryPattern.exec(name) ?? []
  if (where === undefined || ours.has(name)) return false
  if (where === host) return Number(pid) === Process.pid || !isAlive(Number(pid))
  const stat = await unless(["ENOENT"], Fs.stat(Path.join(directory, name)), undefined)
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

/** A name where there was none needs no lock. Undefined on file systems that have one name for a file only. */
const link = async (from: string, to: string): Promise<boolean | undefined> => {
  const linked = await Fs.link(from, to).then(() => true, (cause) => {
    if (["EPERM", "ENOTSUP", "ENOSYS", "EMLINK"].includes(codeOf(cause))) return undefined
    if (["EEXIST", "EISDIR"].includes(codeOf(cause))) return false
    throw cause
  })
  if (linked === true) await Fs.unlink(from)
  return linked
}

/**
 * Also the directories between the file and the root that hold nothing any more. False where another file is there than
 * the one that was expected.
 */
export const remove = async ({ lock, now, root }: Place, path: string, expected?: string): Promise<boolean> => {
  const removed = expected === undefined
    ? await unless(["ENOENT", "ENOTDIR"], Fs.unlink(path).then(() => true), false)
    : await lock.exclusively(() => unlinkExpected(path, expected))
  if (removed === undefined) return false
  const directory = Path.dirname(path)
  await sweep(directory, now)
  const kept = await removeEmpty(directory, root)
  if (removed) await unless(["ENOENT"], syncDirectory(kept), undefined)
  return true
}

const unlinkExpected = (path: string, expected: string): boolean | undefined => {
  const held = etagAt(path)
  if (held === null) return false
  if (held !== expected) return undefined
  NodeFs.unlinkSync(path)
  return true
}

/** The nearest directory that stays. */
const removeEmpty = async (directory: string, root: string): Promise<string> => {
  if (directory === root) return root
  const codes = ["ENOTEMPTY", "EEXIST", "ENOTDIR", "EBUSY", "EACCES", "EPERM"]
  const gone = await unless(codes, unless(["ENOENT"], Fs.rmdir(directory), undefined).then(() => true), false)
  return gone ? removeEmpty(Path.dirname(directory), root) : directory
}

/** Keys of the files below `folder`, which is "" or ends in a slash. */
export const walk = async (root: string, folder: string): Promise<Array<string>> => {
  const keys: Array<string> = []
  const entries = await unless(["ENOENT", "ENOTDIR"], Fs.readdir(Path.join(root, folder), { withFileTypes: true }), [])
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue
    if (entry.isDirectory()) keys.push(...await walk(root, `${folder}${entry.name}/`))
    else if (entry.isFile()) keys.push(folder + entry.name)
  }
  return keys
}
