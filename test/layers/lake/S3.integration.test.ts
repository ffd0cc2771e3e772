import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Location from "../../../src/layers/lake/Location.ts"
import { ensure, ObjectStore } from "../../../src/layers/lake/ObjectStore.ts"
import * as S3 from "../../../src/layers/lake/S3.ts"
import * as S3Server from "../../support/S3Server.ts"
import * as S3ServerError from "../../support/S3ServerError.ts"
import { suite } from "./ObjectStoreSuite.ts"
import { suite as publicationSuite } from "./PublicationSuite.ts"

// The SDK's chain finds them here, as it does on a laptop.
process.env["AWS_ACCESS_KEY_ID"] = "stand-in"
process.env["AWS_SECRET_ACCESS_KEY"] = "stand-in"

const bucket = (server: S3Server.S3Server, parameters = "", scheme = "s3"): Location.Bucket => {
  const text = `${scheme}://lake/some/prefix?endpoint=${server.url}${parameters}`
  return Result.getOrThrow(Location.parse(text, "/")) as Location.Bucket
}

const standIn = Layer.unwrap(Effect.map(S3Server.make(), (server) => S3.layer(bucket(server), { pause: "1 millis" })))

const google = Layer.unwrap(
  Effect.map(
    S3Server.make({ dialect: "gcs", region: "auto" }),
    (server) => S3.layer(bucket(server, "", "gs"), { pause: "1 millis" })
  )
)

suite("objects in S3", standIn)
suite("objects in Google's dialect", google)
publicationSuite("published in S3", standIn)
publicationSuite("published in Google's dialect", google)

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** A server, and a store on it that does not wait long. */
const scene = (options: S3Server.Options = {}, parameters = "") =>
  Effect.gen(function*() {
    const server = yield* S3Server.make(options)
    const layer = S3.layer(bucket(server, parameters), { pause: "1 millis", timeout: "300 millis" })
    const store = yield* Effect.map(Layer.build(layer), (context) => Context.get(context, ObjectStore))
    return { server, store, held: () => server.buckets.get("lake").objects }
  })

/** The first `times` requests fail. */
const failing = (server: S3Server.S3Server, fault: S3Server.Fault, times = 1): void => {
  let left = times
  server.onRequest(() => left-- > 0 ? fault : undefined)
}

const PASSING: ReadonlyArray<readonly [string, S3Server.Fault]> = [
  ["a dropped request", { kind: "drop", when: "before" }],
  ["a lost answer", { kind: "drop", when: "after" }],
  ["503 SlowDown", { kind: "error", error: S3ServerError.slowDown }],
  ["throttling", { kind: "error", error: S3ServerError.throttling }],
  ["500 InternalError", { kind: "error", error: S3ServerError.internal }],
  ["an answer that comes too late", { kind: "wait", when: "after", until: new Promise(() => {}) }],
  ["a request that hangs", { kind: "wait", when: "before", until: new Promise(() => {}) }]
]

for (const [name, fault] of PASSING) {
  it.live(`${name}: put, read, list and remove end as if nothing had happened`, () =>
    Effect.gen(function*() {
      const { held, server, store } = yield* scene()
      failing(server, fault, 2)
      yield* store.put("a/x", bytes("one"))
      expect([...held().keys()]).toEqual(["some/prefix/a/x"])
      failing(server, fault)
      expect(text(yield* store.get("a/x"))).toBe("one")
      failing(server, fault)
      const { etag } = yield* store.read("a/x", { last: 2 })
      failing(server, fault)
      expect(yield* store.list("")).toEqual(["a/x"])
      failing(server, fault)
      yield* store.remove("a/x", etag)
      expect(held().size).toBe(0)
    }))
}

it.live("an answer that is reset in its middle is read again, never taken for the whole", () =>
  Effect.gen(function*() {
    const { server, store } = yield* scene()
    const all = new Uint8Array(200_000).fill(7)
    yield* store.put("a/x", all)
    failing(server, { kind: "cut", after: 100_000 }, 2)
    expect((yield* store.get("a/x")).length).toBe(200_000)
    expect(server.seen.filter(({ operation }) => operation === "GetObject")).toHaveLength(3)
  }))

it.live("a write whose answer was lost meets its own object, and says that it has to be looked at", () =>
  Effect.gen(function*() {
    const { held, server, store } = yield* scene()
    failing(server, { kind: "drop", when: "after" })
    const error = yield* Effect.flip(store.put("a/x", bytes("one"), null))
    expect(error.reason._tag).toBe("Conflict")
    expect(held().get("some/prefix/a/x")!.bytes.toString()).toBe("one")
    yield* ensure(store, "a/x", bytes("one"))
  }))

const LASTING: ReadonlyArray<readonly [string, S3ServerError.S3ServerError, string, string]> = [
  ["denied", S3ServerError.denied, "Denied", "allow s3:PutObject on arn:aws:s3:::lake/some/prefix/*"],
  ["expired credentials", S3ServerError.expired, "Expired", "aws sso login"],
  ["an unknown key", S3ServerError.badKey, "NoCredentials", "AWS_ACCESS_KEY_ID"],
  ["a bucket that lives elsewhere", S3ServerError.movedTo("eu-central-1"), "WrongRegion", "?region=eu-central-1"],
  ["no such bucket", S3ServerError.noSuchBucket("lake"), "NoBucket", "BAROGRAPH_LAKE"]
]

for (const [name, error, tag, fix] of LASTING) {
  it.live(`${name} is said at once, with what to do`, () =>
    Effect.gen(function*() {
      const { held, server, store } = yield* scene()
      server.onRequest(() => ({ kind: "error", error }))
      const failure = yield* Effect.flip(store.put("a/x", bytes("one")))
      expect(failure.reason._tag).toBe(tag)
      expect(failure.message).toContain(error.message)
      expect(failure.fix).toContain(fix)
      expect([server.seen.length, failure.retryable, held().size]).toEqual([1, false, 0])
    }))
}

it.live("whoever may read and not list is told of both rights: S3 denies what it may not say is not there", () =>
  Effect.gen(function*() {
    const { server, store } = yield* scene()
    server.onRequest(() => ({ kind: "error", error: S3ServerError.denied }))
    for (const asked of [store.get("a/x"), store.read("a/x", { last: 1 }), ensure(store, "a/x", bytes("one"))]) {
      expect((yield* Effect.flip(asked)).fix).toContain("s3:GetObject and s3:ListBucket")
    }
  }))

it.live("throttling that does not end is said after six attempts", () =>
  Effect.gen(function*() {
    const { server, store } = yield* scene()
    failing(server, { kind: "error", error: S3ServerError.slowDown }, 100)
    const failure = yield* Effect.flip(store.put("a/x", bytes("one")))
    expect([failure.reason._tag, failure.retryable, server.seen.length]).toEqual(["Throttled", true, 6])
  }))

it.live("a region that is wrong is named right", () =>
  Effect.gen(function*() {
    const { store } = yield* scene({ region: "eu-west-3" })
    const failure = yield* Effect.flip(store.get("a/x"))
    expect(failure.reason).toMatchObject({ _tag: "WrongRegion", region: "eu-west-3" })
    expect(failure.fix).toBe("write ?region=eu-west-3 in BAROGRAPH_LAKE")
  }))

it.live("a clock that is wrong is corrected by the server's, and said when that does not help", () =>
  Effect.gen(function*() {
    const { held, server, store } = yield* scene({ clockOffset: 3_600_000 })
    yield* store.put("a/x", bytes("one"))
    expect([server.seen.length, held().size]).toEqual([2, 1])
    server.onRequest(() => ({ kind: "error", error: S3ServerError.skewed }))
    const failure = yield* Effect.flip(store.get("a/x"))
    expect(failure.reason._tag).toBe("ClockSkew")
    expect(failure.fix).toContain("clock")
  }))

it.live("a server that does not answer is told apart from one that refuses", () =>
  Effect.gen(function*() {
    const server = yield* Effect.promise(() => S3Server.start())
    yield* Effect.promise(server.close)
    const layer = S3.layer(bucket(server), { pause: "1 millis" })
    const failure = yield* Effect.flip(
      Effect.flatMap(ObjectStore, (store) => store.get("a/x")).pipe(Effect.provide(layer))
    )
    expect(failure.reason._tag).toBe("Unavailable")
    expect(failure.message).toContain("ECONNREFUSED")
  }))

it.live("more keys than a page holds are all listed, below the prefix only", () =>
  Effect.gen(function*() {
    const { held, server, store } = yield* scene()
    yield* store.put("a/x", bytes("x"))
    const [, stored] = [...held()][0]!
    for (let at = 0; at < 2500; at++) held().set(`some/prefix/many/${String(at).padStart(4, "0")}`, stored)
    held().set("some/prefix/many/", stored)
    held().set("elsewhere/many/x", stored)
    const keys = yield* store.list("many/")
    expect([keys.length, keys[0], keys[2499]]).toEqual([2500, "many/0000", "many/2499"])
    expect(server.seen.filter(({ operation }) => operation === "ListObjectsV2")).toHaveLength(3)
  }))

it.live("storage class, encryption and the owner go with the requests", () =>
  Effect.gen(function*() {
    const settings = "&storageClass=STANDARD_IA&encryption=aws:kms&kmsKeyId=alias/lake&owner=123456789012"
    const { server, store } = yield* scene({}, settings)
    yield* store.put("a/x", bytes("x"))
    expect(server.seen[0]!.headers).toMatchObject({
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "alias/lake",
      "x-amz-expected-bucket-owner": "123456789012"
    })
    expect(store.location).toBe(`s3://lake/some/prefix?endpoint=${server.url}`)
  }))
