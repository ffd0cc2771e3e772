/** What an HTTP status means where the body says nothing better. The same for every source. */
import * as Duration from "effect/Duration"
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Answer } from "./HttpBody.ts"
import * as MarketData from "./MarketData.ts"

/** 429 without a `Retry-After`: sources count per minute. */
const MINUTE = 60_000
/** No step waits longer than this: it is a quota then, and the run ends with its sentence. */
const PATIENCE = 10 * MINUTE

const REDIRECT = "redirects are not followed, the key stays here"

/** Undefined for a status of 2xx. `now` is epoch milliseconds. */
export const refusal = (answer: Answer, now: number): MarketData.Reason | undefined => {
  const { status } = answer
  if (status >= 200 && status < 300) return undefined
  const text = `status ${status}`
  if (status === 429) return throttled(text, waitOf(answer.headers, now) ?? MINUTE)
  if (status === 401 || status === 403) return new MarketData.Unauthorized({ text })
  if (status >= 300 && status < 400) return new MarketData.Unavailable({ text: `${text}: ${REDIRECT}` })
  const wait = status === 503 ? waitOf(answer.headers, now) : undefined
  if (wait !== undefined && wait > 0) return throttled(text, wait)
  return status >= 400 && status < 500 && status !== 408
    ? new MarketData.InvalidRequest({ text })
    : new MarketData.Unavailable({ text })
}

const throttled = (text: string, wait: number): MarketData.Reason =>
  wait > PATIENCE
    ? new MarketData.QuotaExhausted({ text: `${text}: asked to wait ${Duration.format(Duration.millis(wait))}` })
    : new MarketData.Throttled({ text, retryAfterMillis: wait })

/** What `Retry-After` asks for, milliseconds. */
export const waitOf = (headers: Headers.Headers, now: number): number | undefined => {
  const given = Option.getOrUndefined(Headers.get(headers, "retry-after"))
  const parsed = given === undefined ? undefined : Result.getOrUndefined(Headers.parseRetryAfter(given))
  return parsed === undefined ? undefined : Duration.toMillis(Headers.retryAfterDelay(parsed, now))
}
