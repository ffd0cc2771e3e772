import { assert, describe, it } from "@effect/vitest"
import * as KlinesJson from "../../../src/layers/market-data/binance/KlinesJson.ts"
import * as PagedRows from "../../../src/layers/market-data/PagedRows.ts"

const decode = PagedRows.decoder(KlinesJson.shape("1min", 60_000))
const read = (text: string) => decode(KlinesJson.format, new TextEncoder().encode(text))

const START = Date.parse("2024-01-03T00:00:00Z")
const kline = (at: number, changes: { readonly [index: number]: unknown } = {}): ReadonlyArray<unknown> =>
  [
    START + at * 60_000,
    "42000.10000000",
    "42010.00000000",
    "41990.50000000",
    "42001.00000001",
    "12.34567891",
    0,
    "1",
    308,
    "1",
    "1",
    "0"
  ]
    .map((value, index) => index in changes ? changes[index] : value)
const reasons = (...rows: ReadonlyArray<unknown>) => read(JSON.stringify(rows)).rejects.map(({ reason }) => reason)

describe("Binance's decoder", () => {
  it("reads the documented example to the last digit", () => {
    const { complete, rejects, sessions } = read(
      `[[1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",1499644799999,` +
        `"2434.19055334",308,"1756.87402397","28.46694368","0"]]`
    )
    assert.deepStrictEqual([complete, rejects], [true, []])
    const { bars, session } = sessions[0]!
    assert.strictEqual(session, "2017-07-03")
    assert.deepStrictEqual(
      [bars.ts[0], bars.open[0], bars.high[0], bars.low[0], bars.close[0], bars.volume[0]],
      [1_499_040_000_000, 0.0163479, 0.8, 0.015758, 0.015771, 148_976.11427815]
    )
  })

  it("splits at UTC midnight", () => {
    const { sessions } = read(JSON.stringify([kline(1439), kline(1440)]))
    assert.deepStrictEqual(sessions.map(({ session }) => session), ["2024-01-03", "2024-01-04"])
  })

  it("misses the page after a full one", () => {
    const rows = Array.from({ length: 1000 }, (_, at) => kline(at))
    assert.isFalse(read(JSON.stringify(rows)).complete)
    assert.isTrue(read(`${JSON.stringify(rows)}\n[]`).complete)
    assert.strictEqual(read(`${JSON.stringify(rows)}\n${JSON.stringify([kline(1000)])}`).sessions[0]!.bars.length, 1001)
  })

  it("says in words why a row is refused", () => {
    assert.deepStrictEqual(reasons(kline(0, { 0: "soon" })), ["timestamp not readable"])
    assert.deepStrictEqual(reasons(kline(0, { 0: START + 1 })), ["timestamp off the 1min grid"])
    assert.deepStrictEqual(reasons(kline(0, { 4: "" })), [`close is not a number: ""`])
    assert.deepStrictEqual(reasons(kline(0, { 5: "-1.5" })), ["volume must be a whole number >= 0: -1.5"])
    assert.deepStrictEqual(reasons(kline(0, { 1: "0.00" })), ["price must be positive: open is 0"])
    assert.deepStrictEqual(reasons(kline(0).slice(0, 5)), ["missing volume"])
    assert.deepStrictEqual(reasons({ t: 1 }), ["not a row of fields"])
  })
})
