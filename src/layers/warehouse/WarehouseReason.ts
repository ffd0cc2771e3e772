/**
 * Why a warehouse did not do what it was asked: each reason says what happened and what a person does about it, and
 * whether the same call may succeed later. `text` is what the server or the system said; no reason holds a secret.
 */
import * as Schema from "effect/Schema"

const fields = { text: Schema.String }

/** The call makes no sense; nothing was sent. */
export class Refused extends Schema.TaggedClass<Refused>()("Refused", { ...fields, fix: Schema.String }) {
  readonly what = this.text
  readonly retryable = false
}

/** No answer from the address, or the connection broke: whether the statement ran is not known, a repetition is safe. */
export class Unreachable extends Schema.TaggedClass<Unreachable>()("Unreachable", fields) {
  readonly what = `no answer: ${this.text}`
  readonly fix = "Check the network, and the region or endpoint of BAROGRAPH_WAREHOUSE"
  readonly retryable = true
}

/** Too many calls or statements at a time, or the service is in trouble. */
export class Throttled extends Schema.TaggedClass<Throttled>()("Throttled", fields) {
  readonly what = `the service is busy: ${this.text}`
  readonly fix = "Try again later, or lower BAROGRAPH_CONCURRENCY; the Data API's quotas are per account and region"
  readonly retryable = true
}

/** Nothing in the SDK's chain gives credentials. */
export class NoCredentials extends Schema.TaggedClass<NoCredentials>()("NoCredentials", fields) {
  readonly what = `no AWS credentials: ${this.text}`
  readonly fix = "Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run with a role"
  readonly retryable = false
}

export class ExpiredCredentials extends Schema.TaggedClass<ExpiredCredentials>()("ExpiredCredentials", fields) {
  readonly what = `the AWS credentials have expired: ${this.text}`
  readonly fix = "Log in again (aws sso login), or renew AWS_SESSION_TOKEN"
  readonly retryable = false
}

/** Wrong key, a signature for another region, or a clock that is wrong by more than the SDK can set right. */
export class WrongCredentials extends Schema.TaggedClass<WrongCredentials>()("WrongCredentials", fields) {
  readonly what = `the AWS credentials are not accepted: ${this.text}`
  readonly fix = "Check key and secret, the region of BAROGRAPH_WAREHOUSE, and this machine's clock"
  readonly retryable = false
}

/** The identity is known and may not do this; or the database user may not. */
export class Denied extends Schema.TaggedClass<Denied>()("Denied", fields) {
  readonly what = `not allowed: ${this.text}`
  readonly fix =
    "Allow redshift-data:BatchExecuteStatement, DescribeStatement, GetStatementResult, CancelStatement and "
    + "the login (redshift-serverless:GetCredentials or redshift:GetClusterCredentials), and GRANT on the schema"
  readonly retryable = false
}

/** No such workgroup, cluster or database there. */
export class NotFound extends Schema.TaggedClass<NotFound>()("NotFound", fields) {
  readonly what = `not found: ${this.text}`
  readonly fix = "Check name, database and region of BAROGRAPH_WAREHOUSE"
  readonly retryable = false
}

/** Another transaction was in the way, as often as we tried. */
export class Conflict extends Schema.TaggedClass<Conflict>()("Conflict", fields) {
  readonly what = `another transaction was in the way: ${this.text}`
  readonly fix = "Run it again when fewer loads run at a time"
  readonly retryable = true
}

/** Somebody, or a rule of the workload manager, ended the statement. */
export class Cancelled extends Schema.TaggedClass<Cancelled>()("Cancelled", fields) {
  readonly what = `cancelled on the server: ${this.text}`
  readonly fix = "Run it again; if nobody cancelled it, look at the query monitoring rules"
  readonly retryable = true
}

/** Rows did not get into the bucket of `copy`, or not out of it. What is to be done depends on who could not do what. */
export class NotCopied extends Schema.TaggedClass<NotCopied>()("NotCopied", {
  ...fields,
  fix: Schema.String,
  retryable: Schema.Boolean
}) {
  readonly what = `the temporary objects of COPY: ${this.text}`
}

/** The server's own words on a statement or a connection. */
export class Failed extends Schema.TaggedClass<Failed>()("Failed", { ...fields, retryable: Schema.Boolean }) {
  readonly what = this.text
  readonly fix = "See what the server says; barograph doctor shows which warehouse is configured"
}

export const WarehouseReason = Schema.Union([
  Refused,
  Unreachable,
  Throttled,
  NoCredentials,
  ExpiredCredentials,
  WrongCredentials,
  Denied,
  NotFound,
  Conflict,
  Cancelled,
  NotCopied,
  Failed
])
export type WarehouseReason = typeof WarehouseReason.Type
