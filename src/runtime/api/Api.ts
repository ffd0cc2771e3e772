/** The contract of what a daemon answers over HTTP. Nothing here changes anything. */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { STATUSES } from "../run/Event.ts"

/** Loops that hang, with the seconds since they last moved: the process should be started anew. */
export class Stalled extends Schema.TaggedError<Stalled>()(
  "Stalled",
  { loops: Schema.Record(Schema.String, Schema.Finite) },
  { httpApiStatus: 503 }
) {}

/** The database does not answer. */
export class NotReady extends Schema.TaggedError<NotReady>()(
  "NotReady",
  { message: Schema.String },
  { httpApiStatus: 503 }
) {}

const Ready = Schema.Struct({
  role: Schema.Literals(["leads", "stands by"]),
  /** The process that leads, and its term; null when nobody does. */
  leader: Schema.NullOr(Schema.Struct({ holder: Schema.String, term: Schema.Finite }))
})

const Run = Schema.Struct({
  runId: Schema.String,
  status: Schema.Literals(STATUSES),
  request: Schema.Unknown,
  tags: Schema.Record(Schema.String, Schema.String),
  priority: Schema.Finite,
  startedAt: Schema.Finite,
  endedAt: Schema.optional(Schema.Finite),
  totals: Schema.optional(Schema.Unknown),
  why: Schema.optional(Schema.String),
  runKey: Schema.optional(Schema.String),
  attempt: Schema.Finite,
  requestedAt: Schema.optional(Schema.Finite)
})

/** As `barograph daemon status --json` prints it. */
const Status = Schema.Struct({
  leader: Schema.NullOr(Schema.Struct({
    term: Schema.Finite,
    holder: Schema.String,
    since: Schema.String,
    expiresAt: Schema.String,
    isExpired: Schema.Boolean
  })),
  now: Schema.String,
  runs: Schema.Array(Run)
})

const Metrics = Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4; charset=utf-8" }))

class DaemonGroup extends HttpApiGroup.make("daemon", { topLevel: true }).add(
  HttpApiEndpoint.get("health", "/health", {
    success: Schema.Struct({ status: Schema.Literal("ok") }),
    error: Stalled
  }),
  HttpApiEndpoint.get("ready", "/ready", { success: Ready, error: NotReady }),
  HttpApiEndpoint.get("status", "/status", { success: Status, error: NotReady }),
  HttpApiEndpoint.get("metrics", "/metrics", { success: Metrics })
) {}

export class Api extends HttpApi.make("barograph").add(DaemonGroup) {}
