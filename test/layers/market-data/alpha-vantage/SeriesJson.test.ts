import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { decode } from "../../../../src/layers/market-data/alpha-vantage/SeriesJson.ts"

const recorded = (name: string): Uint8Array =>
  Fs.readFileSync(new URL(`../../../fixtures/alpha-vantage/recorded/${name}`, import.meta.url))
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const msft = recorded("MSFT-1min-compact-2017-12-18.json")
const text = new TextDecoder().decode(msft).trimEnd()

const fields = (close = `"10.0000"`, extra = ""): string =>
  `{"1. open":"10.0000","2. high":"11.0000","3. low":"9.0000","4. close":${close},"5. volume":"5"${extra}}`
const answer = (series: string, zone = "US/Eastern"): Uint8Array =>
  bytes(
    `{"Meta Data":{"2. Symbol":"X","4. Interval":"1min","6. Time Zone":"${zone}"},"Time Series (1min)":{${series}}}`
  )
const reasons = (series: string): ReadonlyArray<string> => decode(answer(series)).rejects.map(({ reason }) => reason)
const count = (from: Uint8Array): number => decode(from).sessions.reduce((sum, { bars }) => sum + bars.length, 0)

describe("the intraday decoder", () => {
  it("reads recorded answers of 2017, 2018 and 2026", () => {
    for (const name of Fs.readdirSync(new URL("../../../fixtures/alpha-vantage/recorded/", import.meta.url))) {
      if (!/min.*json$/.test(name)) continue
      assert.deepStrictEqual(decode(recorded(name)).rejects, [], name)
      assert.isAbove(count(recorded(name)), 2, name)
    }
    const { bars, session } = decode(msft).sessions[0]!
    assert.strictEqual(session, "2017-12-18")
    assert.strictEqual(bars.length, 100)
    assert.strictEqual(bars.close.at(-1), 86.5)
  })

  it("reads the series by day, week and month, adjusted or not, whose labels are dates", () => {
    const adjusted =
      `{"1. open":"10","2. high":"11","3. low":"9","4. close":"10","5. adjusted close":"5","6. volume":"7",` +
      `"7. dividend amount":"0.0000"}`
    const series: ReadonlyArray<readonly [name: string, row: string, interval: string]> = [
      ["Time Series (Daily)", fields(), "1day"],
      ["Weekly Time Series", fields(), "1week"],
      ["Weekly Adjusted Time Series", adjusted, "1week"],
      ["Monthly Time Series", fields(), "1month"],
      ["Monthly Adjusted Time Series", adjusted, "1month"]
    ]
    for (const [name, row, interval] of series) {
      const body = bytes(`{"Meta Data":{"2. Symbol":"X","4. Time Zone":"US/Eastern"},"${name}":{"2024-07-31":${row}}}`)
      const { complete, rejects, sessions } = decode(body, interval)
      assert.deepStrictEqual([complete, rejects, sessions.length], [true, [], 1], name)
      assert.strictEqual(sessions[0]!.session, "2024-07-31")
      assert.strictEqual(sessions[0]!.bars.ts[0], Date.parse("2024-07-31T04:00:00Z"))
      const { bars } = sessions[0]!
      const prices = [bars.open[0], bars.high[0], bars.low[0], bars.close[0]]
      assert.deepStrictEqual(prices, row === adjusted ? [5, 5.5, 4.5, 5] : [10, 11, 9, 10])
      assert.strictEqual(bars.volume[0], row === adjusted ? 7 : 5)
      assert.include(decode(body, "1min").rejects[0]!.reason, "the interval is not 1min")
    }
    const daily = decode(recorded("MSFT-daily-compact-2018.json"), "1day")
    assert.deepStrictEqual([daily.complete, daily.rejects.length, daily.sessions.length], [false, 0, 100])
  })

  it("scales prices to the adjusted close, which comes out exactly, in every row of a series", () => {
    const rows = [["2024-07-30", 101.37, 23.4567], ["2024-07-29", 99.01, 22.9107], ["2024-07-26", 0.3, 0.0101]] as const
    const entries = rows.map(([label, close, adjusted]) => [label, {
      "1. open": close.toFixed(4),
      "2. high": close.toFixed(4),
      "3. low": (close / 2).toFixed(4),
      "4. close": close.toFixed(4),
      "5. adjusted close": adjusted.toFixed(4),
      "6. volume": "7"
    }])
    const body = JSON.stringify(
      {
        "Meta Data": { "2. Symbol": "X", "4. Time Zone": "US/Eastern" },
        "Weekly Adjusted Time Series": Object.fromEntries(entries)
      },
      null,
      4
    )
    const { rejects, sessions } = decode(bytes(body), "1week")
    assert.deepStrictEqual(rejects, [])
    const closes = sessions.map(({ bars }) => bars.close[0])
    assert.deepStrictEqual(closes, rows.map(([, , adjusted]) => adjusted).toReversed())
    for (const { bars } of sessions) assert.approximately(bars.low[0]! * 2, bars.high[0]!, 2e-6)
    const damaged = decode(bytes(body.replace("23.4567", "None")), "1week")
    assert.deepStrictEqual(damaged.rejects.map(({ reason }) => reason), [
      "\"5. adjusted close\" is not a number: \"None\""
    ])
  })

  it("does not call the latest hundred rows complete", () => {
    assert.isFalse(decode(msft).complete)
    assert.isTrue(decode(recorded("15min-full-2018.json")).complete)
  })

  it("moves labels of 2017, which name the end of a bar, to its start, and says so", () => {
    const decoded = decode(msft)
    assert.strictEqual(decoded.labels, "end")
    // The vendor's last label is 14:56.
    assert.strictEqual(decoded.sessions[0]!.bars.ts.at(-1), Date.parse("2017-12-18T19:55:00Z"))
    assert.isUndefined(decode(recorded("IBM-5min-2026-10-05-excerpt.json")).labels)
  })

  it("tells the end by the last label of the evening, unless a bar starts with the first of the morning", () => {
    const rows = (...labels: ReadonlyArray<string>) =>
      decode(answer(labels.map((label) => `"2020-06-01 ${label}:00":${fields()}`).join(",")))
    const end = rows("20:00", "16:00", "04:01")
    assert.strictEqual(end.labels, "end")
    assert.strictEqual(end.sessions[0]!.bars.ts[0], Date.parse("2020-06-01T08:00:00Z"))
    assert.isUndefined(rows("20:00", "16:00", "04:00").labels)
    assert.isUndefined(rows("19:59", "16:00", "04:01").labels)
  })

  it("takes no rows from an answer without a series, refuses nothing, and does not call it complete", () => {
    for (const empty of ["{}", `{"Meta Data":{"2. Symbol":"X"}}`]) {
      assert.deepStrictEqual(decode(bytes(empty)), { sessions: [], rejects: [], complete: false })
    }
    for (const other of ["", "<html>", "[]", "null", `{"Note":"slow"}`, `{"Meta Data":{"2. Sy`]) {
      const { complete, rejects, sessions } = decode(bytes(other))
      assert.isFalse(complete)
      assert.deepStrictEqual(sessions, [])
      assert.deepStrictEqual(rejects.map(({ reason }) => reason), ["not a series"])
    }
  })

  it("says in words why a row is refused, and for which session", () => {
    const row = (close?: string, extra?: string) => `"2024-01-03 10:00:00":${fields(close, extra)}`
    assert.deepStrictEqual(reasons(row(`"None"`)), [`"4. close" is not a number: "None"`])
    assert.deepStrictEqual(reasons(row(`"1e1"`)), [`"4. close" is not a number: "1e1"`])
    assert.deepStrictEqual(reasons(`"2024-01-03 10:00:00":{"1. open":"1"}`), ["missing field high"])
    assert.deepStrictEqual(reasons(row(`"-1.0"`)), ["price must be positive: close is -1"])
    assert.deepStrictEqual(reasons(row(`"12.0"`)), ["high below close: 11 < 12"])
    assert.deepStrictEqual(reasons(row().replace(`"5"`, `"5.5"`)), ["volume must be a whole number >= 0: 5.5"])
    assert.deepStrictEqual(reasons(`"2024-02-30 10:00:00":${fields()}`), ["timestamp not readable"])
    assert.deepStrictEqual(reasons(`"2024-01-03 10:00:30":${fields()}`), ["timestamp off the 1min grid"])
    assert.strictEqual(decode(answer(row(`""`))).rejects[0]!.session, "2024-01-03")
  })

  it("takes a volume of -0 for none, as columns of whole numbers do", () => {
    const { bars } = decode(answer(`"2024-01-03 10:00:00":${fields().replace(`"5"`, `"-0"`)}`)).sessions[0]!
    assert.isTrue(Object.is(bars.volume[0], 0))
  })

  it("collapses identical duplicates and refuses others", () => {
    const row = `"2024-01-03 10:00:00":${fields()}`
    assert.deepStrictEqual(reasons(`${row},${row}`), [])
    assert.strictEqual(count(answer(`${row},${row}`)), 1)
    assert.deepStrictEqual(reasons(`${row},"2024-01-03 10:00:00":${fields(`"10.5"`)}`), [
      "duplicate timestamp with other values"
    ])
  })

  it("applies the zone's daylight saving, and no unknown zone", () => {
    const at = (label: string, zone?: string) => decode(answer(`"${label}":${fields()}`, zone)).sessions[0]?.bars.ts[0]
    assert.strictEqual(at("2024-03-08 09:30:00"), Date.parse("2024-03-08T14:30:00Z"))
    assert.strictEqual(at("2024-03-11 09:30:00"), Date.parse("2024-03-11T13:30:00Z"))
    assert.strictEqual(at("2024-11-03 01:30:00"), Date.parse("2024-11-03T05:30:00Z"))
    assert.isUndefined(at("2024-03-10 02:30:00"))
    assert.strictEqual(at("2024-07-01 09:30:00", "Europe/London"), Date.parse("2024-07-01T08:30:00Z"))
    assert.isFalse(decode(answer(`"2024-07-01 09:30:00":${fields()}`, "Mars/Base")).complete)
  })

  it("keeps every whole row before a cut, wherever it is", () => {
    for (let length = 0; length < text.length; length += 37) {
      const cut = text.slice(0, length)
      const whole = cut.match(/"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d": \{[^}]*\}/g)?.length ?? 0
      const decoded = decode(bytes(cut))
      assert.isFalse(decoded.complete)
      assert.strictEqual(decoded.sessions.reduce((sum, { bars }) => sum + bars.length, 0), whole, `${length}`)
      assert.strictEqual(decoded.rejects.length, 1)
      assert.isAtMost(decoded.rejects[0]!.raw.length, 2000)
    }
  })

  it("never throws, whatever a byte becomes", () => {
    let seed = 7
    const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
    for (let round = 0; round < 500; round++) {
      const mutated = Uint8Array.from(msft)
      for (let changes = next(8); changes >= 0; changes--) mutated[next(mutated.length)] = next(256)
      const { rejects, sessions } = decode(mutated)
      assert.isTrue(rejects.every(({ raw, reason }) => raw.length <= 2000 && reason !== ""))
      for (const { bars } of sessions) {
        for (let i = 1; i < bars.length; i++) assert.isAbove(bars.ts[i]!, bars.ts[i - 1]!)
      }
    }
  })
})
