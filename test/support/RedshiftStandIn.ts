/** The Data API's stand-in for a test: in front of the embedded PostgreSQL, ended with the scope. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type { IncomingHttpHeaders } from "node:http"
import * as Path from "node:path"
import * as Database from "../../src/layers/database/Database.ts"
import * as Location from "../../src/layers/lake/Location.ts"
import type { RedshiftTarget } from "../../src/layers/warehouse/RedshiftTarget.ts"
import * as EmbeddedDatabase from "./EmbeddedDatabase.ts"
import * as RedshiftServer from "./RedshiftServer.ts"
import { ACCESS_KEY } from "./RedshiftServerCopy.ts"
import type { Connection } from "./RedshiftStatements.ts"

/** The SDK takes the key from the environment; the stand-in only looks whether there is one. */
process.env["AWS_ACCESS_KEY_ID"] ??= "AKIAIOSFODNN7EXAMPLE"
process.env["AWS_SECRET_ACCESS_KEY"] ??= "example"

/** How `pg` finds the server behind a socket `…/.s.PGSQL.<port>`. */
export const connection = Effect.map(Database.Database, ({ config }): Connection => ({
  host: Path.dirname(config.path!),
  port: Number(Path.extname(config.path!).slice(1)),
  user: config.username!,
  database: config.database!
}))

export class StandIn extends Context.Service<StandIn, RedshiftServer.RedshiftServer>()("test/RedshiftStandIn") {}

export const targetOf = (url: string): RedshiftTarget => ({
  kind: "workgroup",
  name: "analytics",
  database: "dev",
  schema: "warehouse",
  region: "us-east-1",
  endpoint: url,
  dbUser: undefined,
  secretArn: undefined,
  copy: undefined
})

/** The same, with a bucket for large loads. */
export const copyingTargetOf = (url: string, s3: string): RedshiftTarget => {
  const bucket = Location.parse(`s3://lake/temporary?endpoint=${s3}`, "/").pipe(Result.getOrThrow)
  if (bucket.kind !== "bucket") throw new Error("no bucket")
  return { ...targetOf(url), copy: { bucket, iamRole: "default" } }
}

/** A stand-in of its own in front of a database that others may share. */
export const server = (options: Omit<RedshiftServer.Options, "connection"> = {}) =>
  Layer.effect(
    StandIn,
    Effect.acquireRelease(
      Effect.flatMap(
        connection,
        (connection) => Effect.promise(() => RedshiftServer.start({ ...options, connection }))
      ),
      (server) => Effect.promise(() => server.close())
    )
  )

export const layer = (options: Omit<RedshiftServer.Options, "connection"> = {}) =>
  Layer.provideMerge(server(options), EmbeddedDatabase.layer)

/** Whether S3 was asked by the warehouse, not by whoever loads it. */
export const isWarehouse = (headers: IncomingHttpHeaders): boolean =>
  (headers.authorization ?? "").includes(`Credential=${ACCESS_KEY}/`)
