/** The names under which answers are kept, and who decodes which. Names are stored with payloads: none ever changes. */
import * as Rule from "../../bars/Rule.ts"
import type { Decoded } from "../MarketData.ts"
import type * as Interval from "./Interval.ts"
import type * as Query from "./Query.ts"
import * as SeriesCsv from "./SeriesCsv.ts"
import * as SeriesJson from "./SeriesJson.ts"
import { refused } from "./SeriesRows.ts"

export const json = "alpha-vantage/intraday-json"

const csv = "alpha-vantage/intraday-csv"
const dailyJson = "alpha-vantage/daily-json"
const dailyCsv = "alpha-vantage/daily-csv"

export const of = (interval: Interval.Interval, dataType: Query.DataType): string => {
  if (interval === "1day") return dataType === "json" ? dailyJson : dailyCsv
  return dataType === "json" ? json : csv
}

/** What a source puts into its `decode`. `interval`: the one that it stores; an answer of another one is refused whole. */
export const decoder =
  (interval: Interval.Interval, rules: Rule.Rules = Rule.all) => (format: string, bytes: Uint8Array): Decoded => {
    switch (format) {
      case json:
      case dailyJson:
        return SeriesJson.decode(bytes, interval, rules)
      case csv:
      case dailyCsv:
        return SeriesCsv.decode(bytes, interval, rules)
      default:
        return refused(`no decoder for the format ${format}`, bytes)
    }
  }
