/** Alpaca's `GET /v2/stocks/bars`, as its documentation shows it. */
import * as Redacted from "effect/Redacted"
import * as Alpaca from "../../../src/layers/market-data/Alpaca.ts"
import * as Account from "../../../src/layers/market-data/quota/Account.ts"
import type { Vendor } from "../SourceSuite.ts"
import * as AlpacaActions from "./AlpacaActions.ts"

const keyId = "PKTESTKEYID12345"
const secretKey = "verySecretAlpacaKey/0987654321"
/** The server may send less than was asked for. */
const PAGE = 1000

const limits = { perMinute: 200 }

const message = (text: string): string => JSON.stringify({ message: text })

export const alpaca: Vendor = {
  name: "Alpaca",
  zone: "America/New_York",
  hours: [240, 1199],
  lot: 1,
  layer: (baseUrl) =>
    Alpaca.layer({
      keyId: Redacted.make(keyId),
      secretKey: Redacted.make(secretKey),
      baseUrl,
      timeout: "1 second",
      limits
    }),
  account: Account.name("alpaca", keyId),
  limits,
  cost: 1,
  secrets: [keyId, secretKey],
  calls: 3,
  answer: (url, bars, headers) => {
    if (headers["apca-api-key-id"] !== keyId || headers["apca-api-secret-key"] !== secretKey) {
      return { status: 403, body: message("forbidden.") }
    }
    if (url.pathname === "/v1/corporate-actions") return AlpacaActions.answer(url, AlpacaActions.none)
    const asked = url.searchParams
    const [start, end] = [Date.parse(asked.get("start")!), Date.parse(asked.get("end")!)]
    const known = { symbols: "IBM", timeframe: "1Min", adjustment: "raw", feed: "sip", sort: "asc", limit: "10000" }
    for (const [name, value] of Object.entries(known)) {
      if (asked.get(name) !== value) return { status: 400, body: message(`invalid ${name}`) }
    }
    const within = Array.from(bars.ts.keys()).filter((at) => bars.ts[at]! >= start && bars.ts[at]! <= end)
    const from = asked.has("page_token") ? Number(atob(asked.get("page_token")!)) : 0
    const rows = within.slice(from, from + PAGE).map((at) => ({
      t: new Date(bars.ts[at]!).toISOString().replace(".000Z", "Z"),
      o: bars.open[at],
      h: bars.high[at],
      l: bars.low[at],
      c: bars.close[at],
      v: bars.volume[at],
      n: 17,
      vw: bars.close[at]
    }))
    const token = from + PAGE < within.length ? btoa(String(from + PAGE)) : null
    const body = JSON.stringify({ bars: rows.length === 0 ? {} : { IBM: rows }, next_page_token: token })
    return { headers: { "x-ratelimit-limit": "200", "x-ratelimit-remaining": "197" }, body }
  },
  spoiled: (payload) => payload.replace(/"c":[\d.]+/, `"c":"None"`),
  refusals: [
    { status: 400, body: message("invalid symbol: 1BM"), means: "InvalidRequest" },
    { status: 401, body: message("unauthorized."), means: "Unauthorized" },
    { status: 403, body: message("forbidden."), means: "Unauthorized" },
    {
      status: 403,
      body: message("subscription does not permit querying recent SIP data"),
      means: "NotEntitled"
    },
    { status: 422, body: message("end should not be before start"), means: "InvalidRequest" },
    { status: 500, body: message("internal server error occurred"), means: "Unavailable" },
    { status: 429, headers: { "retry-after": "3600" }, body: message("too many requests."), means: "QuotaExhausted" },
    { body: message("welcome"), means: "Unrecognised" },
    { body: JSON.stringify({ bars: { AAPL: [] }, next_page_token: null }), means: "Mismatched" },
    { body: JSON.stringify({ bars: { IBM: [] }, next_page_token: "again" }), means: "Unrecognised" }
  ]
}
