/** What is the same for every question to Alpaca: keys in headers, one quota, refusals with a `message`, rate headers. */
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as HttpBody from "../HttpBody.ts"
import * as JsonBytes from "../JsonBytes.ts"
import * as MarketData from "../MarketData.ts"
import type { Limits } from "../Quota.ts"
import * as Account from "../quota/Account.ts"

export const source = "alpaca"

export const host = "https://data.alpaca.markets"

/** Of every plan's first step. */
export const limits: Limits = { perMinute: 200 }

export interface Keys {
  readonly keyId: Redacted.Redacted<string>
  readonly secretKey: Redacted.Redacted<string>
}

/** What a call is made with. */
export const keys = ({ keyId, secretKey }: Keys) => ({
  "apca-api-key-id": Redacted.value(keyId),
  "apca-api-secret-key": Redacted.value(secretKey)
})

/** Whose quota a call counts against. */
export const quota = ({ keyId, secretKey }: Keys, limits: Limits) => ({
  account: Account.name(source, Redacted.value(keyId)),
  limits,
  cost: 1,
  secrets: [secretKey, keyId]
})

/** The vendor explains itself in `message`. */
export const refused = (answer: HttpBody.Answer, status: MarketData.Reason, now: number): MarketData.Reason => {
  const said = JsonBytes.parsed(answer.bytes, 0, answer.bytes.length)
  const message = said !== null && typeof said === "object" && "message" in said ? String(said.message) : ""
  const text = message === "" ? status.text : `${status.text}: ${message}`
  if (status._tag === "Throttled") {
    const reset = pause(answer, now)
    const wait = reset === undefined ? status.retryAfterMillis : Math.max(0, reset - now)
    return new MarketData.Throttled({ text, retryAfterMillis: wait })
  }
  if (/subscription/i.test(message)) return new MarketData.NotEntitled({ text })
  return MarketData.Reason.make({ _tag: status._tag, text })
}

/** Text that is no page: an outage's web page, or one that broke off under way. */
export const broken = ({ bytes }: HttpBody.Answer, of: string): MarketData.Reason => {
  const whole = JsonBytes.parsed(bytes, 0, bytes.length)
  const text = JsonBytes.text(bytes, 0, 200)
  return whole === undefined
    ? new MarketData.Unavailable({ text: `the answer is cut off or no JSON: ${text}` })
    : new MarketData.Unrecognised({ text: `no page of ${of}: ${text}` })
}

const numberAt = (headers: Headers.Headers, name: string): number | undefined => {
  const text = Option.getOrUndefined(Headers.get(headers, name))
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** Nothing is left of the minute: everybody waits for the reset, which comes in epoch seconds. */
export const pause = ({ headers }: HttpBody.Answer, now: number): number | undefined => {
  const reset = numberAt(headers, "x-ratelimit-reset")
  if (numberAt(headers, "x-ratelimit-remaining") !== 0 || reset === undefined) return undefined
  return reset * 1000 > now ? reset * 1000 : undefined
}
