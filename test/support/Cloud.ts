/** The servers that stand in for AWS, together: an S3 in memory, and a Redshift whose tables stay in `directory`. */
import * as RedshiftLocal from "./RedshiftLocal.ts"
import { RequestCount } from "./RequestCount.ts"
import * as S3Server from "./S3Server.ts"

export interface Options {
  /** Where they listen, and the name that the settings give them. */
  readonly host: string
  readonly directory: string
  /** Free ones unless said. */
  readonly s3Port?: number
  readonly redshiftPort?: number
}

export interface Cloud {
  /** What leads Barograph to them, as variables of the environment. */
  readonly settings: { readonly [name: string]: string }
  readonly s3: S3Server.S3Server
  readonly requests: RequestCount
  readonly close: () => Promise<void>
}

export const start = async ({ directory, host, redshiftPort = 0, s3Port = 0 }: Options): Promise<Cloud> => {
  const requests = new RequestCount()
  const s3 = await S3Server.start({ host, port: s3Port, buckets: ["lake"] })
  s3.onRequest((seen) => void requests.s3(seen))
  const endpoint = `http://${host}:${new URL(s3.url).port}`
  const redshift = await RedshiftLocal.start({
    host,
    port: redshiftPort,
    directory,
    s3: endpoint,
    hook: (moment) => {
      if (moment.phase === "received") requests.redshift(moment)
    }
  }).catch(async (error: unknown) => {
    await s3.close()
    throw error
  })
  return {
    settings: {
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
      AWS_REGION: "us-east-1",
      BAROGRAPH_LAKE: `s3://lake/barograph?endpoint=${endpoint}`,
      ...redshift.settings
    },
    s3,
    requests,
    close: async () => {
      await redshift.close()
      await s3.close()
    }
  }
}
