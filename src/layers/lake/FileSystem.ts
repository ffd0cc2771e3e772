/**
 * Objects as files below a directory. An object is written to a temporary file beside its place, synced, renamed, and
 * the directory synced: readers and crashes see the old bytes or the new ones. Temporary files begin with a dot and end
 * in `.tmp`; those that a crashed process left are removed by the next `put` or `remove` in their directory.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Path from "node:path"
import { pathToFileURL } from "node:url"
import { FileLock } from "./FileLock.ts"
import * as Files from "./Files.ts"
import * as FileWriter from "./FileWriter.ts"
import * as Keys from "./Keys.ts"
import { ObjectStore, ObjectStoreError } from "./ObjectStore.ts"
import { Conflict, Denied, Failed, Full, NotFound, type ObjectStoreReason } from "./ObjectStoreReason.ts"

/** `root` is made when it is missing. */
export const layer = (root: string): Layer.Layer<ObjectStore, ObjectStoreError> =>
  Layer.effect(
    ObjectStore,
    Effect.gen(function*() {
      const absolute = Path.resolve(root)
      yield* attempt("open", absolute, () => FileWriter.makeDirectory(absolute))
      const lock = new FileLock(Path.join(absolute, ".lock"))
      yield* Effect.addFinalizer(() => Effect.sync(() => lock.close()))
      return ObjectStore.of(make(absolute, lock))
    })
  )

const make = (root: string, lock: FileLock): ObjectStore["Service"] => ({
  location: pathToFileURL(root).href,
  put: Effect.fn("ObjectStore.put")(function*(key, bytes, expected) {
    const path = yield* pathOf(root, "put", key)
    const now = yield* Clock.currentTimeMillis
    const etag = yield* Effect.uninterruptible(
      attempt("put", key, () => FileWriter.publish({ root, lock, now }, path, bytes, expected))
    )
    return etag ?? (yield* failed("put", key, new Conflict()))
  }),
  get: Effect.fn("ObjectStore.get")(function*(key) {
    const path = yield* pathOf(root, "get", key)
    return yield* attempt("get", key, () => Files.read(path))
  }),
  read: Effect.fn("ObjectStore.read")(function*(key, range, expected) {
    const path = yield* pathOf(root, "read", key)
    const part = yield* attempt("read", key, async () => Files.readPart(path, range, expected))
    return part ?? (yield* failed("read", key, new Conflict()))
  }),
  remove: Effect.fn("ObjectStore.remove")(function*(key, expected) {
    const path = yield* pathOf(root, "remove", key)
    const now = yield* Clock.currentTimeMillis
    const removed = yield* Effect.uninterruptible(
      attempt("remove", key, () => FileWriter.remove({ root, lock, now }, path, expected))
    )
    if (!removed) return yield* failed("remove", key, new Conflict())
  }),
  list: Effect.fn("ObjectStore.list")(function*(prefix) {
    const violation = Keys.prefixViolation(prefix)
    if (violation !== undefined) return yield* failed("list", prefix, new Failed({ text: violation }))
    const keys = yield* attempt("list", prefix, () => Files.walk(root, Keys.folder(prefix)))
    return keys.filter((key) => key.startsWith(prefix)).sort()
  })
})

const failed = (operation: string, key: string, reason: ObjectStoreReason) =>
  new ObjectStoreError({ operation, key, reason })

const pathOf = (root: string, operation: string, key: string): Effect.Effect<string, ObjectStoreError> => {
  const violation = Keys.violation(key)
  return violation === undefined
    ? Effect.succeed(Path.join(root, key))
    : Effect.fail(failed(operation, key, new Failed({ text: violation })))
}

const attempt = <A>(operation: string, key: string, run: () => Promise<A>): Effect.Effect<A, ObjectStoreError> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => failed(operation, key, reasonOf(operation, cause))
  })

// Node's messages name the errno, the call and the path: `EACCES: permission denied, open '/…'`.
const reasonOf = (operation: string, cause: unknown): ObjectStoreReason => {
  const text = cause instanceof Error ? cause.message : String(cause)
  switch (Files.codeOf(cause)) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new Denied({
        text,
        fix: "give this user the right to write there, or set BAROGRAPH_LAKE to another directory"
      })
    case "ENOSPC":
    case "EDQUOT":
      return new Full({ text })
    case "ENOENT":
    case "ENOTDIR":
    case "EISDIR":
      return operation === "get" || operation === "read" ? new NotFound() : new Failed({ text })
    default:
      return new Failed({ text })
  }
}
