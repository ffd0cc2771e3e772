import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Coverage from "../../../src/layers/bars/Coverage.ts"

const MINUTE = 60_000
const opens = Date.parse("2024-03-05T14:30:00Z")
const closes = Date.parse("2024-03-05T21:00:00Z")
const at = (...minutes: ReadonlyArray<number>): Float64Array =>
  Float64Array.from(minutes, (minute) => opens + minute * MINUTE)

describe("coverage", () => {
  it("finds gaps at the open, inside and at the close", () => {
    const { expected, gaps, present } = Coverage.measure(at(-5, 2, 3, 6, 400), opens, opens + 10 * MINUTE, MINUTE)
    assert.deepStrictEqual([expected, present], [10, 3])
    assert.deepStrictEqual(gaps, [
      { from: opens, bars: 2 },
      { from: opens + 4 * MINUTE, bars: 2 },
      { from: opens + 7 * MINUTE, bars: 3 }
    ])
    assert.deepStrictEqual(Coverage.longest({ expected, gaps, present }), { from: opens + 7 * MINUTE, bars: 3 })
  })

  it("expects hourly bars on the hour: the first half hour belongs to none", () => {
    const { expected, gaps } = Coverage.measure(new Float64Array(), opens, closes, 60 * MINUTE)
    assert.strictEqual(expected, 6)
    assert.deepStrictEqual(gaps, [{ from: Date.parse("2024-03-05T15:00:00Z"), bars: 6 }])
    assert.strictEqual(Coverage.longest(Coverage.measure(at(), opens, opens, MINUTE)), undefined)
  })

  const Minutes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: -60, maximum: 450 })))
  it.prop("what is present and what the gaps lack is what is expected", [Minutes], ([minutes]) => {
    const distinct = [...new Set(minutes)].sort((a, b) => a - b)
    const { expected, gaps, present } = Coverage.measure(at(...distinct), opens, closes, MINUTE)
    assert.strictEqual(expected, 390)
    assert.strictEqual(present, distinct.filter((minute) => minute >= 0 && minute < 390).length)
    const missing = gaps.flatMap(({ bars, from }) =>
      Array.from({ length: bars }, (_, i) => (from - opens) / MINUTE + i)
    )
    assert.strictEqual(missing.length, expected - present)
    assert.isTrue(missing.every((minute) => minute >= 0 && minute < 390 && !distinct.includes(minute)))
  })
})
