/**
 * Binance's klines from its public market data host: no key, every day around the clock, sessions are UTC days.
 *
 * A month of minutes is 45 pages of 1000. The limit is a weight per minute and address, and the answer's headers say
 * how much of it is used; who goes on after 429 is banned with 418, for minutes at first, for days in the end.
 */
import * as Headers from "effect/http/Headers"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as KlinesJson from "./binance/KlinesJson.ts"
import type * as HttpBody from "./HttpBody.ts"
import * as HttpStatus from "./HttpStatus.ts"
import * as JsonBytes from "./JsonBytes.ts"
import * as JsonWalk from "./JsonWalk.ts"
import * as MarketData from "./MarketData.ts"
import * as Months from "./Months.ts"
import * as PagedRows from "./PagedRows.ts"
import type { Limits, Quota } from "./Quota.ts"
import type * as RestPages from "./RestPages.ts"
import * as RestSource from "./RestSource.ts"

const intervals = {
  "1min": { name: "1m", minutes: 1 },
  "5min": { name: "5m", minutes: 5 },
  "15min": { name: "15m", minutes: 15 },
  "30min": { name: "30m", minutes: 30 },
  "60min": { name: "1h", minutes: 60 }
} as const

export interface Options extends RestPages.Options {
  readonly baseUrl?: string
  readonly interval?: keyof typeof intervals
  /** In weight, not in calls. */
  readonly limits?: Limits
}

const source = "binance"
const MINUTE = 60_000
const WEIGHT = 2
const ALLOWED = 6000

const defaults = {
  baseUrl: "https://data-api.binance.vision/api/v3/klines",
  interval: "1min",
  limits: { perMinute: ALLOWED }
} as const

export const layer = (options: Options): Layer.Layer<MarketData.MarketData, never, Quota> => {
  const { baseUrl, interval, limits } = { ...defaults, ...options }
  const { minutes, name } = intervals[interval]
  const intervalMillis = minutes * MINUTE
  return RestSource.layer({
    source,
    interval,
    fingerprint: `${source} ${interval}`,
    shape: KlinesJson.shape(interval, intervalMillis),
    account: source,
    limits,
    cost: WEIGHT,
    secrets: [],
    first: (request, now) => ({
      url: baseUrl,
      urlParams: { ...parameters(request, intervalMillis, now), interval: name }
    }),
    next,
    refusal,
    pause: (answer, now) => pause(answer, limits.perMinute, now)
  }, options)
}

/** Only bars whose window has ended: the one that is still open changes until then. */
const parameters = ({ month, symbol }: MarketData.Request, intervalMillis: number, now: number) => {
  const { from, to } = Months.window(month, "UTC")
  const open = now - now % intervalMillis
  return {
    symbol,
    limit: String(KlinesJson.PAGE),
    startTime: String(from),
    endTime: String(Math.max(from, Math.min(to, open)) - 1)
  }
}

interface Outline {
  readonly end: number
  readonly full: boolean
  /** The last row's open time, NaN where it cannot be read. */
  readonly latest: number
}

const outline = ({ bytes }: HttpBody.Answer): Outline => {
  let [last, count] = [0, 0]
  const item = (at: number): number => {
    last = at
    count++
    return JsonBytes.valueEnd(bytes, at)
  }
  const { end, more } = KlinesJson.page(
    bytes,
    PagedRows.pageStart(bytes, 0),
    (at) => ({ end: JsonWalk.array(bytes, at, item), count })
  )
  return { end, full: more, latest: JsonWalk.decimal(bytes, last + 1, JsonBytes.valueEnd(bytes, last + 1)) }
}

/** A full page may have a successor, which begins after its last open time. */
const next = (call: RestPages.Call, answer: HttpBody.Answer): RestPages.Call | undefined => {
  const { full, latest } = outline(answer)
  return !full ? undefined : { ...call, urlParams: { ...call.urlParams, startTime: String(latest + 1) } }
}

const refusal = (answer: HttpBody.Answer, _: MarketData.Request, now: number): MarketData.Reason | undefined => {
  const status = HttpStatus.refusal(answer, now)
  if (status !== undefined) return refused(answer, status, now)
  const { end, full, latest } = outline(answer)
  if (end !== -1 && (!full || Number.isSafeInteger(latest))) return undefined
  const text = JsonBytes.text(answer.bytes, 0, 200)
  return JsonBytes.parsed(answer.bytes, 0, answer.bytes.length) === undefined
    ? new MarketData.Unavailable({ text: `the answer is cut off or no JSON: ${text}` })
    : new MarketData.Unrecognised({ text: `no page of klines: ${text}` })
}

const BANNED = 418
/** The shortest one. */
const BAN = 2 * MINUTE
const NOT_HERE = 451

/** The vendor explains itself in `msg`. */
const refused = (answer: HttpBody.Answer, status: MarketData.Reason, now: number): MarketData.Reason => {
  const said = JsonBytes.parsed(answer.bytes, 0, answer.bytes.length)
  const message = said !== null && typeof said === "object" && "msg" in said ? String(said.msg) : ""
  const text = message === "" ? status.text : `${status.text}: ${message}`
  if (answer.status === NOT_HERE) return new MarketData.NotEntitled({ text })
  if (answer.status === BANNED) return banned(text, HttpStatus.waitOf(answer.headers, now) ?? BAN)
  return status._tag === "Throttled"
    ? new MarketData.Throttled({ text, retryAfterMillis: status.retryAfterMillis })
    : MarketData.Reason.make({ _tag: status._tag, text })
}

const banned = (text: string, wait: number): MarketData.Reason =>
  new MarketData.QuotaExhausted({ text: `${text}: banned for ${Math.ceil(wait / 1000)} s` })

/** The part of the allowed weight that others behind the same address may have used without our ledger knowing. */
const NEARLY = 0.95

/** A ban's end where it names none, or the next minute when the weight is nearly used up. */
const pause = ({ headers, status }: HttpBody.Answer, allowed: number = ALLOWED, now: number): number | undefined => {
  if (status === BANNED && !Headers.has(headers, "retry-after")) return now + BAN
  const used = Number(Option.getOrElse(Headers.get(headers, "x-mbx-used-weight-1m"), () => "0"))
  return used >= allowed * NEARLY ? now - now % MINUTE + MINUTE : undefined
}
