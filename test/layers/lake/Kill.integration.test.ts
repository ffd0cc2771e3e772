import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Url from "node:url"
import * as FileSystem from "../../../src/layers/lake/FileSystem.ts"
import * as Location from "../../../src/layers/lake/Location.ts"
import { ObjectStore } from "../../../src/layers/lake/ObjectStore.ts"
import * as S3 from "../../../src/layers/lake/S3.ts"
import * as Bundle from "../../support/Bundle.ts"
import { temporaryDirectory } from "../../support/EmbeddedDatabase.ts"
import * as S3Server from "../../support/S3Server.ts"
import * as PublishScene from "./PublishScene.ts"

const bundled = (fixture: string) => Bundle.make(Url.fileURLToPath(new URL(`fixture/${fixture}.ts`, import.meta.url)))

const environment = { ...process.env, AWS_ACCESS_KEY_ID: "stand-in", AWS_SECRET_ACCESS_KEY: "stand-in" }
Object.assign(process.env, environment)

interface Ended {
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

const start = (program: string, args: ReadonlyArray<string>) => {
  const child = ChildProcess.spawn(process.execPath, [program, ...args], { env: environment })
  let [stdout, stderr] = ["", ""]
  child.stdout.on("data", (chunk) => (stdout += chunk))
  child.stderr.on("data", (chunk) => (stderr += chunk))
  const ended = new Promise<Ended>((resolve) => child.on("close", (_, signal) => resolve({ signal, stdout, stderr })))
  return { child, ended }
}

const run = (program: string, args: ReadonlyArray<string>) => Effect.promise(() => start(program, args).ended)

/** Reads everything: each partition is the old or the new one. Then publishes again: exactly what is staged. */
const recovers = Effect.fnUntraced(function*(store: ObjectStore["Service"], at: string) {
  const found = yield* PublishScene.contents(store)
  expect(PublishScene.isBetween(found), `${at}: ${JSON.stringify([...found])}`).toBe(true)
  yield* PublishScene.publish(store, PublishScene.after)
  expect(yield* PublishScene.contents(store), at).toEqual(PublishScene.expected(PublishScene.after))
})

const filesIn = (root: string): ReadonlyArray<string> =>
  Fs.readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)

/** A directory that holds `before`, and a store on it. */
const directory = Effect.gen(function*() {
  const root = yield* temporaryDirectory
  const store = Context.get(yield* Layer.build(FileSystem.layer(root)), ObjectStore)
  yield* PublishScene.publish(store, PublishScene.before)
  return { root, store }
})

it.live(
  "killed at every call of the file system, then run again, the lake holds exactly what is staged",
  () =>
    Effect.gen(function*() {
      const program = yield* bundled("publisher")
      const undisturbed = yield* run(program, [(yield* directory).root])
      expect(undisturbed.stderr).toBe("")
      const calls = Number(undisturbed.stdout)
      expect(calls).toBeGreaterThan(30)
      yield* Effect.forEach(
        Array.from({ length: calls }, (_, at) => at + 1),
        (call) =>
          Effect.scoped(Effect.gen(function*() {
            const { root, store } = yield* directory
            expect((yield* run(program, [root, String(call)])).signal, `call ${call}`).toBe("SIGKILL")
            yield* recovers(store, `call ${call}`)
            const left = filesIn(root).filter((name) => name.endsWith(".tmp"))
            expect(left, `call ${call}`).toEqual([])
          })),
        { concurrency: 3 }
      )
    }),
  240_000
)

const bucketOf = (server: S3Server.S3Server): string => `s3://lake/some/prefix?endpoint=${server.url}`

/** A server whose bucket holds `before`, and a store on it. */
const bucket = Effect.gen(function*() {
  const server = yield* S3Server.make()
  const location = Result.getOrThrow(Location.parse(bucketOf(server), "/")) as Location.Bucket
  const store = Context.get(yield* Layer.build(S3.layer(location)), ObjectStore)
  yield* PublishScene.publish(store, PublishScene.before)
  return { server, store }
})

/** Kills the child when its request with that number is there, before or after it was carried out. */
const killedAt = Effect.fnUntraced(function*(
  program: string,
  server: S3Server.S3Server,
  number: number,
  when: "before" | "after"
) {
  const { child, ended } = start(program, [bucketOf(server)])
  let requests = 0
  server.onRequest(() => {
    if (++requests !== number) return undefined
    if (when === "before") child.kill("SIGKILL")
    return { kind: "wait", when, until: when === "before" ? ended : Promise.resolve(child.kill("SIGKILL")) }
  })
  const { signal, stderr } = yield* Effect.promise(() => ended)
  server.onRequest(() => undefined)
  return { signal, stderr, requests }
})

it.live(
  "killed at every request, before and after S3 has carried it out, then run again: exactly what is staged",
  () =>
    Effect.gen(function*() {
      const { server } = yield* bucket
      const program = yield* bundled("s3Publisher")
      const undisturbed = yield* killedAt(program, server, -1, "before")
      expect(undisturbed).toMatchObject({ signal: null, stderr: "" })
      expect(undisturbed.requests).toBe(7)
      for (const when of ["before", "after"] as const) {
        yield* Effect.forEach(
          Array.from({ length: undisturbed.requests }, (_, at) => at + 1),
          (number) =>
            Effect.scoped(Effect.gen(function*() {
              const { server, store } = yield* bucket
              expect((yield* killedAt(program, server, number, when)).signal).toBe("SIGKILL")
              yield* recovers(store, `${when} request ${number}`)
            })),
          { concurrency: 3 }
        )
      }
    }),
  240_000
)
