import { assert, describe, it } from "@effect/vitest"
import * as Forecast from "../../../../src/layers/market-data/quota/Forecast.ts"

const limits = { perSecond: 1, perDay: 25, resetZone: "America/New_York" }
const at = (text: string): number => Date.parse(text)

describe("the forecast of a plan", () => {
  it("says what fits today and on which day the rest is done", () => {
    const evening = at("2026-03-11T03:30:00Z")
    const made = Forecast.forecast(60, limits, 20, evening)
    assert.deepStrictEqual(made, { calls: 60, today: 5, doneOn: "2026-03-13", takes: 4000 })
    assert.strictEqual(
      Forecast.text(made),
      "5 of 60 calls fit into today's quota; at this pace the rest is done on 2026-03-13"
    )
    assert.strictEqual(Forecast.forecast(55, limits, 20, evening).doneOn, "2026-03-12")
    assert.strictEqual(Forecast.forecast(1, limits, 25, evening).doneOn, "2026-03-11")
    assert.strictEqual(Forecast.forecast(1, limits, 30, evening).today, 0)
  })

  it("counts days over the change of the clocks", () => {
    assert.strictEqual(Forecast.forecast(75, limits, 0, at("2026-03-07T17:00:00Z")).doneOn, "2026-03-09")
  })

  it("knows no day where there is no limit of one", () => {
    const made = Forecast.forecast(3000, { perMinute: 1200 }, 0, at("2026-03-10T12:00:00Z"))
    assert.deepStrictEqual(made, { calls: 3000, today: 3000, doneOn: "2026-03-10", takes: 2999 * 50 })
    assert.strictEqual(Forecast.text(made), "3000 calls fit into today's quota")
    assert.strictEqual(Forecast.forecast(0, limits, 0, 0).takes, 0)
  })
})
