/** Binance's `GET /api/v3/klines`, as its documentation shows it. */
import * as Binance from "../../../src/layers/market-data/Binance.ts"
import type { Vendor } from "../SourceSuite.ts"

const limits = { perMinute: 6000 }

const error = (code: number, msg: string): string => JSON.stringify({ code, msg })

export const binance: Vendor = {
  name: "Binance",
  zone: "UTC",
  hours: [0, 1439],
  lot: 0.00012345,
  layer: (baseUrl) => Binance.layer({ baseUrl, timeout: "1 second", limits }),
  account: "binance",
  limits,
  cost: 2,
  secrets: [],
  calls: 3,
  answer: (url, bars) => {
    const asked = url.searchParams
    const [start, end] = [Number(asked.get("startTime")), Number(asked.get("endTime"))]
    if (asked.get("symbol") !== "IBM") return { status: 400, body: error(-1121, "Invalid symbol.") }
    if (asked.get("interval") !== "1m") return { status: 400, body: error(-1120, "Invalid interval.") }
    const limit = Number(asked.get("limit"))
    const within = Array.from(bars.ts.keys()).filter((at) => bars.ts[at]! >= start && bars.ts[at]! <= end)
    const rows = within.slice(0, limit).map((at) => [
      bars.ts[at],
      bars.open[at]!.toFixed(8),
      bars.high[at]!.toFixed(8),
      bars.low[at]!.toFixed(8),
      bars.close[at]!.toFixed(8),
      bars.volume[at]!.toFixed(8),
      bars.ts[at]! + 59_999,
      "2434.19055334",
      308,
      "1756.87402397",
      "28.46694368",
      "0"
    ])
    return { headers: { "x-mbx-used-weight": "2", "x-mbx-used-weight-1m": "2" }, body: JSON.stringify(rows) }
  },
  spoiled: (payload) => payload.replace(/"[\d.]+"/, `"None"`),
  refusals: [
    { status: 400, body: error(-1121, "Invalid symbol."), means: "InvalidRequest" },
    { status: 403, body: "<html>blocked by the firewall</html>", means: "Unauthorized" },
    {
      status: 418,
      headers: { "retry-after": "120" },
      body: error(-1003, "Way too many requests; IP banned."),
      means: "QuotaExhausted"
    },
    {
      status: 429,
      headers: { "retry-after": "7200" },
      body: error(-1003, "Too many requests."),
      means: "QuotaExhausted"
    },
    { status: 451, body: error(0, "Service unavailable from a restricted location."), means: "NotEntitled" },
    { status: 500, body: error(-1000, "An unknown error occurred."), means: "Unavailable" },
    { body: error(0, "maintenance"), means: "Unrecognised" }
  ]
}
