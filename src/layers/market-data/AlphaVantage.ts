/**
 * Alpha Vantage as a source of bars: minute bars a month per call, or bars by day, week or month, a symbol per call, which
 * free keys may have too.
 *
 * Raw prices unless told otherwise. With `adjusted`, every split and every dividend changes all bars before it, so that
 * history is rewritten several times a year and a value seen once cannot be found again; raw bars stay, and are adjusted
 * from splits and dividends where that is wanted. The key is only in the request.
 */
import * as Cache from "effect/Cache"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Rule from "../bars/Rule.ts"
import * as Client from "./alpha-vantage/Client.ts"
import * as Formats from "./alpha-vantage/Formats.ts"
import * as Interval from "./alpha-vantage/Interval.ts"
import type * as Query from "./alpha-vantage/Query.ts"
import * as Tables from "./alpha-vantage/Tables.ts"
import * as MarketData from "./MarketData.ts"
import type { Quota } from "./Quota.ts"
import * as Reference from "./Reference.ts"

export interface Options extends Client.Options {
  readonly interval?: Interval.Interval
  readonly adjusted?: boolean
  readonly hours?: "extended" | "regular"
  /** Of a daily series: the latest 100 sessions, which is what free keys get, or everything. */
  readonly history?: Query.OutputSize
}

const defaults = { interval: "1min", adjusted: false, hours: "extended", history: "compact", dataType: "json" } as const

type Settings = Options & Required<Pick<Options, keyof typeof defaults>>

export const layer = (options: Options): Layer.Layer<MarketData.MarketData, never, Quota> =>
  Layer.effect(MarketData.MarketData, make(options)).pipe(Layer.provide(FetchHttpClient.layer))

const make = Effect.fnUntraced(function*(options: Options) {
  const settings: Settings = { ...defaults, ...options }
  const client = yield* Client.make(settings)
  const answer = Interval.isIntraday(settings.interval)
    ? (request: MarketData.Request) => client.call(intraday(settings, settings.interval as Interval.Intraday, request))
    : yield* whole(settings, settings.interval, client)
  return MarketData.MarketData.of({
    source: Client.source,
    interval: settings.interval,
    fingerprint: fingerprint(settings),
    fetchMonth: Effect.fn("AlphaVantage.fetchMonth")(function*(request: MarketData.Request) {
      const { bytes, fetchedAt } = yield* Effect.mapError(
        answer(request),
        (reason) => new MarketData.MarketDataError({ source: Client.source, ...request, reason })
      )
      return { bytes, format: Formats.of(settings.interval, settings.dataType), fetchedAt }
    }),
    decode: Formats.decoder(settings.interval, yield* Rule.Active)
  })
})

const fingerprint = ({ adjusted, dataType, history, hours, interval }: Settings): string =>
  [
    Client.source,
    interval,
    adjusted ? "adjusted" : "raw",
    Interval.isIntraday(interval) ? hours : interval === "1day" ? history : "full",
    ...(dataType === "csv" ? ["csv"] : [])
  ].join(" ")

const intraday = (
  { adjusted, hours }: Settings,
  interval: Interval.Intraday,
  { month, symbol }: MarketData.Request
): Query.Query => ({
  _tag: "Intraday",
  symbol,
  interval,
  month,
  adjusted,
  extendedHours: hours === "extended",
  outputSize: "full"
})

type ByDate = Exclude<Interval.Interval, Interval.Intraday>

/** Weeks and months always come in full, whatever the plan. */
const series = ({ adjusted, history }: Settings, interval: ByDate, symbol: string): Query.Query => {
  switch (interval) {
    case "1day":
      return { _tag: adjusted ? "DailyAdjusted" : "Daily", symbol, outputSize: history }
    case "1week":
      return { _tag: adjusted ? "WeeklyAdjusted" : "Weekly", symbol }
    case "1month":
      return { _tag: adjusted ? "MonthlyAdjusted" : "Monthly", symbol }
  }
}

/** The months of a symbol share a call: the answer holds all of them. */
const SHARED = Duration.minutes(10)
/** And so long a refusal that would be repeated: each repetition would be one of the day's calls. */
const REFUSED = Duration.seconds(10)
const SYMBOLS = 16

const whole = Effect.fnUntraced(function*(settings: Settings, interval: ByDate, client: Client.Client) {
  const isCompact = interval === "1day" && settings.history === "compact"
  const ask = (symbol: string) => client.call(series(settings, interval, symbol))
  const answers = yield* Cache.makeWith(ask, {
    capacity: SYMBOLS,
    timeToLive: (exit) => {
      if (Exit.isSuccess(exit)) return SHARED
      const reason = Cause.findErrorOption(exit.cause)
      return Option.isSome(reason) && !MarketData.isPassing(reason.value) ? REFUSED : Duration.zero
    }
  })
  return Effect.fnUntraced(function*({ month, symbol }: MarketData.Request) {
    const answer = yield* Cache.get(answers, symbol)
    const first = isCompact ? firstSession(answer.bytes, settings) : undefined
    return first === undefined || month >= first.slice(0, 7) ? answer : yield* Effect.fail(tooEarly(month, first))
  })
})

const firstSession = (bytes: Uint8Array, { dataType, interval }: Settings): string | undefined =>
  Formats.decoder(interval)(Formats.of(interval, dataType), bytes).sessions[0]?.session

const tooEarly = (month: string, first: string): MarketData.Reason =>
  new MarketData.NotEntitled({
    text: `${month} lies before ${first}, the first session of the daily series that this key gets; ` +
      `set BAROGRAPH_START to ${first} or later, or BAROGRAPH_QUOTA to the calls a minute of your premium plan`
  })

/** Listings and market hours, which free keys may have in full. */
export const layerReference = (
  options: Omit<Client.Options, "dataType">
): Layer.Layer<Reference.Reference, never, Quota> =>
  Layer.effect(
    Reference.Reference,
    Effect.map(Client.make({ ...options, dataType: "csv" }), (client) => {
      const ask = <A>(query: Query.Query, decode: (bytes: Uint8Array) => Reference.Table<A>) =>
        Effect.mapBoth(client.call(query), {
          onFailure: (reason) =>
            new MarketData.MarketDataError({
              source: Client.source,
              symbol: "",
              month: "",
              reason
            }),
          onSuccess: ({ bytes }) => decode(bytes)
        })
      return Reference.Reference.of({
        listings: (state, date) =>
          ask({ _tag: "ListingStatus", state, ...(date === undefined ? {} : { date }) }, Tables.listings),
        markets: ask({ _tag: "MarketStatus" }, Tables.markets)
      })
    })
  ).pipe(Layer.provide(FetchHttpClient.layer))
