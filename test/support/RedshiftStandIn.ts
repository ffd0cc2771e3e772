/** The Data API's stand-in for a test: in front of the embedded PostgreSQL, ended with the scope. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Path from "node:path"
import * as Database from "../../src/layers/database/Database.ts"
import type { RedshiftTarget } from "../../src/layers/warehouse/RedshiftTarget.ts"
import * as EmbeddedDatabase from "./EmbeddedDatabase.ts"
import * as RedshiftServer from "./RedshiftServer.ts"
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
  secretArn: undefined
})

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
