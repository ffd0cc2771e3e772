import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as ActionsText from "../../../../src/layers/market-data/alpha-vantage/ActionsText.ts"

const recorded = (name: string): string =>
  Fs.readFileSync(new URL(`../../../fixtures/alpha-vantage/${name}`, import.meta.url), "utf8")

describe("splits and dividends", () => {
  it("are read from recorded CSV, oldest first", () => {
    assert.deepStrictEqual(ActionsText.splits(recorded("splits-ibm.csv")), {
      rows: [{ date: "1999-05-27", factor: 2 }, { date: "2021-11-04", factor: 1.046 }],
      problem: undefined
    })
    const { problem, rows } = ActionsText.dividends(recorded("dividends-ibm.csv"))
    assert.isUndefined(problem)
    assert.deepStrictEqual(rows.at(-1), { date: "2026-05-08", amount: 1.69 })
    assert.isAbove(rows.length, 50)
  })

  it("are read from JSON, and an announced dividend without an amount is none yet", () => {
    const text = JSON.stringify({
      symbol: "IBM",
      data: [
        { ex_dividend_date: "2026-08-10", amount: "None" },
        { ex_dividend_date: "2026-05-08", declaration_date: "2026-04-22", amount: "1.69" }
      ]
    })
    assert.deepStrictEqual(ActionsText.dividends(text).rows, [{ date: "2026-05-08", amount: 1.69 }])
    assert.deepStrictEqual(ActionsText.splits(`{"symbol":"X","data":[]}`), { rows: [], problem: undefined })
  })

  it("are refused whole where one cannot be read: a split left out makes every price before it wrong", () => {
    for (
      const text of [
        "",
        "<html>",
        "{}",
        `{"data":{}}`,
        `{"data":[1]}`,
        `{"data":[{"effective_date":"soon","split_factor":"2"}]}`
      ]
    ) {
      assert.isString(ActionsText.splits(text).problem, text)
    }
    assert.include(ActionsText.splits("effective_date,split_factor\n2021-11-04,-2").problem, "2021-11-04")
    assert.include(ActionsText.splits("effective_date,split_factor\n2021-02-30,2").problem, "2021-02-30")
  })
})
