/** The source of bars that the settings name: its layer, its calendar, and its words. A part of the composition. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { nyse } from "./assets/nyse.ts"
import * as PeriodCalendar from "./assets/PeriodCalendar.ts"
import type { Sharing } from "./assets/sharedCalls.ts"
import * as BarInterval from "./layers/bars/BarInterval.ts"
import * as CorporateActions from "./layers/market-data/CorporateActions.ts"
import type { MarketData } from "./layers/market-data/MarketData.ts"
import { type Limits, Quota } from "./layers/market-data/Quota.ts"
import * as Account from "./layers/market-data/quota/Account.ts"
import * as Forecast from "./layers/market-data/quota/Forecast.ts"
import * as Replay from "./layers/market-data/Replay.ts"
import type { SampleError } from "./layers/market-data/Sample.ts"
import type { Alpaca, AlphaVantage, Source } from "./layers/settings/SourceSettings.ts"
import * as Calendar from "./runtime/partition/Calendar.ts"
import type { PoolLimit } from "./runtime/plan/Cost.ts"

const within = (limits: Limits | undefined) => limits === undefined ? {} : { limits }

const at = (url: string | undefined) => url === undefined ? {} : { baseUrl: url }

/** A vendor's client is loaded only where it is used. */
const lazily = <M>(module: () => Promise<M>, layer: (module: M) => Layer.Layer<MarketData, never, Quota>) =>
  Layer.unwrap(Effect.map(Effect.promise(module), layer))

/** `sample` is the file that is replayed. */
export const layer = (source: Source, sample: string): Layer.Layer<MarketData, SampleError, Quota> => {
  switch (source._tag) {
    case "Sample":
      return Replay.layer({ file: sample })
    case "AlphaVantage":
      return alphaVantage(source)
    case "Alpaca":
      return lazily(
        () => import("./layers/market-data/Alpaca.ts"),
        (Alpaca) =>
          Alpaca.layer({
            keyId: source.keyId,
            secretKey: source.secretKey,
            feed: source.feed,
            interval: source.interval,
            ...within(source.limits),
            ...at(source.url)
          })
      )
    case "Binance":
      return lazily(
        () => import("./layers/market-data/Binance.ts"),
        (Binance) => Binance.layer({ interval: source.interval, ...within(source.limits), ...at(source.url) })
      )
  }
}

const alphaVantage = ({ entitlement, isFree, url, ...source }: AlphaVantage) =>
  lazily(() => import("./layers/market-data/AlphaVantage.ts"), (AlphaVantage) =>
    AlphaVantage.layer({
      ...source,
      history: isFree ? "compact" : "full",
      ...(entitlement === undefined ? {} : { entitlement }),
      ...at(url)
    }))

/** Splits and dividends; coins have none. */
export const actions = (source: Source): Layer.Layer<CorporateActions.CorporateActions, never, Quota> => {
  if (source._tag === "Sample") return CorporateActions.layerSample
  if (source._tag === "Binance") return CorporateActions.layerNone
  return source._tag === "Alpaca" ? alpacaActions(source) : alphaVantageActions(source)
}

const alpacaActions = ({ keyId, limits, secretKey, url }: Alpaca) =>
  Layer.unwrap(Effect.map(
    Effect.promise(() => import("./layers/market-data/alpaca/Actions.ts")),
    (Actions) => Actions.layer({ keyId, secretKey, ...within(limits), ...at(url) })
  ))

const alphaVantageActions = ({ apiKey, limits, url }: AlphaVantage) =>
  Layer.unwrap(Effect.map(
    Effect.promise(() => import("./layers/market-data/alpha-vantage/Actions.ts")),
    (Actions) => Actions.layer({ apiKey, limits, ...at(url) })
  ))

/**
 * What so many calls of the pool `market_data` mean for the vendor's quota: for a plan. Undefined where no day is limited.
 * `Forecast.text` says it in a line.
 */
export const forecast = Effect.fnUntraced(function*(source: Source, calls: number) {
  if (source._tag !== "AlphaVantage") return undefined
  const account = Account.name("alpha_vantage", Redacted.value(source.apiKey))
  const used = yield* (yield* Quota).used(account, source.limits)
  return Forecast.forecast(calls, source.limits, used, yield* Clock.currentTimeMillis)
})

/** Whose sessions the source's bars belong to. */
export const calendar = (source: Source): Calendar.Calendar => {
  if (source._tag === "Binance") return Calendar.continuous
  const period = source._tag === "AlphaVantage" ? BarInterval.periodOf(source.interval) : undefined
  return period === undefined ? nyse : PeriodCalendar.of(nyse, period)
}

/** So many fill one or two pages of 10,000 bars and 8 MB; in the end the length of an address is the limit. */
const together = { "1min": 3, "5min": 12, "15min": 32, "30min": 64, "60min": 100 } as const

/** A series by date comes whole: its months share a call. Bounds what one step keeps. */
const MONTHS = 400

/** Which payloads share a call of the source. */
export const sharing = (source: Source): Sharing => {
  if (source._tag === "Alpaca") return { by: "month", max: together[source.interval] }
  const isWhole = source._tag === "AlphaVantage" && BarInterval.isByDate(source.interval)
  return { by: "symbol", max: isWhole ? MONTHS : 1 }
}

/** How many bars a session has at most: one for each interval that begins in it. */
export const barsIn = (source: Source, session: string): number => {
  const interval = source._tag === "Sample" ? "1min" : source.interval
  if (BarInterval.isByDate(interval)) return 1
  const hours = source._tag === "Alpaca" ? "extended" : source._tag === "AlphaVantage" ? source.hours : "regular"
  const own = calendar(source)
  const millis = Calendar.closesAt(own, session, hours) - Calendar.opensAt(own, session, hours)
  return Math.ceil(millis / BarInterval.widthOf(interval))
}

/** What `--plan` says of the calls: those of the sample cost nothing. */
export const pool = (source: Source, concurrency: number): PoolLimit => {
  if (source._tag === "Sample") return { slots: concurrency }
  const { perDay, perMinute, perSecond } = source.limits ?? {}
  // As many at a time as two seconds of the plan's pace: a slow answer does not leave the quota unused.
  return { slots: Math.max(2, Math.min(32, Math.ceil((perMinute ?? 60) / 30))), perSecond, perMinute, perDay }
}

const names = {
  Sample: "sample",
  AlphaVantage: "Alpha Vantage with a key",
  Alpaca: "Alpaca with keys",
  Binance: "Binance"
} as const

export const describe = (source: Source): string => names[source._tag]
