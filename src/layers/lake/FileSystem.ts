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
import * as Files from "./Files.ts"
import * as Keys from "./Keys.ts"
import { Denied, Failed, Full, NotFound, ObjectStore, ObjectStoreError } from "./ObjectStore.ts"

/** `root` is made when it is missing. */
export const layer = (root: string): Layer.Layer<ObjectStore, ObjectStoreError> =>
  Layer.effect(
    ObjectStore,
    Effect.as(attempt("open", root, () => Files.makeDirectory(root)), ObjectStore.of(make(Path.resolve(root))))
  )

const make = (root: string): ObjectStore["Service"] => ({
  location: pathToFileURL(root).href,
  put: Effect.fn("ObjectStore.put")(function*(key, bytes) {
    const path = yield* pathOf(root, "put", key)
    const now = yield* Clock.currentTimeMillis
    return yield* Effect.uninterruptible(attempt("put", key, () => Files.publish(path, bytes, now)))
  }),
  get: Effect.fn("ObjectStore.get")(function*(key) {
    const path = yield* pathOf(root, "get", key)
    return yield* attempt("get", key, () => Files.read(path))
  }),
  remove: Effect.fn("ObjectStore.remove")(function*(key) {
    const path = yield* pathOf(root, "remove", key)
    const now = yield* Clock.currentTimeMillis
    yield* Effect.uninterruptible(attempt("remove", key, () => Files.remove(path, root, now)))
  }),
  list: Effect.fn("ObjectStore.list")(function*(prefix) {
    const violation = Keys.prefixViolation(prefix)
    if (violation !== undefined) return yield* failed("list", prefix, violation)
    const keys = yield* attempt("list", prefix, () => Files.walk(root, Keys.folder(prefix)))
    return keys.filter((key) => key.startsWith(prefix)).sort()
  })
})

const failed = (operation: string, key: string, text: string) =>
  new ObjectStoreError({ operation, key, reason: new Failed({ text }) })

const pathOf = (root: string, operation: string, key: string): Effect.Effect<string, ObjectStoreError> => {
  const violation = Keys.violation(key)
  return violation === undefined
    ? Effect.succeed(Path.join(root, key))
    : Effect.fail(failed(operation, key, violation))
}

const attempt = <A>(operation: string, key: string, run: () => Promise<A>): Effect.Effect<A, ObjectStoreError> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => new ObjectStoreError({ operation, key, reason: reasonOf(operation, cause) })
  })

// Node's messages name the errno, the call and the path: `EACCES: permission denied, open '/…'`.
const reasonOf = (operation: string, cause: unknown): ObjectStoreError["reason"] => {
  const text = cause instanceof Error ? cause.message : String(cause)
  switch (Files.codeOf(cause)) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new Denied({ text })
    case "ENOSPC":
    case "EDQUOT":
      return new Full({ text })
    case "ENOENT":
    case "ENOTDIR":
    case "EISDIR":
      return operation === "get" ? new NotFound() : new Failed({ text })
    default:
      return new Failed({ text })
  }
}
