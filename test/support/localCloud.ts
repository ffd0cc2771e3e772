/**
 * `npm run local-cloud`: the servers that stand in for AWS, on fixed ports of this machine, until Ctrl-C. Prints the
 * settings that lead Barograph to them. The bucket is in memory: after a restart, `materialize --force` fills it again.
 */
import * as Path from "node:path"
import * as NodeUtil from "node:util"
import * as RedshiftLocal from "./RedshiftLocal.ts"
import * as S3Server from "./S3Server.ts"

interface Service {
  /** Settings for whoever wants to use it, as in a shell. */
  readonly settings: { readonly [name: string]: string }
  readonly close: () => Promise<void>
}

const { values: options } = NodeUtil.parseArgs({
  options: {
    host: { type: "string", default: "127.0.0.1" },
    "s3-port": { type: "string", default: "9000" },
    "redshift-port": { type: "string", default: "9001" },
    /** Of the tables behind the Redshift stand-in. */
    directory: { type: "string", default: ".barograph/local-cloud" }
  }
})

const s3 = async (): Promise<Service> => {
  const port = Number(options["s3-port"])
  const { close } = await S3Server.start({ host: options.host, port, buckets: ["lake"] })
  return { settings: { BAROGRAPH_LAKE: `s3://lake/barograph?endpoint=http://127.0.0.1:${port}` }, close }
}

const redshift = (): Promise<Service> =>
  RedshiftLocal.start({
    host: options.host,
    port: Number(options["redshift-port"]),
    directory: Path.resolve(options.directory),
    s3: `http://127.0.0.1:${options["s3-port"]}`
  })

const services: ReadonlyArray<() => Promise<Service>> = [s3, redshift]

const started = await Promise.all(services.map((start) => start()))
const settings = { AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local", AWS_REGION: "us-east-1" }
for (const [name, value] of Object.entries(Object.assign(settings, ...started.map((service) => service.settings)))) {
  console.log(`export ${name}='${value}'`)
}

const stop = () => void Promise.all(started.map(({ close }) => close())).then(() => process.exit(0))
process.on("SIGINT", stop)
process.on("SIGTERM", stop)
