/**
 * Objects by key: a bucket or a directory. A reader sees the old object or the new one, never a part. Keys use `/`;
 * parts that come from data are made with `segment`.
 *
 * A write may name the object that it expects to replace, by its `etag`. That is all that writers of one key need to
 * agree: who read first and writes last is told so (`Conflict`) and looks again. No clock and no lock is involved.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ObjectStoreReason } from "./ObjectStoreReason.ts"

export class ObjectStoreError extends Schema.TaggedError<ObjectStoreError>()("ObjectStoreError", {
  operation: Schema.String,
  key: Schema.String,
  reason: ObjectStoreReason
}) {
  /** With the fix, for where there is one line. */
  override get message(): string {
    return this.fix === "" ? this.what : `${this.what}; fix: ${this.fix}`
  }
  get what(): string {
    return `${this.operation} ${this.key}: ${this.reason.text}`
  }
  get fix(): string {
    return this.reason.fix
  }
  /** May pass by itself. The S3 layer has tried several times already. */
  get retryable(): boolean {
    return ["Throttled", "Unavailable", "Conflict"].includes(this.reason._tag)
  }
}

/** One path part made from data: `BRK/B` becomes `BRK%2FB`, as Hive, DuckDB, Spark and Athena write and read it. */
export const segment = (value: string): string => {
  const encoded = encodeURIComponent(value)
  return encoded === "." || encoded === ".." ? encoded.replaceAll(".", "%2E") : encoded
}

/** The last `last` bytes, or those from `from` to before `to`; as many of them as there are. */
export type Range = { readonly last: number } | { readonly from: number; readonly to: number }

/** Bytes of an object, and which object it is: another etag is another write. */
export interface Part {
  readonly bytes: Uint8Array
  readonly etag: string
  /** Of the whole object. */
  readonly size: number
}

export class ObjectStore extends Context.Service<ObjectStore, {
  /** For people: `file:///…/lake`, `s3://bucket/prefix`. */
  readonly location: string
  /**
   * Publishes at once or not at all, and answers the new etag. With `expected`, only over the object with that etag;
   * null expects that none is there.
   */
  readonly put: (key: string, bytes: Uint8Array, expected?: string | null) => Effect.Effect<string, ObjectStoreError>
  readonly get: (key: string) => Effect.Effect<Uint8Array, ObjectStoreError>
  /** A part of the object; with `expected`, of that object only. */
  readonly read: (key: string, range: Range, expected?: string) => Effect.Effect<Part, ObjectStoreError>
  /** Removing what is not there is no error. With `expected`, only the object with that etag. */
  readonly remove: (key: string, expected?: string) => Effect.Effect<void, ObjectStoreError>
  /** Keys under the prefix, in order. */
  readonly list: (prefix: string) => Effect.Effect<ReadonlyArray<string>, ObjectStoreError>
}>()("barograph/layers/lake/ObjectStore") {}

/** The end of an object, or undefined where there is none: the question that costs least and tells its etag. */
export const tail = (
  store: ObjectStore["Service"],
  key: string,
  last: number
): Effect.Effect<Part | undefined, ObjectStoreError> =>
  Effect.catchReason(store.read(key, { last }), "ObjectStoreError", "NotFound", () => Effect.succeed(undefined))

/** Puts an object whose key names its content, unless it is there, whole. */
export const ensure = Effect.fnUntraced(function*(store: ObjectStore["Service"], key: string, bytes: Uint8Array) {
  const held = yield* store.get(key).pipe(
    Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.succeed(undefined))
  )
  if (held === undefined || Buffer.compare(held, bytes) !== 0) yield* store.put(key, bytes)
})
