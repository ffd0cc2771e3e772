import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Adjustment from "../../../src/layers/bars/Adjustment.ts"
import * as TestBars from "../../support/TestBars.ts"

/** LEAN's: a row holds for sessions up to `until`. */
const lean = Fs.readFileSync(new URL("../../fixtures/lean/aapl-factors.csv", import.meta.url), "utf8").trim().split(
  "\n"
)
  .map((line) => {
    const [date, price, split, reference] = line.split(",").map(Number) as [number, number, number, number]
    const text = String(date)
    return { until: `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`, price, split, reference }
  })

/** What Apple declared from August 2012 to February 2021, for a share of the day. */
const dividends = Object.entries({
  "2.65": ["2012-08-09", "2012-11-07", "2013-02-07"],
  "3.05": ["2013-05-09", "2013-08-08", "2013-11-06", "2014-02-06"],
  "3.29": ["2014-05-08"],
  "0.47": ["2014-08-07", "2014-11-06", "2015-02-05"],
  "0.52": ["2015-05-07", "2015-08-06", "2015-11-05", "2016-02-04"],
  "0.57": ["2016-05-05", "2016-08-04", "2016-11-03", "2017-02-09"],
  "0.63": ["2017-05-11", "2017-08-10", "2017-11-10", "2018-02-09"],
  "0.73": ["2018-05-11", "2018-08-10", "2018-11-08", "2019-02-08"],
  "0.77": ["2019-05-10", "2019-08-09", "2019-11-07", "2020-02-07"],
  "0.82": ["2020-05-08", "2020-08-07"],
  "0.205": ["2020-11-06", "2021-02-05"]
}).flatMap(([amount, dates]) => dates.map((date) => ({ date, amount: Number(amount) })))

const splits = [
  { date: "2000-06-21", factor: 2 },
  { date: "2005-02-28", factor: 2 },
  { date: "2014-06-09", factor: 7 },
  { date: "2020-08-31", factor: 4 }
]

const closes = lean.slice(1, -1).map(({ reference, until }) => ({ session: until, close: reference }))

describe("adjustment", () => {
  it("gives Apple's factors from 1998 to 2021 as LEAN has them", () => {
    const { rows, unadjusted } = Adjustment.factors({ splits, dividends }, closes)
    assert.deepStrictEqual(unadjusted, [])
    for (const { price, split, until } of lean) {
      const found = Adjustment.factorOf(rows, until)
      assert.approximately(found.price, price, 2e-6, until)
      assert.approximately(1 / found.shares, split, 1e-7, until)
    }
  })

  it("divides prices by seven and multiplies volumes before the split of 2014, and keeps the sessions from it on", () => {
    const { rows } = Adjustment.factors({ splits: [splits[2]!], dividends: [] }, [])
    const bars = TestBars.make("2014-06-06", 10, 645)
    const adjusted = Adjustment.apply(bars, Adjustment.factorOf(rows, "2014-06-06"))
    for (let at = 0; at < bars.length; at++) {
      assert.strictEqual(adjusted.close[at], bars.close[at]! / 7)
      assert.strictEqual(adjusted.volume[at], bars.volume[at]! * 7)
      assert.strictEqual(adjusted.ts[at], bars.ts[at])
    }
    assert.strictEqual(Adjustment.apply(bars, Adjustment.factorOf(rows, "2014-06-09")), bars)
  })

  it("keeps volumes whole where a spin-off makes 1.046 shares of one, and parts of coins as they are", () => {
    const bars = TestBars.make("2021-11-03", 5)
    const adjusted = Adjustment.apply(bars, { price: 1, shares: 1.046 })
    assert.isTrue(adjusted.volume.every(Number.isInteger))
    const coins = { ...bars, volume: bars.volume.map((volume) => volume + 0.25) }
    assert.deepStrictEqual(Adjustment.apply(coins, { price: 0.5, shares: 1 }).volume, coins.volume)
  })

  it("says which dividends it could not adjust, for want of a close before them", () => {
    const actions = { splits: [], dividends: [{ date: "2024-01-03", amount: 1 }, { date: "2024-02-01", amount: 1 }] }
    const { rows, unadjusted } = Adjustment.factors(actions, [{ session: "2024-01-03", close: 50 }])
    assert.deepStrictEqual(unadjusted, ["2024-01-03"])
    assert.deepStrictEqual(rows, [
      { before: "2024-01-03", price: 49 / 50, shares: 1 },
      { before: "2024-02-01", price: 49 / 50, shares: 1 }
    ])
  })
})
