/**
 * Reading files, and which file is at a path. Calls that take microseconds are synchronous: the detour over the thread
 * pool costs several times as much, and a lake has many small files. Reading a whole file is not.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { Part, Range } from "./ObjectStore.ts"

/** The errno name of a thrown value: `EACCES`, or "" where there is none. */
export const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string" ? cause.code : ""

/** Answers `otherwise` where `run` fails with one of the codes. */
export const unless = <A, B>(codes: ReadonlyArray<string>, run: () => A, otherwise: B): A | B => {
  try {
    return run()
  } catch (cause) {
    if (codes.includes(codeOf(cause))) return otherwise
    throw cause
  }
}

/** Another write is another file: the etag tells them apart also where the bytes are equal. */
export const etagOf = ({ ino, mtimeNs, size }: Fs.BigIntStats): string =>
  `${ino.toString(36)}-${mtimeNs.toString(36)}-${size.toString(36)}`

/** Null where there is no file. */
export const etagAt = (path: string): string | null => {
  const found = Fs.statSync(path, { bigint: true, throwIfNoEntry: false })
  return found?.isFile() === true ? etagOf(found) : null
}

export const read = (path: string): Promise<Uint8Array> => Fs.promises.readFile(path)

/** All from one open file: a rename in between changes nothing. Undefined when the file is another one. */
export const readPart = (path: string, range: Range, expected?: string): Part | undefined => {
  const file = Fs.openSync(path, "r")
  try {
    const stat = Fs.fstatSync(file, { bigint: true })
    if (stat.isDirectory()) throw Object.assign(new Error(`EISDIR: a directory, ${path}`), { code: "EISDIR" })
    const [etag, size] = [etagOf(stat), Number(stat.size)]
    if (expected !== undefined && expected !== etag) return undefined
    const from = "last" in range ? Math.max(0, size - range.last) : Math.min(range.from, size)
    const to = "last" in range ? size : Math.min(range.to, size)
    const bytes = new Uint8Array(to - from)
    const count = Fs.readSync(file, bytes, 0, bytes.length, from)
    return { bytes: bytes.subarray(0, count), etag, size }
  } finally {
    Fs.closeSync(file)
  }
}

/** Keys of the files below `folder`, which is "" or ends in a slash. */
export const walk = async (root: string, folder: string): Promise<Array<string>> => {
  const keys: Array<string> = []
  for (const entry of await entriesOf(Path.join(root, folder))) {
    if (entry.name.startsWith(".")) continue
    const kind = entry.isSymbolicLink() ? behind(Path.join(root, folder, entry.name)) : entry
    if (kind?.isDirectory() === true) keys.push(...await walk(root, `${folder}${entry.name}/`))
    else if (kind?.isFile() === true) keys.push(folder + entry.name)
  }
  return keys
}

/** What a link leads to: a folder may be on another disk. Undefined where it leads nowhere, or back to a folder above. */
const behind = (link: string): Fs.Stats | undefined => {
  const found = unless(["ELOOP"], () => Fs.statSync(link, { throwIfNoEntry: false }), undefined)
  return found?.isDirectory() === true && leadsBack(link) ? undefined : found
}

const leadsBack = (link: string): boolean => {
  const to = Fs.realpathSync(link)
  for (let above = Path.dirname(link);; above = Path.dirname(above)) {
    if (Fs.realpathSync(above) === to) return true
    if (above === Path.dirname(above)) return false
  }
}

const entriesOf = (directory: string): Promise<Array<Fs.Dirent>> =>
  Fs.promises.readdir(directory, { withFileTypes: true }).catch((cause) => {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(cause))) return []
    throw cause
  })
