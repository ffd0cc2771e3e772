/** Objects in memory: what `FileSystem.ts` does, without files. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Keys from "./Keys.ts"
import { ObjectStore, ObjectStoreError, type Range } from "./ObjectStore.ts"
import { Conflict, Failed, NotFound, type ObjectStoreReason } from "./ObjectStoreReason.ts"

/** `objects` lets a test look inside, or share them between two layers. */
export const layerMemory = (objects: Map<string, Uint8Array> = new Map()): Layer.Layer<ObjectStore> =>
  Layer.sync(ObjectStore, () => ObjectStore.of(make(objects)))

const make = (objects: Map<string, Uint8Array>): ObjectStore["Service"] => {
  // An etag is a number that no other write ever had, also of equal bytes.
  const etags = new Map<Uint8Array, string>()
  const etagOf = (bytes: Uint8Array): string => {
    const etag = etags.get(bytes) ?? String(etags.size + 1)
    etags.set(bytes, etag)
    return etag
  }
  const holds = (key: string, expected: string | null | undefined): boolean => {
    const bytes = objects.get(key)
    return expected === undefined || (bytes === undefined ? null : etagOf(bytes)) === expected
  }
  const whole = (operation: string, key: string) => {
    const bytes = objects.get(key)
    return bytes === undefined ? fail(operation, key, new NotFound()) : Effect.succeed(bytes)
  }
  return {
    location: "memory:",
    put: (key, bytes, expected) =>
      checked("put", key, Keys.violation(key), () => {
        if (!holds(key, expected)) return fail("put", key, new Conflict())
        const copy = bytes.slice()
        objects.set(key, copy)
        return Effect.succeed(etagOf(copy))
      }),
    get: (key) =>
      checked("get", key, Keys.violation(key), () => Effect.map(whole("get", key), (bytes) => bytes.slice())),
    read: (key, range, expected) =>
      checked("read", key, Keys.violation(key), () =>
        Effect.flatMap(whole("read", key), (bytes) =>
          holds(key, expected)
            ? Effect.succeed({ bytes: cut(bytes, range), etag: etagOf(bytes), size: bytes.length })
            : fail("read", key, new Conflict()))),
    remove: (key, expected) =>
      checked("remove", key, Keys.violation(key), () => {
        if (objects.has(key) && !holds(key, expected)) return fail("remove", key, new Conflict())
        objects.delete(key)
        return Effect.void
      }),
    list: (prefix) =>
      checked(
        "list",
        prefix,
        Keys.prefixViolation(prefix),
        () => Effect.sync(() => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort())
      )
  }
}

const cut = (bytes: Uint8Array, range: Range): Uint8Array =>
  "last" in range ? bytes.slice(Math.max(0, bytes.length - range.last)) : bytes.slice(range.from, range.to)

const fail = (operation: string, key: string, reason: ObjectStoreReason) =>
  Effect.fail(new ObjectStoreError({ operation, key, reason }))

const checked = <A>(
  operation: string,
  key: string,
  violation: string | undefined,
  run: () => Effect.Effect<A, ObjectStoreError>
): Effect.Effect<A, ObjectStoreError> =>
  violation === undefined ? Effect.suspend(run) : fail(operation, key, new Failed({ text: violation }))
