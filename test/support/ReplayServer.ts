/** A vendor's server that answers with what Alpha Vantage once sent, byte for byte, by function and symbol. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as HttpServer from "./HttpServer.ts"

const folder = new URL("../fixtures/alpha-vantage/", import.meta.url)

export const recorded = (name: string): Buffer => Fs.readFileSync(new URL(`recorded/${name}`, folder))

/** By the parameters that choose the recording. */
const recordings: ReadonlyArray<readonly [of: { readonly [name: string]: string }, file: string, type: string]> = [
  [
    { function: "TIME_SERIES_INTRADAY", symbol: "IBM", interval: "5min", datatype: "csv" },
    "IBM-5min-compact-2026-05-15.csv",
    "application/x-download"
  ],
  [
    { function: "TIME_SERIES_INTRADAY", symbol: "IBM", interval: "5min" },
    "IBM-5min-2026-10-05-excerpt.json",
    "application/json"
  ],
  [{ function: "TIME_SERIES_INTRADAY", symbol: "MSFT", interval: "15min" }, "15min-full-2018.json", "application/json"],
  [
    { function: "TIME_SERIES_INTRADAY", symbol: "MSFT", interval: "1min" },
    "MSFT-1min-compact-2017-12-18.json",
    "application/json"
  ],
  [
    { function: "TIME_SERIES_DAILY", symbol: "MSFT", outputsize: "compact" },
    "MSFT-daily-compact-2018.json",
    "application/json"
  ],
  [{ function: "SPLITS", symbol: "IBM" }, "IBM-splits.csv", "application/x-download"],
  [{ function: "DIVIDENDS", symbol: "IBM" }, "IBM-dividends.csv", "application/x-download"],
  [{ function: "LISTING_STATUS", state: "active" }, "listing-status-excerpt.csv", "application/x-download"],
  [{ function: "MARKET_STATUS" }, "market-status.json", "application/json"]
]

const unknown = Fs.readFileSync(new URL("errors/10_error_invalid_call.json", folder))

/** Runs until the scope closes. */
export const serve: ReturnType<typeof HttpServer.serve> = Effect.suspend(() =>
  HttpServer.serve((url) => (response) => {
    const found = recordings.find(([of]) =>
      Object.entries(of).every(([name, value]) => url.searchParams.get(name) === value)
    )
    response.setHeader("content-type", found?.[2] ?? "application/json")
    response.end(found === undefined ? unknown : recorded(found[1]))
  })
)
