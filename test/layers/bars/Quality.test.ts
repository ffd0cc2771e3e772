import { assert, describe, it } from "@effect/vitest"
import * as BarRule from "../../../src/layers/bars/BarRule.ts"
import * as Bars from "../../../src/layers/bars/Bars.ts"
import * as Quality from "../../../src/layers/bars/Quality.ts"
import * as Rule from "../../../src/layers/bars/Rule.ts"

const MINUTE = 60_000
/** A Tuesday in summer: 09:30 in New York is 13:30 UTC. */
const open = Date.parse("2024-06-04T13:30:00Z")

const facts: Quality.Facts = {
  width: MINUTE,
  isByDate: false,
  regular: { from: open, to: open + 390 * MINUTE },
  extended: { from: open - 330 * MINUTE, to: open + 630 * MINUTE },
  fetchedAt: open + 7 * 86_400_000
}

type Cells = readonly [minute: number, open: number, high: number, low: number, close: number, volume: number]

const bars = (rows: ReadonlyArray<Cells>): Bars.Bars => {
  const made = Bars.allocate(rows.length)
  rows.forEach(([minute, ...cells], at) => {
    made.ts[at] = open + minute * MINUTE
    ;[made.open[at], made.high[at], made.low[at], made.close[at], made.volume[at]] = cells
  })
  return made
}

/** Every minute of the regular hours, but those left out, at one price. */
const session = (leftOut: ReadonlyArray<number> = []) =>
  bars(
    Array.from({ length: 390 }, (_, minute): Cells => [minute, 10, 10.5, 9.5, 10, 100])
      .filter(([minute]) => !leftOut.includes(minute))
  )

const warnings = (of: Bars.Bars, more: Partial<Quality.Facts> = {}, rules = Rule.all) =>
  Quality.judge(of, { ...facts, ...more }, rules).warnings

describe("the quality rules", () => {
  it("have nothing to say about a whole session", () => {
    const whole = session()
    const judged = Quality.judge(whole, facts, Rule.all)
    assert.deepStrictEqual(judged, { bars: whole, rejects: [], warnings: {}, step: undefined })
  })

  it("count the minutes of regular hours without a bar, no others, and none that was still to come", () => {
    assert.deepStrictEqual(warnings(session([0, 100, 389])), { gap: 3 })
    assert.deepStrictEqual(warnings(bars([])), { gap: 390 })
    const early = session().length
    const half = { regular: { from: open, to: open + 210 * MINUTE } }
    assert.strictEqual(early, 390)
    assert.deepStrictEqual(warnings(session(), half), {})
    assert.deepStrictEqual(warnings(bars([]), half), { gap: 210 })
    assert.deepStrictEqual(warnings(bars([]), { fetchedAt: open + 10 * MINUTE }), { gap: 10 })
    assert.deepStrictEqual(warnings(bars([]), { fetchedAt: open - MINUTE }), {})
  })

  it("know the hour that holds the opening, and the day", () => {
    assert.deepStrictEqual(warnings(bars([]), { width: 60 * MINUTE }), { gap: 7 })
    const nine = bars([[-30, 10, 10, 10, 10, 5]])
    assert.deepStrictEqual(warnings(nine, { width: 60 * MINUTE }), { gap: 6 })
    const day = bars([[-570, 10, 10, 10, 10, 5]])
    assert.deepStrictEqual(warnings(day, { isByDate: true, width: MINUTE }), {})
    assert.deepStrictEqual(warnings(bars([]), { isByDate: true, width: MINUTE }), { gap: 1 })
  })

  it("count wicks, steps like a split, other jumps, and bars without volume", () => {
    const off = Rule.without(["gap"])
    const one = (row: Cells, more: Partial<Quality.Facts> = {}) => warnings(bars([row]), more, off)
    assert.deepStrictEqual(one([0, 10, 10.5, 8.9, 10, 5]), { wick: 1 })
    assert.deepStrictEqual(one([0, 10, 11.1, 9.9, 10, 5]), { wick: 1 })
    assert.deepStrictEqual(one([0, 10, 10, 10, 10, 0]), { volume_zero: 1 })
    const inside = bars([[0, 92, 92, 92, 92, 5], [1, 46.1, 46.1, 46.1, 46.1, 5], [2, 100, 100, 100, 100, 5]])
    assert.deepStrictEqual(warnings(inside, {}, off), { split: 1, jump: 1 })
  })

  it("leave an odd step to the session to whoever knows the splits by then", () => {
    // AAPL before its 7:1 split of 2014-06-09 closed at 645.57 and opened at 92.70.
    const first: Cells = [0, 92.7, 92.9, 92.6, 92.8, 5]
    const judge = (previousClose: number, rules = Rule.all) =>
      Quality.judge(bars([first]), { ...facts, previousClose }, rules)
    const { step, warnings } = judge(645.57)
    assert.strictEqual(step, 645.57 / 92.7)
    assert.deepStrictEqual(Object.keys(warnings), ["gap"])
    assert.strictEqual(Quality.oddStep(step!, Rule.all), "split")
    assert.isUndefined(Quality.oddStep(step! / 7, Rule.all))
    assert.strictEqual(Quality.oddStep(step! / 2, Rule.all), "jump")
    const odd = (previousClose: number, rules = Rule.all) => {
      const { step } = judge(previousClose, rules)
      return step === undefined ? undefined : Quality.oddStep(step, rules)
    }
    assert.deepStrictEqual([9.3, 138, 160, 125].map((close) => odd(close)), ["split", "split", "jump", undefined])
    assert.isUndefined(judge(645.57, Rule.without(["split"])).step)
    assert.isUndefined(judge(160, Rule.without(["jump"])).step)
  })

  it("notice a series that stopped before a session that is over", () => {
    const off = Rule.without(["gap"])
    assert.deepStrictEqual(warnings(bars([]), { hasStopped: true }, off), { stale: 1 })
    assert.deepStrictEqual(warnings(bars([]), { hasStopped: false }, off), {})
    assert.deepStrictEqual(warnings(bars([]), { hasStopped: true, fetchedAt: open }, off), {})
  })

  it("refuse bars outside of trading hours and bars that were not over, and keep the others", () => {
    const rows: ReadonlyArray<Cells> = [-331, -330, 0, 629, 630].map((minute) => [minute, 10, 10, 10, 10, 5])
    const { bars: kept, rejects } = Quality.judge(bars(rows), facts, Rule.all)
    assert.deepStrictEqual([...kept.ts].map((ts) => (ts - open) / MINUTE), [-330, 0, 629])
    assert.deepStrictEqual(rejects.map(({ reason, ts }) => [reason, (ts! - open) / MINUTE]), [
      ["outside the hours in which the exchange trades", -331],
      ["outside the hours in which the exchange trades", 630]
    ])
    assert.include(rejects[0]!.raw, "\"open\":10")
    const running = Quality.judge(session(), { ...facts, fetchedAt: open + 10 * MINUTE + 30_000 }, Rule.all)
    assert.strictEqual(running.bars.length, 10)
    assert.strictEqual(running.rejects.length, 380)
    assert.strictEqual(running.rejects[0]!.reason, "the bar was still open when it was fetched")
  })

  it("are silent one by one when they are switched off, but for the two that say what a row is", () => {
    const bad = bars([[-331, 10, 20, 5, 10, 0], [0, 100, 100, 100, 100, 5], [1, 170, 170, 170, 170, 5]])
    const all = Quality.judge(bad, { ...facts, hasStopped: true }, Rule.all)
    assert.deepStrictEqual(Object.keys(all.warnings).sort(), ["gap", "jump", "stale"])
    for (const name of Rule.names) {
      const { rejects, warnings } = Quality.judge(bad, { ...facts, hasStopped: true }, Rule.without([name]))
      assert.notProperty(warnings, name)
      assert.strictEqual(rejects.length, name === "session_hours" ? 0 : 1, name)
    }
    assert.isTrue(Rule.without(["number_format", "timestamp"]).has("timestamp"))
    assert.strictEqual(Rule.fingerprint(Rule.without(["number_format"])), Rule.fingerprint(Rule.all))
    assert.notStrictEqual(Rule.fingerprint(Rule.without(["gap"])), Rule.fingerprint(Rule.all))
  })

  it("of one bar can be switched off too", () => {
    const said = (off: ReadonlyArray<Rule.Name>, ...cells: readonly [number, number, number, number, number]) =>
      BarRule.violation(...cells, Rule.without(off))
    assert.include(said([], 0, 1, 1, 1, 5), "price must be positive")
    assert.include(said(["price_positive"], 0, 1, 1, 1, 5), "low above open")
    assert.isUndefined(said(["price_positive", "ohlc_order"], 0, 1, 1, 1, 5))
    assert.include(said([], 1, 1, 1, 1, 0.5), "volume")
    assert.isUndefined(said(["volume_whole"], 1, 1, 1, 1, 0.5))
    assert.include(said(["volume_whole"], 1, 1, 1, 1, -0.5), "volume")
  })

  it("of one bar say nothing exactly where a bar holds", () => {
    for (let seed = 1, at = 0; at < 20_000; at++) {
      const next = () => (seed = (seed * 48_271) % 2_147_483_647) % 5 - 1
      const cells = [next(), next(), next(), next(), next() / 2] as const
      assert.strictEqual(BarRule.holds(...cells), BarRule.violation(...cells) === undefined, cells.join())
    }
  })
})
