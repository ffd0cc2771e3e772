import { assert, describe, it } from "@effect/vitest"
import * as Rule from "../../../../src/layers/bars/Rule.ts"
import { decode } from "../../../../src/layers/market-data/alpha-vantage/SeriesCsv.ts"
import * as SeriesJson from "../../../../src/layers/market-data/alpha-vantage/SeriesJson.ts"
import * as AlphaVantageText from "../../../support/AlphaVantageText.ts"
import * as ReplayServer from "../../../support/ReplayServer.ts"

const header = "timestamp,open,high,low,close,volume"
const good = "2024-01-03 10:00:00,10.0000,11.0000,9.0000,10.5000,5"
const bytes = (...lines: ReadonlyArray<string>): Uint8Array => new TextEncoder().encode(lines.join("\r\n"))
const reasons = (...lines: ReadonlyArray<string>) =>
  decode(bytes(header, ...lines, ""), "1min").rejects.map(({ reason }) => reason)

describe("the CSV decoder", () => {
  it("reads a recorded answer", () => {
    const decoded = decode(ReplayServer.recorded("IBM-5min-compact-2026-05-15.csv"), "5min")
    assert.deepStrictEqual([decoded.complete, decoded.rejects, decoded.sessions.length], [true, [], 1])
    const { bars } = decoded.sessions[0]!
    assert.strictEqual(bars.length, 100)
    assert.strictEqual(bars.ts.at(-1), Date.parse("2026-05-15T23:55:00Z"))
    assert.strictEqual(bars.close.at(-1), 219)
    // The closing auction lies in the bar that starts at 16:00.
    const busiest = bars.volume.indexOf(Math.max(...bars.volume))
    assert.strictEqual(bars.ts[busiest], Date.parse("2026-05-15T20:00:00Z"))
  })

  it("gives the bars of the JSON with the same rows", () => {
    const json = AlphaVantageText.month(AlphaVantageText.randomOf(11), 3000, 30)
    const rows = [...json.matchAll(/"(\d{4}-[^"]+)": \{[^}]*\}/g)].map(([entry, label]) =>
      [label, ...[...entry.matchAll(/": "([^"]+)"/g)].map(([, cell]) => cell)].join(",")
    )
    assert.strictEqual(rows.length, 3000)
    const fromJson = SeriesJson.decode(new TextEncoder().encode(json), "1min")
    assert.deepStrictEqual(decode(bytes(header, ...rows, ""), "1min"), fromJson)
    assert.deepStrictEqual(decode(new TextEncoder().encode([header, ...rows].join("\n")), "1min"), fromJson)
  })

  it("finds its columns by name, in the adjusted answers too", () => {
    const daily = bytes(
      "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient",
      "2024-01-03,10,11,9,10.5,5.25,7,0.0000,1.0",
      ""
    )
    const { bars, session } = decode(daily, "1day").sessions[0]!
    assert.strictEqual(session, "2024-01-03")
    assert.deepStrictEqual([bars.ts[0], bars.volume[0]], [Date.parse("2024-01-03T05:00:00Z"), 7])
    assert.deepStrictEqual([bars.open[0], bars.high[0], bars.low[0], bars.close[0]], [5, 5.5, 4.5, 5.25])
    const weekly = bytes(
      "timestamp,open,high,low,close,adjusted close,volume,dividend amount",
      "2024-01-05,10,11,9,10,5,7,0.0000",
      "2023-12-29,10,11,9,10,None,7,0.0000"
    )
    const { rejects, sessions } = decode(weekly, "1week")
    assert.deepStrictEqual(sessions.map(({ bars }) => bars.close[0]), [5])
    assert.deepStrictEqual(rejects.map(({ reason }) => reason), ["\"adjusted close\" is not a number: None"])
    assert.strictEqual(decode(bytes("time,open,high,low,close,volume", good, ""), "1min").sessions.length, 1)
    assert.deepStrictEqual(decode(bytes("a,b", "1,2"), "1min").rejects[0]!.reason, "not a series")
  })

  it("says why a line is refused, keeps its neighbours, and knows a cut one", () => {
    assert.deepStrictEqual(reasons(good, "2024-01-03 10:01:00,10,11,9,None,5"), ["\"close\" is not a number: None"])
    assert.deepStrictEqual(reasons("2024-01-03 10:01:00,10,11,9,10"), ["5 cells instead of 6"])
    assert.deepStrictEqual(reasons("2024-01-03 10:01:30,10,11,9,10,5"), ["timestamp off the 1min grid"])
    assert.deepStrictEqual(reasons("2024-01-03,10,11,9,10,5"), ["timestamp not readable"])
    assert.deepStrictEqual(reasons(good, "", good), [])
    assert.deepStrictEqual(reasons(good, good.replace("10.5", "10.6")), ["duplicate timestamp with other values"])
    const cut = decode(bytes(header, good, "2024-01-03 09:59:00,10,1"), "1min")
    assert.isFalse(cut.complete)
    assert.strictEqual(cut.sessions[0]!.bars.length, 1)
    assert.deepStrictEqual(cut.rejects.map(({ reason }) => reason), ["the answer is cut off here"])
    assert.deepStrictEqual(decode(bytes(header, ""), "1min"), { sessions: [], rejects: [], complete: false })
  })

  it("obeys the rules that are on", () => {
    const odd = bytes(header, "2024-01-03 10:01:30,10,11,9,10,0.5", "")
    assert.strictEqual(decode(odd, "1min").rejects.length, 1)
    assert.strictEqual(decode(odd, "1min", Rule.without(["grid", "volume_whole"])).sessions[0]!.bars.length, 1)
  })
})
