/** The file calls behind `FileSystem.ts`: Node's promises, whose rejections have an errno in `code`. */
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Process from "node:process"

/** The errno name of a thrown value: `EACCES`, or "" where there is none. */
export const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string" ? cause.code : ""

/** Answers `otherwise` where `run` fails with one of the codes. */
const unless = <A, B>(codes: ReadonlyArray<string>, run: Promise<A>, otherwise: B): Promise<A | B> =>
  run.catch((cause) => {
    if (codes.includes(codeOf(cause))) return otherwise
    throw cause
  })

export const read = (path: string): Promise<Uint8Array> => Fs.readFile(path)

/** `now`: epoch milliseconds, by which temporary files of other hosts are known to be old. */
export const publish = async (path: string, bytes: Uint8Array, now: number): Promise<"written" | "unchanged"> => {
  const directory = Path.dirname(path)
  const held = await unless(["ENOENT", "ENOTDIR", "EISDIR"], Fs.readFile(path), undefined)
  await sweep(directory, now)
  if (held !== undefined && held.equals(bytes)) return "unchanged"
  const temporary = await writeBeside(directory, bytes)
  try {
    await Fs.rename(temporary, path)
  } catch (cause) {
    await Fs.rm(temporary, { force: true })
    throw cause
  }
  await syncDirectory(directory)
  return "written"
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

/** Also the directories between the file and `root` that hold nothing any more. */
export const remove = async (path: string, root: string, now: number): Promise<void> => {
  const removed = await unless(["ENOENT", "ENOTDIR"], Fs.unlink(path).then(() => true), false)
  const directory = Path.dirname(path)
  await sweep(directory, now)
  const kept = await removeEmpty(directory, root)
  if (removed) await unless(["ENOENT"], syncDirectory(kept), undefined)
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
