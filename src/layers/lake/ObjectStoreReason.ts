/**
 * Why an object store did not do what it was asked. `text` is what the store said; `fix` is what a person does about it,
 * empty where a program handles the reason. No reason holds a secret.
 */
import * as Schema from "effect/Schema"

const fields = { text: Schema.String }

export class NotFound extends Schema.TaggedClass<NotFound>()("NotFound", {}) {
  readonly text = "no such object"
  readonly fix = ""
}

/** Another object is there than the writer, or a reader of several parts, expected. */
export class Conflict extends Schema.TaggedClass<Conflict>()("Conflict", {}) {
  readonly text = "the object is not the one that was expected: somebody else wrote it"
  readonly fix = "run the command again"
}

export class NoBucket extends Schema.TaggedClass<NoBucket>()("NoBucket", fields) {
  readonly fix = "create the bucket, or correct its name in BAROGRAPH_LAKE"
}

/** `fix` depends on the store: rights of a directory, or a policy. */
export class Denied extends Schema.TaggedClass<Denied>()("Denied", { ...fields, fix: Schema.String }) {}

export class NoCredentials extends Schema.TaggedClass<NoCredentials>()("NoCredentials", fields) {
  readonly fix = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE after `aws sso login`"
}

/** Temporary credentials are over; whoever made them makes new ones. */
export class Expired extends Schema.TaggedClass<Expired>()("Expired", fields) {
  readonly fix = "get new credentials, as with `aws sso login`, and run the command again"
}

/** `region` is where the bucket is, when the server told. */
export class WrongRegion extends Schema.TaggedClass<WrongRegion>()("WrongRegion", {
  ...fields,
  region: Schema.NullOr(Schema.String)
}) {
  get fix(): string {
    return this.region === null
      ? "add the bucket's region to BAROGRAPH_LAKE, as in ?region=eu-central-1"
      : `write ?region=${this.region} in BAROGRAPH_LAKE`
  }
}

export class ClockSkew extends Schema.TaggedClass<ClockSkew>()("ClockSkew", fields) {
  readonly fix = "set this machine's clock: `timedatectl set-ntp true`"
}

export class Throttled extends Schema.TaggedClass<Throttled>()("Throttled", fields) {
  readonly fix = "lower BAROGRAPH_CONCURRENCY, or run the command again later"
}

/** Lost connections, time-outs, and errors that the server calls its own. */
export class Unavailable extends Schema.TaggedClass<Unavailable>()("Unavailable", fields) {
  readonly fix = "check the network and the endpoint, and run the command again"
}

export class Full extends Schema.TaggedClass<Full>()("Full", fields) {
  readonly fix = "make room on the disk"
}

export class Failed extends Schema.TaggedClass<Failed>()("Failed", fields) {
  readonly fix = ""
}

export const ObjectStoreReason = Schema.Union([
  NotFound,
  Conflict,
  NoBucket,
  Denied,
  NoCredentials,
  Expired,
  WrongRegion,
  ClockSkew,
  Throttled,
  Unavailable,
  Full,
  Failed
])
export type ObjectStoreReason = typeof ObjectStoreReason.Type
