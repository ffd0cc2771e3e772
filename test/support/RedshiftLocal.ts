/**
 * The Data API's stand-in as a service of `local-cloud`: on a port of its own, in front of an embedded PostgreSQL in
 * `directory`, where the tables stay after a restart. With an S3 beside it, large loads go through that by COPY.
 */
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Database from "../../src/layers/database/Database.ts"
import * as RedshiftServer from "./RedshiftServer.ts"
import * as RedshiftStandIn from "./RedshiftStandIn.ts"

export interface Options {
  readonly host: string
  readonly port: number
  readonly directory: string
  /** The address of an S3 with a bucket `lake`, for COPY. */
  readonly s3?: string
  readonly hook?: RedshiftServer.Options["hook"]
}

export const start = async ({ directory, hook, host, port, s3 }: Options) => {
  const runtime = ManagedRuntime.make(Database.layer({ home: directory, url: undefined }))
  const connection = await runtime.runPromise(RedshiftStandIn.connection)
  const server = await RedshiftServer.start({
    connection,
    host,
    port,
    isolation: "snapshot",
    ...(s3 === undefined ? {} : { s3: { endpoint: s3 } }),
    ...(hook === undefined ? {} : { hook })
  }).catch(async (error: unknown) => {
    await runtime.dispose()
    throw error
  })
  const copy = s3 === undefined ? "" : `&copy=s3://lake/redshift?endpoint=${s3}`
  const target = `redshift-data://workgroup/analytics/dev?region=us-east-1&endpoint=${server.url}${copy}`
  return {
    settings: { BAROGRAPH_WAREHOUSE: target },
    close: () => server.close().then(() => runtime.dispose())
  }
}
