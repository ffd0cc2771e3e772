/** One POST of JSON to where alerts go. The address is a secret: it is in no error, span or header. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import { ChannelError, Misconfigured, Unavailable } from "../../runtime/automation/AlertChannels.ts"
import * as HttpBody from "../market-data/HttpBody.ts"
import { waitOf } from "../market-data/HttpStatus.ts"
import * as KeyRedaction from "../market-data/KeyRedaction.ts"

interface Call {
  readonly channel: string
  readonly url: Redacted.Redacted<string>
  /** JSON. */
  readonly body: string
  readonly headers?: { readonly [name: string]: string }
}

export interface Answer {
  readonly status: number
  readonly text: string
}

/** 429 without a `Retry-After`. */
const SOME_TIME = 30_000

/** Answers what was said, unless it asks for another time or for another address. */
export const post = Effect.fnUntraced(function*(call: Call) {
  const url = Redacted.value(call.url)
  const request = HttpClientRequest.post(url, { headers: { accept: "application/json", ...call.headers } }).pipe(
    HttpClientRequest.bodyText(call.body, "application/json; charset=utf-8")
  )
  const { bytes, headers, status } = yield* HttpBody.exchange(request).pipe(
    Effect.mapError((text) => {
      const safe = KeyRedaction.make(call.url).text(text)
      return new ChannelError({ channel: call.channel, reason: new Unavailable({ text: safe }) })
    })
  )
  const failed = (reason: ChannelError["reason"]) => new ChannelError({ channel: call.channel, reason })
  if (status === 429 || status >= 500) {
    const asked = waitOf(headers, yield* Clock.currentTimeMillis)
    const wait = asked ?? (status === 429 ? SOME_TIME : undefined)
    const text = `status ${status}${asked === undefined ? "" : `, asked to wait ${Math.ceil(asked / 1000)} s`}`
    return yield* failed(new Unavailable({ text, ...(wait === undefined ? {} : { retryAfterMillis: wait }) }))
  }
  if (status >= 300 && status < 400) {
    const text = `status ${status}: redirects are not followed, the address stays here`
    return yield* failed(new Misconfigured({ text, fix: "set the address that it moved to" }))
  }
  return { status, text: new TextDecoder().decode(bytes).trim() } satisfies Answer
}) satisfies (call: Call) => Effect.Effect<Answer, ChannelError, HttpClient.HttpClient>
