/**
 * Alpaca's historical bars of US stocks: raw prices, extended hours, a month in pages of 10,000 bars.
 *
 * Keys travel in headers. Without a paid plan the consolidated feed (`sip`) answers only what is a quarter of an hour old;
 * a month that is going on is asked for up to then. 200 calls a minute; the answer's headers say what is left of them.
 */
import type * as Layer from "effect/Layer"
import * as Answers from "./alpaca/Answers.ts"
import * as BarsJson from "./alpaca/BarsJson.ts"
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

const timeframes = {
  "1min": { name: "1Min", minutes: 1 },
  "5min": { name: "5Min", minutes: 5 },
  "15min": { name: "15Min", minutes: 15 },
  "30min": { name: "30Min", minutes: 30 },
  "60min": { name: "1Hour", minutes: 60 }
} as const

export interface Options extends RestPages.Options, Answers.Keys {
  readonly baseUrl?: string
  readonly interval?: keyof typeof timeframes
  /** `iex` is one exchange's trades, `sip` all of them. */
  readonly feed?: "sip" | "iex"
  readonly limits?: Limits
}

const PAGE = "10000"
const MINUTE = 60_000
/** The consolidated feed's delay without a paid plan, and a minute for clocks. */
const DELAY = 16 * MINUTE

const defaults = {
  baseUrl: `${Answers.host}/v2/stocks/bars`,
  interval: "1min",
  feed: "sip",
  limits: Answers.limits
} as const

export const layer = (options: Options): Layer.Layer<MarketData.MarketData, never, Quota> => {
  const { baseUrl, feed, interval, limits } = { ...defaults, ...options }
  const timeframe = timeframes[interval]
  const pages: RestPages.RestPages<RestSource.Months> = {
    ...Answers.quota(options, limits),
    first: (asked, now) => ({
      url: baseUrl,
      urlParams: { ...parameters(asked, now), timeframe: timeframe.name, feed },
      headers: Answers.keys(options)
    }),
    next,
    refusal,
    pause: Answers.pause
  }
  return RestSource.layer({
    ...pages,
    source: Answers.source,
    interval,
    fingerprint: `${Answers.source} ${interval} raw extended ${feed}`,
    shape: BarsJson.shape(interval, timeframe.minutes * MINUTE),
    first: ({ month, symbol }, now) => pages.first({ symbols: [symbol], month }, now),
    refusal: (answer, { month, symbol }, now) => refusal(answer, { symbols: [symbol], month }, now),
    together: { pages, parts: BarsJson.parts, culprit }
  }, options)
}

/** The vendor names one at a time: "invalid symbol: XYZ". */
const culprit = (reason: MarketData.Reason, symbols: ReadonlyArray<string>): string | undefined => {
  const named = reason._tag === "InvalidRequest" ? /invalid symbol:? ([^\s,;]+)/i.exec(reason.text)?.[1] : undefined
  return symbols.find((symbol) => symbol === named)
}

const parameters = ({ month, symbols }: RestSource.Months, now: number) => {
  const { from, to } = Months.window(month, BarsJson.zone)
  return {
    symbols: symbols.join(","),
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

const next = (call: RestPages.Call, answer: HttpBody.Answer): RestPages.Call | undefined => {
  const { token } = outline(answer)
  return token === null ? undefined : { ...call, urlParams: { ...call.urlParams, page_token: token } }
}

const refusal = (
  answer: HttpBody.Answer,
  asked: RestSource.Months,
  now: number
): MarketData.Reason | undefined => {
  const status = HttpStatus.refusal(answer, now)
  if (status !== undefined) return Answers.refused(answer, status, now)
  const { end, symbols } = outline(answer)
  if (end === -1) return Answers.broken(answer, "bars")
  const other = symbols.find((name) => !asked.symbols.includes(name))
  return other === undefined
    ? undefined
    : new MarketData.Mismatched({ text: `asked for ${asked.symbols.join(", ")}, the answer is for ${other}` })
}
