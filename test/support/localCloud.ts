/**
 * `npm run local-cloud`: the servers that stand in for AWS, on fixed ports of this machine, until Ctrl-C. Prints the
 * settings that lead Barograph to them, and on stderr what was asked of them whenever they have been idle for a second. The
 * bucket is in memory: after a restart, `materialize --force` fills it again.
 *
 * `npm run local-cloud -- --show` takes the bundled sample through the whole graph into them, twice, and compares.
 */
import * as Path from "node:path"
import * as NodeUtil from "node:util"
import * as Cloud from "./Cloud.ts"
import * as CloudShow from "./CloudShow.ts"

const { values: options } = NodeUtil.parseArgs({
  options: {
    show: { type: "boolean", default: false },
    host: { type: "string", default: "127.0.0.1" },
    "s3-port": { type: "string", default: "9000" },
    "redshift-port": { type: "string", default: "9001" },
    /** Of the tables behind the Redshift stand-in. */
    directory: { type: "string", default: ".barograph/local-cloud" }
  }
})

const serve = async (): Promise<void> => {
  const cloud = await Cloud.start({
    host: options.host,
    s3Port: Number(options["s3-port"]),
    redshiftPort: Number(options["redshift-port"]),
    directory: Path.resolve(options.directory)
  })
  for (const [name, value] of Object.entries(cloud.settings)) console.log(`export ${name}='${value}'`)
  const silence = cloud.requests.whenIdle(1000, (text) => console.error(text))
  const stop = () => {
    silence()
    void cloud.close().then(() => process.exit(0))
  }
  process.on("SIGINT", stop)
  process.on("SIGTERM", stop)
}

/** Other servers like these ports too. */
const isTaken = (error: unknown): error is { readonly port: number } =>
  error instanceof Error && "code" in error && error.code === "EADDRINUSE" && "port" in error

const told = (error: unknown): void => {
  if (!isTaken(error)) throw error
  console.error(
    `error: port ${error.port} is in use\n  fix: npm run -s local-cloud -- --s3-port 9010 --redshift-port 9011`
  )
  process.exitCode = 3
}

if (options.show) process.exitCode = await CloudShow.run()
else await serve().catch(told)
