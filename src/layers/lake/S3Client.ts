/** The SDK's client for a bucket: its sockets, its address, and what Google wants otherwise. */
import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { Bucket } from "./Location.ts"

type Sdk = typeof import("@aws-sdk/client-s3")

/** Connecting is quick or hopeless; an idle socket is dropped after the request timeout of the attempt, not by the SDK. */
const CONNECT = 5_000

/** Its sockets are closed with the scope. Credentials come from the SDK's chain. */
export const make = (sdk: Sdk, location: Bucket, maxSockets: number): Effect.Effect<S3Client, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const client = new sdk.S3Client(configuration(location, maxSockets))
      if (location.dialect === "gcs") speakGenerations(client)
      return client
    }),
    (client) => Effect.sync(() => client.destroy())
  )

const configuration = ({ dialect, endpoint, pathStyle, region }: Bucket, maxSockets: number): S3ClientConfig => ({
  maxAttempts: 1,
  forcePathStyle: pathStyle,
  requestHandler: {
    connectionTimeout: CONNECT,
    httpAgent: { maxSockets, keepAlive: true },
    httpsAgent: { maxSockets, keepAlive: true }
  },
  ...(region === undefined ? {} : { region }),
  ...(endpoint === undefined ? {} : { endpoint }),
  // Google refuses the trailing checksums that the SDK adds by itself (milvus-storage#480).
  ...(dialect === "gcs"
    ? { requestChecksumCalculation: "WHEN_REQUIRED" as const, responseChecksumValidation: "WHEN_REQUIRED" as const }
    : {})
})

/**
 * Google's conditions are generations: a number that comes with every answer and takes the place of the etag here.
 * They go in as `x-amz-` headers, because a request must not mix those with `x-goog-` ones. Tried against the stand-in
 * only, not against Google.
 */
const speakGenerations = (client: S3Client): void => {
  client.middlewareStack.add((next) => async (args) => {
    const request = args.request
    if (Predicate.hasProperty(request, "headers")) rename(request.headers as { [name: string]: string })
    const result = await next(args)
    const headers = Predicate.hasProperty(result.response, "headers") ? result.response.headers : undefined
    const generation = Predicate.hasProperty(headers, "x-goog-generation") ? headers["x-goog-generation"] : undefined
    if (typeof generation === "string" && Predicate.hasProperty(result.output, "$metadata")) {
      Object.assign(result.output, { ETag: generation })
    }
    return result
  }, { step: "build", name: "generations" })
}

const rename = (headers: { [name: string]: string }): void => {
  const generation = headers["if-none-match"] === "*" ? "0" : headers["if-match"]
  delete headers["if-none-match"]
  delete headers["if-match"]
  if (generation !== undefined) headers["x-amz-if-generation-match"] = generation
}
