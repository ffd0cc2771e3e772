/**
 * The questions that can be put to Alpha Vantage, and the parameters of each. Pure.
 *
 * `month` with `outputSize: "full"` is that month, without it the latest 30 days; "compact" is the latest 100 rows. The
 * vendor's defaults are sent too where they decide what the answer holds: defaults change.
 */
import type * as Interval from "./Interval.ts"

export type OutputSize = "compact" | "full"

export interface Intraday {
  readonly _tag: "Intraday"
  readonly symbol: string
  readonly interval: Interval.Intraday
  /** `YYYY-MM`, from 2000-01 on. */
  readonly month?: string
  /** True divides earlier prices by later splits and takes dividends off: the past then changes with every one. */
  readonly adjusted: boolean
  /** 04:00 to 20:00 instead of 09:30 to 16:00. */
  readonly extendedHours: boolean
  readonly outputSize: OutputSize
}

export interface Daily {
  readonly _tag: "Daily" | "DailyAdjusted"
  readonly symbol: string
  readonly outputSize: OutputSize
}

/** Always the full history. */
export interface Historical {
  readonly _tag: "Weekly" | "WeeklyAdjusted" | "Monthly" | "MonthlyAdjusted"
  readonly symbol: string
}

export interface Actions {
  readonly _tag: "Splits" | "Dividends"
  readonly symbol: string
}

/** CSV only, whatever is asked for. */
export interface ListingStatus {
  readonly _tag: "ListingStatus"
  readonly state: "active" | "delisted"
  /** `YYYY-MM-DD`: as listed on that day; after 2010-01-01. */
  readonly date?: string
}

/** JSON only. */
export interface MarketStatus {
  readonly _tag: "MarketStatus"
}

export type Series = Intraday | Daily | Historical
export type Query = Series | Actions | ListingStatus | MarketStatus

export type DataType = "json" | "csv"
/** For keys whose plan pays for it: without it the vendor leaves out the running day. */
export type Entitlement = "realtime" | "delayed"

const functions: { readonly [Tag in Query["_tag"]]: string } = {
  Intraday: "TIME_SERIES_INTRADAY",
  Daily: "TIME_SERIES_DAILY",
  DailyAdjusted: "TIME_SERIES_DAILY_ADJUSTED",
  Weekly: "TIME_SERIES_WEEKLY",
  WeeklyAdjusted: "TIME_SERIES_WEEKLY_ADJUSTED",
  Monthly: "TIME_SERIES_MONTHLY",
  MonthlyAdjusted: "TIME_SERIES_MONTHLY_ADJUSTED",
  Splits: "SPLITS",
  Dividends: "DIVIDENDS",
  ListingStatus: "LISTING_STATUS",
  MarketStatus: "MARKET_STATUS"
}

export type Parameters = { readonly [name: string]: string }

/** Everything but the key. */
export const parameters = (
  query: Query,
  dataType: DataType = "json",
  entitlement?: Entitlement
): Parameters => ({
  function: functions[query._tag],
  ...specific(query),
  ...(query._tag === "ListingStatus" || query._tag === "MarketStatus" ? {} : { datatype: dataType }),
  ...(entitlement !== undefined && mayBeRecent(query) ? { entitlement } : {})
})

const mayBeRecent = ({ _tag }: Query): boolean => _tag === "Intraday" || _tag === "Daily" || _tag === "DailyAdjusted"

const specific = (query: Query): Parameters => {
  switch (query._tag) {
    case "Intraday":
      return {
        symbol: query.symbol,
        interval: query.interval,
        ...(query.month === undefined ? {} : { month: query.month }),
        adjusted: String(query.adjusted),
        extended_hours: String(query.extendedHours),
        outputsize: query.outputSize
      }
    case "Daily":
    case "DailyAdjusted":
      return { symbol: query.symbol, outputsize: query.outputSize }
    case "ListingStatus":
      return { state: query.state, ...(query.date === undefined ? {} : { date: query.date }) }
    case "MarketStatus":
      return {}
    default:
      return { symbol: query.symbol }
  }
}

/** The interval of the bars in the answer. */
export const intervalOf = (query: Series): Interval.Interval => {
  switch (query._tag) {
    case "Intraday":
      return query.interval
    case "Daily":
    case "DailyAdjusted":
      return "1day"
    case "Weekly":
    case "WeeklyAdjusted":
      return "1week"
    default:
      return "1month"
  }
}

export const isSeries = (query: Query): query is Series =>
  query._tag !== "Splits" && query._tag !== "Dividends" && query._tag !== "ListingStatus" &&
  query._tag !== "MarketStatus"
