import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { nyse } from "../../../src/assets/nyse.ts"
import * as SessionSummary from "../../../src/layers/bars/SessionSummary.ts"
import { MarketData } from "../../../src/layers/market-data/MarketData.ts"
import * as Replay from "../../../src/layers/market-data/Replay.ts"
import * as Calendar from "../../../src/runtime/partition/Calendar.ts"
import { SAMPLE } from "../../support/Cli.ts"
import * as TestBars from "../../support/TestBars.ts"

interface Hours {
  readonly symbol: string
  readonly session: string
  readonly rows: Array<ReadonlyArray<number>>
}

/** The hourly bars of regular hours, by symbol and session. */
const days = new Map<string, Hours>()
const fixture = new URL("../../fixtures/lean/hours.csv", import.meta.url)
for (const line of Fs.readFileSync(fixture, "utf8").trim().split("\n").slice(1)) {
  const [symbol, hour, ...values] = line.split(",") as [string, string, ...Array<string>]
  const session = `${hour.slice(0, 4)}-${hour.slice(4, 6)}-${hour.slice(6, 8)}`
  const day = days.get(`${symbol} ${session}`) ?? { symbol, session, rows: [] }
  day.rows.push(values.map(Number))
  days.set(`${symbol} ${session}`, day)
}

const hours = (session: string) => [Calendar.opensAt(nyse, session), Calendar.closesAt(nyse, session)] as const

describe("the summary of a session", () => {
  // The hourly bars were made from the same trades by other filters: they lack some wicks, and some of them hold the
  // closing auction. So open and close must agree exactly, the rest nearly, and in the quiet sessions wholly.
  it.effect("is what hourly bars made elsewhere add up to, in 27 sessions", () =>
    Effect.gen(function*() {
      const source = yield* MarketData
      let [compared, equal] = [0, 0]
      for (const { rows, session, symbol } of days.values()) {
        const payload = yield* source.fetchMonth({ symbol, month: session.slice(0, 7) })
        const { bars } = source.decode(payload.format, payload.bytes).sessions.find((one) => one.session === session)!
        const summary = SessionSummary.summarize(bars, ...hours(session))!
        const column = (at: number): ReadonlyArray<number> => rows.map((row) => row[at]!)
        const [high, low] = [Math.max(...column(1)) / 10_000, Math.min(...column(2)) / 10_000]
        const volume = column(4).reduce((sum, volume) => sum + volume, 0)
        const name = `${symbol} ${session}`
        assert.strictEqual(summary.open, column(0)[0]! / 10_000, name)
        assert.strictEqual(summary.close, column(3).at(-1)! / 10_000, name)
        assert.isTrue(summary.high >= high && summary.high < high * 1.0005, name)
        assert.isTrue(summary.low <= low && summary.low > low * 0.9995, name)
        assert.isTrue(summary.volume <= volume && summary.volume > volume * 0.97, name)
        if (summary.high === high && summary.low === low && summary.volume === volume) equal++
        assert.isTrue(summary.vwap! > summary.low && summary.vwap! < summary.high, name)
        assert.strictEqual(summary.volume + summary.extendedVolume, bars.volume.reduce((sum, one) => sum + one, 0))
        compared++
      }
      assert.deepStrictEqual([compared, equal], [27, 13])
    }).pipe(Effect.provide(Replay.layer({ file: SAMPLE }))))

  it("leaves out what lies before the open and from the close on, also on half days", () => {
    const [opens, closes] = hours("2024-11-29")
    const bars = TestBars.make("2024-11-29", 240)
    bars.ts.forEach((_, at) => (bars.ts[at] = opens - 15 * 60_000 + at * 60_000))
    const summary = SessionSummary.summarize(bars, opens, closes)!
    assert.strictEqual(closes - opens, 210 * 60_000)
    assert.strictEqual(summary.bars, 210)
    assert.strictEqual(summary.open, bars.open[15])
    assert.strictEqual(summary.close, bars.close[224])
  })

  it("has no price where nothing was traded, and no VWAP without volume", () => {
    const [opens, closes] = hours("2024-03-05")
    const bars = TestBars.make("2024-03-05", 3)
    assert.strictEqual(SessionSummary.summarize(bars, closes, closes + 1), undefined)
    assert.isNull(SessionSummary.summarize({ ...bars, volume: new Float64Array(3) }, opens, closes)!.vwap)
  })
})
