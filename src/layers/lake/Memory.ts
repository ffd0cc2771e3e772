/** Objects in memory: what `FileSystem.ts` does, without files. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Keys from "./Keys.ts"
import { Failed, NotFound, ObjectStore, ObjectStoreError } from "./ObjectStore.ts"

/** `objects` lets a test look inside, or share them between two layers. */
export const layerMemory = (objects: Map<string, Uint8Array> = new Map()): Layer.Layer<ObjectStore> =>
  Layer.sync(ObjectStore, () => ObjectStore.of(make(objects)))

const make = (objects: Map<string, Uint8Array>): ObjectStore["Service"] => ({
  location: "memory:",
  put: (key, bytes) =>
    checked("put", key, Keys.violation(key), () => {
      if (equal(objects.get(key), bytes)) return Effect.succeed("unchanged")
      objects.set(key, bytes.slice())
      return Effect.succeed("written")
    }),
  get: (key) =>
    checked("get", key, Keys.violation(key), () => {
      const bytes = objects.get(key)
      return bytes === undefined
        ? Effect.fail(new ObjectStoreError({ operation: "get", key, reason: new NotFound() }))
        : Effect.succeed(bytes.slice())
    }),
  remove: (key) => checked("remove", key, Keys.violation(key), () => Effect.sync(() => void objects.delete(key))),
  list: (prefix) =>
    checked(
      "list",
      prefix,
      Keys.prefixViolation(prefix),
      () => Effect.sync(() => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort())
    )
})

const checked = <A>(
  operation: string,
  key: string,
  violation: string | undefined,
  run: () => Effect.Effect<A, ObjectStoreError>
): Effect.Effect<A, ObjectStoreError> =>
  violation === undefined
    ? Effect.suspend(run)
    : Effect.fail(new ObjectStoreError({ operation, key, reason: new Failed({ text: violation }) }))

const equal = (held: Uint8Array | undefined, bytes: Uint8Array): boolean =>
  held !== undefined && held.length === bytes.length && held.every((byte, at) => byte === bytes[at])
