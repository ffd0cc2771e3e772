/** The names under which answers are kept, and who decodes which. Names are stored with payloads: none ever changes. */
import * as Rule from "../../bars/Rule.ts"
import type { Decoded } from "../MarketData.ts"
import * as Interval from "./Interval.ts"
import type * as Query from "./Query.ts"
import * as SeriesCsv from "./SeriesCsv.ts"
import * as SeriesJson from "./SeriesJson.ts"
import { refused } from "./SeriesRows.ts"

export const json = "alpha-vantage/intraday-json"

const intraday = { json, csv: "alpha-vantage/intraday-csv" } as const

const byDate = {
  "1day": { json: "alpha-vantage/daily-json", csv: "alpha-vantage/daily-csv" },
  "1week": { json: "alpha-vantage/weekly-json", csv: "alpha-vantage/weekly-csv" },
  "1month": { json: "alpha-vantage/monthly-json", csv: "alpha-vantage/monthly-csv" }
} as const

export const of = (interval: Interval.Interval, dataType: Query.DataType): string =>
  (Interval.isIntraday(interval) ? intraday : byDate[interval])[dataType]

const names = [intraday, ...Object.values(byDate)].flatMap((names): ReadonlyArray<string> => Object.values(names))

/** What a source puts into its `decode`. `interval`: the one that it stores; an answer of another one is refused whole. */
export const decoder =
  (interval: Interval.Interval, rules: Rule.Rules = Rule.all) => (format: string, bytes: Uint8Array): Decoded => {
    if (!names.includes(format)) return refused(`no decoder for the format ${format}`, bytes)
    if (format === of(interval, "json")) return SeriesJson.decode(bytes, interval, rules)
    // CSV does not say what its rows are.
    return format === of(interval, "csv")
      ? SeriesCsv.decode(bytes, interval, rules)
      : refused(`the interval is not ${interval}: ${format}`, bytes)
  }
