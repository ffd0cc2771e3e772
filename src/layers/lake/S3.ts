/**
 * Objects in a bucket: AWS, S3-compatible servers, and Google's interoperability (`Location.ts` has the settings). One
 * `PutObject` is atomic and S3 is strongly consistent, so a reader sees the old object or the new one.
 *
 * Every attempt has a time limit; what may pass is tried again, with growing pauses, in one place: the SDK's own retry is
 * off. A write whose answer got lost is sent again and then meets its own object: with an expected etag that is
 * `Conflict`, and whoever asked looks again (`Publication.ts`).
 *
 * Limits: an object is held in memory, `IN_FLIGHT` of them at a time and none larger than `LARGEST`; no uploads in
 * parts. Nothing asks by HEAD: its errors have no body that would say why.
 */
import type { GetObjectCommandOutput, HeadObjectCommandOutput, S3Client } from "@aws-sdk/client-s3"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import * as Keys from "./Keys.ts"
import * as Location from "./Location.ts"
import { ObjectStore, ObjectStoreError, type Part, type Range, tail } from "./ObjectStore.ts"
import { Conflict, Failed, Unavailable } from "./ObjectStoreReason.ts"
import * as Client from "./S3Client.ts"
import * as S3Failure from "./S3Failure.ts"

/** Requests at a time: S3 allows thousands a second per prefix; sockets and memory are what is scarce. */
const IN_FLIGHT = 16
/** Payloads are megabytes, Parquet files kilobytes: what is larger is a mistake. */
const LARGEST = 1024 ** 3

export interface Options {
  /** For one attempt, body included. */
  readonly timeout?: Duration.Input
  /** The first pause before another attempt; it doubles. */
  readonly pause?: Duration.Input
}

/** The client is loaded here and nowhere else. Nothing is asked before the first use. */
export const layer = (location: Location.Bucket, options: Options = {}): Layer.Layer<ObjectStore> =>
  Layer.effect(
    ObjectStore,
    Effect.gen(function*() {
      const sdk = yield* Effect.promise(() => import("@aws-sdk/client-s3"))
      const client = yield* Client.make(sdk, location, IN_FLIGHT)
      return ObjectStore.of(make({ sdk, client, location, call: yield* callWith(options) }))
    })
  )

type Sdk = typeof import("@aws-sdk/client-s3")

/** Runs one call: its permit, its limit, its attempts, its errors. */
type Call = <A>(
  operation: keyof typeof PERMISSIONS,
  key: string,
  subject: string,
  run: (signal: AbortSignal) => Promise<A>
) => Effect.Effect<A, ObjectStoreError>

const PERMISSIONS = {
  put: "s3:PutObject",
  // Without the right to list, S3 denies where it would say that nothing is there.
  get: "s3:GetObject and s3:ListBucket",
  read: "s3:GetObject and s3:ListBucket",
  remove: "s3:DeleteObject",
  list: "s3:ListBucket"
} as const

/** The SDK takes the server's time from the answer that complains, so a second attempt is signed right. */
const mayPass = ({ reason }: ObjectStoreError, attempt: number): boolean =>
  reason._tag === "Throttled" || reason._tag === "Unavailable" || (reason._tag === "ClockSkew" && attempt === 1)

const callWith = ({ pause = "200 millis", timeout = "60 seconds" }: Options): Effect.Effect<Call> =>
  Effect.map(Semaphore.make(IN_FLIGHT), (permits): Call => {
    const attempts = Schedule.exponential(pause).pipe(
      Schedule.jittered,
      Schedule.upTo({ times: 5 }),
      Schedule.setInputType<ObjectStoreError>(),
      Schedule.while(({ attempt, input }) => mayPass(input, attempt))
    )
    return (operation, key, subject, run) => {
      const asked = { permission: PERMISSIONS[operation], subject }
      const late = new ObjectStoreError({ operation, key, reason: new Unavailable({ text: "no answer in time" }) })
      return Effect.tryPromise({
        try: run,
        catch: (cause) => new ObjectStoreError({ operation, key, reason: S3Failure.reasonOf(cause, asked) })
      }).pipe(
        Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.fail(late) }),
        permits.withPermits(1),
        Effect.retry(attempts)
      )
    }
  })

/** What every operation needs. */
interface Session {
  readonly sdk: Sdk
  readonly client: S3Client
  readonly location: Location.Bucket
  readonly call: Call
}

const make = (session: Session): ObjectStore["Service"] => ({
  location: Location.render(session.location),
  put: put(session),
  get: get(session),
  read: read(session),
  remove: remove(session),
  list: list(session)
})

const within = ({ prefix }: Location.Bucket): string => prefix === "" ? "" : `${prefix}/`

const object = ({ location }: Session, key: string) => ({
  Bucket: location.bucket,
  Key: within(location) + key,
  ...(location.owner === undefined ? {} : { ExpectedBucketOwner: location.owner })
})

const objects = ({ location }: Session): string => `arn:aws:s3:::${location.bucket}/${within(location)}*`

const refuse = (operation: string, key: string, violation: string | undefined) =>
  violation === undefined
    ? Effect.void
    : Effect.fail(new ObjectStoreError({ operation, key, reason: new Failed({ text: violation }) }))

const put = (session: Session): ObjectStore["Service"]["put"] =>
  Effect.fn("ObjectStore.put")(function*(key, bytes, expected) {
    yield* refuse("put", key, Keys.violation(key))
    const { call, client, location, sdk } = session
    const command = () =>
      new sdk.PutObjectCommand({ ...object(session, key), ...headers(location), ...condition(expected), Body: bytes })
    const { ETag } = yield* call("put", key, objects(session), (abortSignal) => client.send(command(), { abortSignal }))
      .pipe(Effect.mapError(asWrite))
    return ETag ?? ""
  })

const get = (session: Session): ObjectStore["Service"]["get"] =>
  Effect.fn("ObjectStore.get")(function*(key) {
    yield* refuse("get", key, Keys.violation(key))
    const { call, client, sdk } = session
    return yield* call("get", key, objects(session), (abortSignal) =>
      client.send(new sdk.GetObjectCommand(object(session, key)), { abortSignal }).then(bytesOf))
  })

const read = (session: Session): ObjectStore["Service"]["read"] =>
  Effect.fn("ObjectStore.read")(function*(key, range, expected) {
    yield* refuse("read", key, Keys.violation(key))
    const { call, client, sdk } = session
    const asked = { ...object(session, key), ...(expected === undefined ? {} : { IfMatch: expected }) }
    return yield* call(
      "read",
      key,
      objects(session),
      (abortSignal) =>
        client.send(new sdk.GetObjectCommand({ ...asked, Range: rangeText(range) }), { abortSignal }).then(
          partOf,
          (cause) =>
            isOutside(cause)
              ? client.send(new sdk.HeadObjectCommand(asked), { abortSignal }).then(nothing)
              : Promise.reject(cause)
        )
    )
  })

const remove = (session: Session): ObjectStore["Service"]["remove"] =>
  Effect.fn("ObjectStore.remove")(function*(key, expected) {
    yield* refuse("remove", key, Keys.violation(key))
    const { call, client, sdk } = session
    const command = () => new sdk.DeleteObjectCommand({ ...object(session, key), ...condition(expected) })
    yield* call("remove", key, objects(session), (abortSignal) => client.send(command(), { abortSignal })).pipe(
      Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.void),
      // S3 may say so too where nothing is there any more: to us, after an answer that got lost.
      Effect.catchReason(
        "ObjectStoreError",
        "Conflict",
        (_, error) =>
          Effect.flatMap(tail(make(session), key, 1), (found) => found === undefined ? Effect.void : Effect.fail(error))
      )
    )
  })

const list = (session: Session): ObjectStore["Service"]["list"] =>
  Effect.fn("ObjectStore.list")(function*(prefix) {
    yield* refuse("list", prefix, Keys.prefixViolation(prefix))
    const { call, client, location, sdk } = session
    const keys: Array<string> = []
    let token: string | undefined
    do {
      const asked = { Bucket: location.bucket, Prefix: within(location) + prefix, ContinuationToken: token }
      const page = yield* call("list", prefix, `arn:aws:s3:::${location.bucket}`, (abortSignal) =>
        client.send(new sdk.ListObjectsV2Command(asked), { abortSignal }))
      for (const { Key } of page.Contents ?? []) {
        keys.push((Key ?? "").slice(within(location).length))
      }
      token = page.NextContinuationToken
    } while (token !== undefined)
    // Without markers of folders, and without what others put there under names that no key of ours has.
    return keys.filter((key) =>
      Keys.violation(key) === undefined
    ).sort()
  })

// Over an object that is gone, S3 answers 404 to `If-Match`.
const asWrite = (error: ObjectStoreError): ObjectStoreError =>
  error.reason._tag === "NotFound" ? new ObjectStoreError({ ...error, reason: new Conflict() }) : error

const condition = (expected: string | null | undefined) =>
  expected === undefined ? {} : expected === null ? { IfNoneMatch: "*" } : { IfMatch: expected }

const headers = ({ encryption, kmsKeyId, storageClass }: Location.Bucket) => ({
  ...(storageClass === undefined ? {} : { StorageClass: storageClass as "STANDARD" }),
  ...(encryption === undefined ? {} : { ServerSideEncryption: encryption }),
  ...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId })
})

const rangeText = (range: Range): string =>
  "last" in range ? `bytes=-${range.last}` : `bytes=${range.from}-${range.to - 1}`

const bytesOf = async ({ Body, ContentLength }: GetObjectCommandOutput): Promise<Uint8Array> => {
  if (Body === undefined) return new Uint8Array(0)
  if ((ContentLength ?? 0) <= LARGEST) return Body.transformToByteArray()
  if ("destroy" in Body) Body.destroy()
  throw new Error(`the object has ${ContentLength} bytes; more than ${LARGEST} are not read`)
}

const partOf = async (answer: GetObjectCommandOutput): Promise<Part> => {
  const bytes = await bytesOf(answer)
  const size = Number(/\/(\d+)$/.exec(answer.ContentRange ?? "")?.[1] ?? bytes.length)
  return { bytes, etag: answer.ETag ?? "", size }
}

/** An empty object, or one that ends before the range begins. */
const isOutside = (cause: unknown): boolean => cause instanceof Error && cause.name === "InvalidRange"

const nothing = ({ ContentLength, ETag }: HeadObjectCommandOutput): Part => ({
  bytes: new Uint8Array(0),
  etag: ETag ?? "",
  size: ContentLength ?? 0
})
