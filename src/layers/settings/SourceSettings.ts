/** Which source is asked, with which keys and for what: `source`, or what the keys say that are set. Pure. */
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as BarInterval from "../bars/BarInterval.ts"
import * as FreePlan from "../market-data/alpha-vantage/FreePlan.ts"
import type * as Fields from "./Fields.ts"
import { type Given, SettingsError } from "./Given.ts"

type Intraday = "1min" | "5min" | "15min" | "30min" | "60min"
type ByDate = "1day" | "1week" | "1month"

/** What the plan allows; an absent limit is none. */
interface Limits {
  readonly perSecond?: number
  readonly perMinute?: number
  readonly perDay?: number
  readonly resetZone?: string
}

export interface AlphaVantage {
  readonly _tag: "AlphaVantage"
  readonly apiKey: Redacted.Redacted<string>
  readonly url: string | undefined
  readonly interval: Intraday | ByDate
  readonly adjusted: boolean
  readonly hours: "extended" | "regular"
  readonly dataType: "json" | "csv"
  readonly entitlement: "realtime" | "delayed" | undefined
  readonly isFree: boolean
  readonly limits: Limits
}

export interface Alpaca {
  readonly _tag: "Alpaca"
  readonly keyId: Redacted.Redacted<string>
  readonly secretKey: Redacted.Redacted<string>
  readonly feed: "sip" | "iex"
  readonly url: string | undefined
  readonly interval: Intraday
  /** The vendor's free ones without it. */
  readonly limits: Limits | undefined
}

interface Binance {
  readonly _tag: "Binance"
  readonly url: string | undefined
  readonly interval: Intraday
  readonly limits: Limits | undefined
}

export type Source = { readonly _tag: "Sample" } | AlphaVantage | Alpaca | Binance

const problem = (setting: string, message: string, fix: string) =>
  Result.fail(new SettingsError({ setting, message, fix }))

export const make = (given: Given): Result.Result<Source, SettingsError> => {
  const { apiKey, source } = given.values
  switch (source ?? (apiKey === undefined ? "sample" : "alpha-vantage")) {
    case "sample":
      return given.values.interval === undefined || given.values.interval === "1min"
        ? Result.succeed({ _tag: "Sample" })
        : notServed(given, "sample", "the sample has 1min bars")
    case "alpha-vantage":
      return alphaVantage(given)
    case "alpaca":
      return Result.flatMap(intraday(given, "alpaca"), (interval) => alpaca(given, interval))
    case "binance":
      return Result.map(intraday(given, "binance"), (interval) => ({
        _tag: "Binance",
        url: given.values.sourceUrl,
        interval,
        limits: perMinute(given.values.quota)
      }))
  }
}

const notServed = ({ placeOf, values }: Given, source: string, fix: string) =>
  problem(
    placeOf("interval"),
    `${placeOf("interval")} is ${values.interval}, which the source ${source} does not serve`,
    fix
  )

const intraday = (given: Given, source: string): Result.Result<Intraday, SettingsError> => {
  const { interval = "1min" } = given.values
  return isByDate(interval) ? notServed(given, source, "use an interval of minutes") : Result.succeed(interval)
}

const isByDate = (interval: Intraday | ByDate): interval is ByDate => BarInterval.isByDate(interval)

const perMinute = (quota: Fields.Values["quota"]): Limits | undefined =>
  typeof quota === "number" ? { perMinute: quota } : undefined

const alphaVantage = ({ values }: Given): Result.Result<Source, SettingsError> => {
  const { adjusted = false, apiKey, dataType = "json", entitlement, hours = "extended", quota, sourceUrl } = values
  if (apiKey === undefined) {
    return problem(
      "ALPHA_VANTAGE_API_KEY",
      "the source is alpha-vantage, but there is no key",
      "set ALPHA_VANTAGE_API_KEY; a free one is at https://www.alphavantage.co/support/#api-key"
    )
  }
  const paid = perMinute(quota)
  return Result.succeed({
    _tag: "AlphaVantage",
    apiKey,
    url: sourceUrl,
    interval: values.interval ?? (paid === undefined ? "1day" : "1min"),
    adjusted,
    hours,
    dataType,
    entitlement,
    isFree: paid === undefined,
    limits: paid ?? FreePlan.limits
  })
}

const alpaca = ({ values }: Given, interval: Intraday): Result.Result<Source, SettingsError> => {
  const { alpacaKeyId, alpacaSecretKey, feed = "sip", quota, sourceUrl } = values
  if (alpacaKeyId === undefined || alpacaSecretKey === undefined) {
    return problem(
      alpacaKeyId === undefined ? "APCA_API_KEY_ID" : "APCA_API_SECRET_KEY",
      "the source is alpaca, but its keys are not set",
      "set APCA_API_KEY_ID and APCA_API_SECRET_KEY; a free account at https://alpaca.markets has them"
    )
  }
  return Result.succeed({
    _tag: "Alpaca",
    keyId: alpacaKeyId,
    secretKey: alpacaSecretKey,
    feed,
    url: sourceUrl,
    interval,
    limits: perMinute(quota)
  })
}
