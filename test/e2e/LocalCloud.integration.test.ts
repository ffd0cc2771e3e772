/** The whole graph on stand-ins of S3 and Redshift, by the SDK's own clients. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Url from "node:url"
import * as Cli from "../support/Cli.ts"
import * as Cloud from "../support/Cloud.ts"
import { lakeTotals, TOTALS } from "../support/CloudShow.ts"
import { temporaryDirectory } from "../support/EmbeddedDatabase.ts"
import * as S3Server from "../support/S3Server.ts"

const LOAD = ["materialize", "--asset", "redshift_bars", "--asset", "bars_parquet", "--partition", "symbol=IBM"]

it.live(
  "staging, lake and warehouse hold the same, a rerun writes nothing, and tables outlive the servers",
  () =>
    Effect.gen(function*() {
      const project = yield* Cli.project
      const directory = yield* temporaryDirectory
      const within = <A, E, R>(body: (cloud: Cloud.Cloud) => Effect.Effect<A, E, R>) =>
        Effect.acquireRelease(
          Effect.promise(() => Cloud.start({ directory, host: "127.0.0.1" })),
          ({ close }) => Effect.promise(close)
        ).pipe(
          Effect.tap((cloud) => Effect.sync(() => Object.assign(project.env, cloud.settings))),
          Effect.flatMap(body),
          Effect.scoped
        )
      const warehouse = Effect.map(Cli.query(project, "warehouse", `${TOTALS} from bars`), ([found]) => found)

      const loaded = yield* within(Effect.fnUntraced(function*(cloud) {
        expect(yield* Cli.run(project, LOAD)).toMatchObject({ code: 0 })
        const first = cloud.requests.take()
        expect(first.text).toMatch(/^requests: {2}Redshift .*BatchExecuteStatement.* {2}S3 .*PutObject/)
        expect(first.writes).toBeGreaterThan(0)

        const [staged] = yield* Cli.query(project, "staging", `${TOTALS} from bars`)
        expect(staged!["bars"]).toBeGreaterThan(0)
        expect(yield* Effect.promise(() => lakeTotals(cloud.s3))).toEqual(staged)
        expect(yield* warehouse).toEqual(staged)

        cloud.requests.take()
        expect((yield* Cli.run(project, LOAD)).stdout).toContain("Nothing to do")
        expect(cloud.requests.take()).toMatchObject({ writes: 0, text: expect.stringContaining("(no writes)") })
        return staged
      }))
      expect(yield* within(() => warehouse)).toEqual(loaded)
      delete project.env["BAROGRAPH_WAREHOUSE"]
      delete project.env["BAROGRAPH_LAKE"]
    }).pipe(Effect.scoped),
  300_000
)

it.live(
  "settings name the servers as they were told to listen, since a container has no other's loopback",
  () =>
    Effect.scoped(Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const { settings } = yield* Effect.acquireRelease(
        Effect.promise(() => Cloud.start({ directory, host: "localhost" })),
        ({ close }) => Effect.promise(close)
      )
      const endpoints = Object.values(settings).flatMap((value) => value.match(/http:\/\/[^/:]+/g) ?? [])
      expect(endpoints).toEqual(Array(3).fill("http://localhost"))
      for (const address of [settings["BAROGRAPH_LAKE"], settings["BAROGRAPH_WAREHOUSE"]]) {
        const { status } = yield* Effect.promise(() => fetch(/endpoint=(http:[^&]+)/.exec(address!)![1]!))
        expect(status).toBeGreaterThan(0)
      }
    })),
  60_000
)

it.live(
  "a port that is taken is told with how to take another, and nothing stays behind",
  () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const port = new URL((yield* S3Server.make()).url).port
      const main = Url.fileURLToPath(new URL("../support/localCloud.ts", import.meta.url))
      for (const ports of [["--s3-port", port, "--redshift-port", "0"], ["--s3-port", "0", "--redshift-port", port]]) {
        const told = yield* Cli.run({ directory, env: {}, main }, [...ports, "--directory", `${directory}/tables`])
        expect(told).toMatchObject({ code: 3, stdout: "" })
        expect(told.stderr).toContain(`error: port ${port} is in use\n  fix: npm run -s local-cloud -- --s3-port`)
      }
    }).pipe(Effect.scoped),
  60_000
)
