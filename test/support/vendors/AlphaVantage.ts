/** Alpha Vantage's `function=TIME_SERIES_INTRADAY`, as it answers. */
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs"
import * as AlphaVantage from "../../../src/layers/market-data/AlphaVantage.ts"
import type { Reason } from "../../../src/layers/market-data/MarketData.ts"
import * as Account from "../../../src/layers/market-data/quota/Account.ts"
import type { Vendor } from "../SourceSuite.ts"

const key = "SECRETKEY1234567"
const limits = { perDay: 25 }
const account = Account.name("alpha_vantage", key)

/** Made once: a formatter for every row takes longer than the source's patience. */
const formatter = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "America/New_York",
  dateStyle: "short",
  timeStyle: "medium"
})

const label = (ts: number): string => formatter.format(ts)

const errors = new URL("../../fixtures/alpha-vantage/errors/", import.meta.url)
const said = (file: string, means: Reason["_tag"]) => ({
  body: Fs.readFileSync(new URL(file, errors), "utf8"),
  means
})

export const alphaVantage: Vendor = {
  name: "Alpha Vantage",
  zone: "America/New_York",
  hours: [240, 1199],
  lot: 1,
  layer: (baseUrl) => AlphaVantage.layer({ apiKey: Redacted.make(key), baseUrl, timeout: "2 seconds", limits }),
  account,
  limits,
  cost: 1,
  secrets: [key],
  calls: 1,
  answer: (url, bars) => {
    const month = url.searchParams.get("month")!
    const rows = Array.from(bars.ts.keys()).toReversed().filter((at) => label(bars.ts[at]!).startsWith(month))
    if (rows.length === 0) return { body: "{}" }
    const fields = (at: number) => ({
      "1. open": bars.open[at]!.toFixed(4),
      "2. high": bars.high[at]!.toFixed(4),
      "3. low": bars.low[at]!.toFixed(4),
      "4. close": bars.close[at]!.toFixed(4),
      "5. volume": String(bars.volume[at])
    })
    const meta = {
      "1. Information": "Intraday (1min) open, high, low, close prices and volume",
      "2. Symbol": url.searchParams.get("symbol"),
      "3. Last Refreshed": label(bars.ts[rows[0]!]!),
      "4. Interval": url.searchParams.get("interval"),
      "5. Output Size": "Full size",
      "6. Time Zone": "US/Eastern"
    }
    const series = Object.fromEntries(rows.map((at) => [label(bars.ts[at]!), fields(at)]))
    return { body: JSON.stringify({ "Meta Data": meta, "Time Series (1min)": series }, null, 4) }
  },
  spoiled: (payload) => payload.replace(/"4. close": "[\d.]+"/, `"4. close": "None"`),
  refusals: [
    said("01_note_5permin_500perday.json", "Throttled"),
    said("04_info_25perday_echoes_key.json", "QuotaExhausted"),
    said("05_info_burst_1persec_2025.json", "Throttled"),
    said("06_info_premium_endpoint.json", "NotEntitled"),
    said("10_error_invalid_call.json", "InvalidRequest"),
    said("11_error_apikey.json", "Unauthorized"),
    said("13_error_intraday_outage_2017.json", "Unavailable")
  ]
}
