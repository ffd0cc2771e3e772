/**
 * Alpaca's historical bars of US stocks: raw prices, extended hours, a month in pages of 10,000 bars.
 *
 * Keys travel in headers. Without a paid plan the consolidated feed (`sip`) answers only what is a quarter of an hour old;
 * a month that is going on is asked for up to then. 200 calls a minute; the answer's headers say what is left of them.
 */
import * as Headers from "effect/http/Headers"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as BarsJson from "./alpaca/BarsJson.ts"
import type * as HttpBody from "./HttpBody.ts"
import * as HttpStatus from "./HttpStatus.ts"
import * as JsonBytes from "./JsonBytes.ts"
import * as JsonWalk from "./JsonWalk.ts"
import * as MarketData from "./MarketData.ts"
import * as Months from "./Months.ts"
import * as PagedRows from "./PagedRows.ts"
import type { Limits, Quota } from "./Quota.ts"
import * as Account from "./quota/Account.ts"
import * as RestSource from "./RestSource.ts"

const timeframes = {
  "1min": { name: "1Min", minutes: 1 },
  "5min": { name: "5Min", minutes: 5 },
  "15min": { name: "15Min", minutes: 15 },
  "30min": { name: "30Min", minutes: 30 },
  "60min": { name: "1Hour", minutes: 60 }
} as const

export interface Options extends RestSource.Options {
  readonly keyId: Redacted.Redacted<string>
  readonly secretKey: Redacted.Redacted<string>
  readonly baseUrl?: string
  readonly interval?: keyof typeof timeframes
  /** `iex` is one exchange's trades, `sip` all of them. */
  readonly feed?: "sip" | "iex"
  readonly limits?: Limits
}

const source = "alpaca"
const PAGE = "10000"
const MINUTE = 60_000
/** The consolidated feed's delay without a paid plan, and a minute for clocks. */
const DELAY = 16 * MINUTE

const defaults = {
  baseUrl: "https://data.alpaca.markets/v2/stocks/bars",
  interval: "1min",
  feed: "sip",
  limits: { perMinute: 200 }
} as const

export const layer = (options: Options): Layer.Layer<MarketData.MarketData, never, Quota> => {
  const { baseUrl, feed, interval, keyId, limits, secretKey } = { ...defaults, ...options }
  const timeframe = timeframes[interval]
  return RestSource.layer({
    source,
    interval,
    fingerprint: `${source} ${interval} raw extended ${feed}`,
    shape: BarsJson.shape(interval, timeframe.minutes * MINUTE),
    account: Account.name(source, Redacted.value(keyId)),
    limits,
    cost: 1,
    secrets: [secretKey, keyId],
    first: (request, now) => ({
      url: baseUrl,
      urlParams: { ...parameters(request, now), timeframe: timeframe.name, feed },
      headers: { "apca-api-key-id": Redacted.value(keyId), "apca-api-secret-key": Redacted.value(secretKey) }
    }),
    next,
    refusal,
    pause
  }, options)
}

const parameters = ({ month, symbol }: MarketData.Request, now: number) => {
  const { from, to } = Months.window(month, BarsJson.zone)
  return {
    symbols: symbol,
    start: new Date(from).toISOString(),
    // Inclusive.
    end: new Date(Math.max(from, Math.min(to - 1, now - DELAY))).toISOString(),
    limit: PAGE,
    adjustment: "raw",
    sort: "asc"
  }
}

const outline = ({ bytes }: HttpBody.Answer): BarsJson.Outline =>
  BarsJson.page(
    bytes,
    PagedRows.pageStart(bytes, 0),
    (at) => ({ end: JsonWalk.array(bytes, at, (item) => JsonBytes.valueEnd(bytes, item)), count: 0 })
  )

const next = (call: RestSource.Call, answer: HttpBody.Answer): RestSource.Call | undefined => {
  const { token } = outline(answer)
  return token === null ? undefined : { ...call, urlParams: { ...call.urlParams, page_token: token } }
}

const refusal = (
  answer: HttpBody.Answer,
  { symbol }: MarketData.Request,
  now: number
): MarketData.Reason | undefined => {
  const status = HttpStatus.refusal(answer, now)
  if (status !== undefined) return refused(answer, status, now)
  const { end, symbols } = outline(answer)
  if (end === -1) return broken(answer)
  const other = symbols.find((name) => name !== symbol)
  return other === undefined
    ? undefined
    : new MarketData.Mismatched({ text: `asked for symbol ${symbol}, the answer is for ${other}` })
}

/** The vendor explains itself in `message`. */
const refused = (answer: HttpBody.Answer, status: MarketData.Reason, now: number): MarketData.Reason => {
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
const broken = ({ bytes }: HttpBody.Answer): MarketData.Reason => {
  const whole = JsonBytes.parsed(bytes, 0, bytes.length)
  const text = JsonBytes.text(bytes, 0, 200)
  return whole === undefined
    ? new MarketData.Unavailable({ text: `the answer is cut off or no JSON: ${text}` })
    : new MarketData.Unrecognised({ text: `no page of bars: ${text}` })
}

const numberAt = (headers: Headers.Headers, name: string): number | undefined => {
  const text = Option.getOrUndefined(Headers.get(headers, name))
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** Nothing is left of the minute: everybody waits for the reset, which comes in epoch seconds. */
const pause = ({ headers }: HttpBody.Answer, now: number): number | undefined => {
  const reset = numberAt(headers, "x-ratelimit-reset")
  if (numberAt(headers, "x-ratelimit-remaining") !== 0 || reset === undefined) return undefined
  return reset * 1000 > now ? reset * 1000 : undefined
}
