import { assert, describe, it } from "@effect/vitest"
import * as Query from "../../../../src/layers/market-data/alpha-vantage/Query.ts"

const intraday: Query.Intraday = {
  _tag: "Intraday",
  symbol: "IBM",
  interval: "5min",
  month: "2024-01",
  adjusted: true,
  extendedHours: false,
  outputSize: "full"
}

describe("the questions", () => {
  it("become the vendor's parameters", () => {
    const cases: ReadonlyArray<readonly [Query.Query, string]> = [
      [
        intraday,
        "function=TIME_SERIES_INTRADAY&symbol=IBM&interval=5min&month=2024-01&adjusted=true" +
        "&extended_hours=false&outputsize=full&datatype=json"
      ],
      [
        { _tag: "Daily", symbol: "TSCO.LON", outputSize: "compact" },
        "function=TIME_SERIES_DAILY&symbol=TSCO.LON&outputsize=compact&datatype=json"
      ],
      [
        { _tag: "DailyAdjusted", symbol: "A", outputSize: "full" },
        "function=TIME_SERIES_DAILY_ADJUSTED&symbol=A&outputsize=full&datatype=json"
      ],
      [{ _tag: "Weekly", symbol: "A" }, "function=TIME_SERIES_WEEKLY&symbol=A&datatype=json"],
      [{ _tag: "WeeklyAdjusted", symbol: "A" }, "function=TIME_SERIES_WEEKLY_ADJUSTED&symbol=A&datatype=json"],
      [{ _tag: "Monthly", symbol: "A" }, "function=TIME_SERIES_MONTHLY&symbol=A&datatype=json"],
      [{ _tag: "MonthlyAdjusted", symbol: "A" }, "function=TIME_SERIES_MONTHLY_ADJUSTED&symbol=A&datatype=json"],
      [{ _tag: "Splits", symbol: "A" }, "function=SPLITS&symbol=A&datatype=json"],
      [{ _tag: "Dividends", symbol: "A" }, "function=DIVIDENDS&symbol=A&datatype=json"],
      [
        { _tag: "ListingStatus", state: "delisted", date: "2014-07-10" },
        "function=LISTING_STATUS&state=delisted&date=2014-07-10"
      ],
      [{ _tag: "MarketStatus" }, "function=MARKET_STATUS"]
    ]
    for (const [query, expected] of cases) {
      assert.strictEqual(new URLSearchParams(Query.parameters(query)).toString(), expected)
    }
  })

  it("ask for CSV and name an entitlement only where the vendor knows them", () => {
    assert.include(Query.parameters(intraday, "csv", "delayed"), { datatype: "csv", entitlement: "delayed" })
    assert.notProperty(Query.parameters({ _tag: "Splits", symbol: "A" }, "csv", "delayed"), "entitlement")
    assert.notProperty(Query.parameters({ _tag: "MarketStatus" }, "csv"), "datatype")
  })
})
