/** Every fault at every request of a publish over S3, and what the lake holds afterwards, read back whole. */
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Location from "../../../src/layers/lake/Location.ts"
import { ObjectStore } from "../../../src/layers/lake/ObjectStore.ts"
import * as S3 from "../../../src/layers/lake/S3.ts"
import * as S3Server from "../../support/S3Server.ts"
import * as S3ServerError from "../../support/S3ServerError.ts"
import * as PublishScene from "./PublishScene.ts"

process.env["AWS_ACCESS_KEY_ID"] = "stand-in"
process.env["AWS_SECRET_ACCESS_KEY"] = "stand-in"

const REQUESTS = 7
const never = new Promise(() => {})

/** A server whose bucket holds `before`, and a store on it that is soon impatient. */
const scene = Effect.gen(function*() {
  const server = yield* S3Server.make()
  const location = Result.getOrThrow(Location.parse(`s3://lake/p?endpoint=${server.url}`, "/")) as Location.Bucket
  const layer = S3.layer(location, { pause: "1 millis", timeout: "2 seconds" })
  const store = Context.get(yield* Layer.build(layer), ObjectStore)
  yield* PublishScene.publish(store, PublishScene.before)
  return { server, store }
})

/** The request with that number fails, and with `forever` all after it. */
const failAt = (server: S3Server.S3Server, number: number, fault: S3Server.Fault, forever = false): void => {
  let requests = 0
  server.onRequest(() => {
    requests++
    return requests === number || (forever && requests > number) ? fault : undefined
  })
}

const exactly = Effect.fnUntraced(function*(store: ObjectStore["Service"], at: string) {
  expect(yield* PublishScene.contents(store), at).toEqual(PublishScene.expected(PublishScene.after))
})

const error = (error: S3ServerError.S3ServerError): S3Server.Fault => ({ kind: "error", error })

const PASSING: { readonly [name: string]: S3Server.Fault } = {
  "a dropped request": { kind: "drop", when: "before" },
  "a lost reply": { kind: "drop", when: "after" },
  "503 SlowDown": error(S3ServerError.slowDown),
  throttling: error(S3ServerError.throttling),
  "500 InternalError": error(S3ServerError.internal),
  "409 ConditionalRequestConflict": error(S3ServerError.conflict),
  "a reply that is reset in its middle": { kind: "cut", after: 20 }
}

for (const [name, fault] of Object.entries(PASSING)) {
  it.live(
    `${name}, at any request: the publish ends well, and the lake holds exactly what is staged`,
    () =>
      Effect.gen(function*() {
        for (let number = 1; number <= REQUESTS; number++) {
          const { server, store } = yield* scene
          // S3 answers a read with neither this nor any other conflict.
          if (fault === PASSING["409 ConditionalRequestConflict"] && number <= 4) continue
          failAt(server, number, fault)
          yield* PublishScene.publish(store, PublishScene.after)
          yield* exactly(store, `request ${number}`)
        }
      }),
    60_000
  )
}

it.live("slow replies only take longer", () =>
  Effect.gen(function*() {
    const { server, store } = yield* scene
    server.onRequest(() => ({ kind: "wait", when: "after", until: new Promise((done) => setTimeout(done, 50)) }))
    yield* PublishScene.publish(store, PublishScene.after)
    yield* exactly(store, "slow")
  }))

const LASTING: { readonly [name: string]: S3Server.Fault } = {
  "expired credentials": error(S3ServerError.expired),
  "a wrong region": error(S3ServerError.movedTo("eu-central-1")),
  denied: error(S3ServerError.denied),
  "a skewed clock": error(S3ServerError.skewed),
  "a server that drops everything": { kind: "drop", when: "after" }
}

for (const [name, fault] of Object.entries(LASTING)) {
  it.live(
    `${name}, from any request on: old and new partitions are whole, and the next run finishes`,
    () =>
      Effect.gen(function*() {
        for (let number = 1; number <= REQUESTS; number++) {
          const { server, store } = yield* scene
          failAt(server, number, fault, true)
          const failure = yield* Effect.flip(PublishScene.publish(store, PublishScene.after))
          expect(failure._tag).toBe("ObjectStoreError")
          server.onRequest(() => undefined)
          const found = yield* PublishScene.contents(store)
          expect(PublishScene.isBetween(found), JSON.stringify([...found])).toBe(true)
          yield* PublishScene.publish(store, PublishScene.after)
          yield* exactly(store, `request ${number}`)
        }
      }),
    60_000
  )
}

it.live("a server that hangs is given up, and the next run finishes", () =>
  Effect.gen(function*() {
    const { server, store } = yield* scene
    failAt(server, 6, { kind: "wait", when: "before", until: never }, false)
    yield* PublishScene.publish(store, PublishScene.after)
    yield* exactly(store, "hanging")
  }), 60_000)

it.live("a rerun writes nothing", () =>
  Effect.gen(function*() {
    const { server, store } = yield* scene
    yield* PublishScene.publish(store, PublishScene.after)
    const already = server.seen.length
    yield* PublishScene.publish(store, PublishScene.after)
    const operations = server.seen.slice(already).map(({ operation }) => operation)
    expect(operations).toEqual(["GetObject", "GetObject", "GetObject", "GetObject"])
  }))
