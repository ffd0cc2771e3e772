/**
 * Objects by key: a bucket or a directory. A reader sees the old object or the new one, never a part. Keys use `/`;
 * parts that come from data are made with `segment`.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export class NotFound extends Schema.TaggedClass<NotFound>()("NotFound", {}) {}
export class Denied extends Schema.TaggedClass<Denied>()("Denied", { text: Schema.String }) {}
export class Full extends Schema.TaggedClass<Full>()("Full", { text: Schema.String }) {}
export class Failed extends Schema.TaggedClass<Failed>()("Failed", { text: Schema.String }) {}

export class ObjectStoreError extends Schema.TaggedError<ObjectStoreError>()("ObjectStoreError", {
  operation: Schema.String,
  key: Schema.String,
  reason: Schema.Union([NotFound, Denied, Full, Failed])
}) {
  override get message(): string {
    const text = this.reason._tag === "NotFound" ? "no such object" : this.reason.text
    return `${this.operation} ${this.key}: ${text}`
  }
}

/** One path part made from data: `BRK/B` becomes `BRK%2FB`, as Hive, DuckDB, Spark and Athena write and read it. */
export const segment = (value: string): string => {
  const encoded = encodeURIComponent(value)
  return encoded === "." || encoded === ".." ? encoded.replaceAll(".", "%2E") : encoded
}

export class ObjectStore extends Context.Service<ObjectStore, {
  /** For people: `file:///…/lake`, `s3://bucket/prefix`. */
  readonly location: string
  /** Publishes at once or not at all. `unchanged` when the key already holds these bytes. */
  readonly put: (key: string, bytes: Uint8Array) => Effect.Effect<"written" | "unchanged", ObjectStoreError>
  readonly get: (key: string) => Effect.Effect<Uint8Array, ObjectStoreError>
  /** Removing what is not there is no error. */
  readonly remove: (key: string) => Effect.Effect<void, ObjectStoreError>
  /** Keys under the prefix, in order. */
  readonly list: (prefix: string) => Effect.Effect<ReadonlyArray<string>, ObjectStoreError>
}>()("barograph/layers/lake/ObjectStore") {}
