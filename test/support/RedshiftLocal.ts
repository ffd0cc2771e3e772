/**
 * The Data API's stand-in as a service of `local-cloud`: on a port of its own, in front of an embedded PostgreSQL in
 * `directory`, where the tables stay after a restart.
 */
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Database from "../../src/layers/database/Database.ts"
import * as RedshiftServer from "./RedshiftServer.ts"
import * as RedshiftStandIn from "./RedshiftStandIn.ts"

export interface Options {
  readonly host: string
  readonly port: number
  readonly directory: string
}

export const start = async ({ directory, host, port }: Options) => {
  const runtime = ManagedRuntime.make(Database.layer({ home: directory, url: undefined }))
  const connection = await runtime.runPromise(RedshiftStandIn.connection)
  const server = await RedshiftServer.start({ connection, host, port, isolation: "snapshot" })
  const target = `redshift-data://workgroup/analytics/dev?region=us-east-1&endpoint=${server.url}`
  return {
    settings: { BAROGRAPH_WAREHOUSE: target },
    close: () => server.close().then(() => runtime.dispose())
  }
}
