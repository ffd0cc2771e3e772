/**
 * One call with everything that a secret in the address asks for: no redirect is followed, no span and no trace header is
 * made from the request, the body is bounded, time is bounded, and a failure is a sentence without the address.
 */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import type * as UrlParams from "effect/http/UrlParams"
import * as Stream from "effect/Stream"

/** Unpacked. A month of minute bars is 4 MB; more than this is no answer of ours. */
export const BODY_LIMIT = 32 * 1024 * 1024

export interface Call {
  readonly url: string
  readonly urlParams: UrlParams.Input
  /** Values may be `Redacted`. */
  readonly headers?: Headers.Input
}

export interface Answer {
  readonly status: number
  /** By lowercase name. */
  readonly headers: Headers.Headers
  readonly bytes: Uint8Array
}

/** Fails with a sentence. It may hold what the server or the runtime said: redact it. */
export const get = (call: Call): Effect.Effect<Answer, string, HttpClient.HttpClient> =>
  exchange(HttpClientRequest.get(call.url, {
    urlParams: call.urlParams,
    headers: { accept: "application/json", ...call.headers }
  }))

/** Fails as `get` does. */
export const exchange = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<Answer, string, HttpClient.HttpClient> =>
  HttpClient.execute(request).pipe(
    Effect.mapError(connectionText),
    Effect.flatMap((response) =>
      Effect.map(body(response), (bytes): Answer => ({ status: response.status, headers: response.headers, bytes }))
    ),
    Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true)
  )

const body = (response: HttpClientResponse): Effect.Effect<Uint8Array, string> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    return response.stream.pipe(
      Stream.mapError((error) =>
        error.reason._tag === "EmptyBodyError" ? "" : `the answer broke off: ${detail(error)}`
      ),
      Stream.runForEach((chunk) => {
        size += chunk.byteLength
        chunks.push(chunk)
        return size > BODY_LIMIT ? Effect.fail(`the answer is larger than ${BODY_LIMIT >> 20} MB`) : Effect.void
      }),
      Effect.catch((text) => text === "" ? Effect.void : Effect.fail(text)),
      Effect.map(() => Buffer.concat(chunks))
    )
  })

const connectionText = (error: HttpClientError): string => `no connection: ${detail(error)}`

/** The innermost cause names the failure (`ECONNREFUSED`), the outer ones only say that there was one. */
const detail = (error: HttpClientError): string => {
  let cause: unknown = error.reason.cause
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause
  return cause instanceof Error ? cause.message || codeOf(cause) : error.reason._tag
}

/** Node gives several refused addresses one error with a code and no message. */
const codeOf = (error: Error): string => "code" in error ? String(error.code) : error.name
