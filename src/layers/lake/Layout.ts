/**
 * Where files of bars are, in Hive layout: what the path says is not in the file. Sessions have files of their own,
 * always; a setting adds larger files for those who read a lot of them.
 *
 * | layout | keys |
 * |---|---|
 * | `symbol/date` | `bars/symbol=IBM/date=2024-03-05/bars.parquet` |
 * | `symbol/month` | `bars_by_month/symbol=IBM/month=2024-03/bars.parquet` |
 * | `date` | `bars_by_date/date=2024-03-05/bars.parquet` |
 */
import { segment } from "./ObjectStore.ts"

export const LAYOUTS = ["symbol/date", "symbol/month", "date"] as const
export type Layout = (typeof LAYOUTS)[number]

const FOLDERS = { "symbol/date": "bars", "symbol/month": "bars_by_month", date: "bars_by_date" } as const

/** The values of the layout's dimensions, in its order. */
const key = (layout: Layout, values: ReadonlyArray<string>): string =>
  [FOLDERS[layout], ...layout.split("/").map((name, at) => `${name}=${segment(values[at]!)}`), "bars.parquet"].join("/")

export const sessionKey = (symbol: string, session: string): string => key("symbol/date", [symbol, session])
export const monthKey = (symbol: string, month: string): string => key("symbol/month", [symbol, month])
export const dateKey = (session: string): string => key("date", [session])

/** What a path says of the rows of its file. */
export interface Said {
  readonly symbol?: string
  readonly date?: string
  readonly month?: string
}

/** The folder of a layout's files, or that of one value of the dimension which comes first. */
export const folder = (layout: Layout, first?: string): string =>
  `${FOLDERS[layout]}/${first === undefined ? "" : `${firstOf(layout)}=${segment(first)}/`}`

export const firstOf = (layout: Layout): "symbol" | "date" => layout === "date" ? "date" : "symbol"

export const said = (key: string): Said =>
  Object.fromEntries(
    key.split("/").flatMap((part) => {
      const found = /^(symbol|date|month)=(.*)$/.exec(part)
      return found === null ? [] : [[found[1], decoded(found[2]!)]]
    })
  )

/** What is no such encoding was written by somebody else, as it stands. */
const decoded = (value: string): string => {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
