import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Ledger from "../../../../src/layers/market-data/quota/Ledger.ts"

const NOON = Date.parse("2026-03-10T12:00:00Z")

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const Asked = Schema.Array(Schema.Struct({ after: between(0, 3000), cost: between(1, 3) })).check(
  Schema.isMinLength(20)
)

/** Callers that come `after` milliseconds after the one before came. */
const starts = (limits: Ledger.Limits, asked: typeof Asked.Type) => {
  let ledger = Ledger.empty
  let now = NOON
  return asked.map(({ after, cost }) => {
    now += after
    const decided = Ledger.reserve(ledger, limits, cost, now)
    assert(decided._tag === "Reserved")
    assert.isAtLeast(decided.start, now)
    ledger = decided.ledger
    return { start: decided.start, cost }
  })
}

describe("the ledger of a quota", () => {
  it.prop("no second and no minute holds more than allowed, wherever it begins", [Asked], ([asked]) => {
    const made = starts({ perSecond: 4, perMinute: 40 }, asked)
    for (const { start: from } of made) {
      for (const [width, limit] of [[1000, 4], [60_000, 40]] as const) {
        const within = made.filter(({ start }) => start >= from && start < from + width)
        assert.isAtMost(within.reduce((sum, { cost }) => sum + cost, 0), limit)
      }
    }
    for (let at = 1; at < made.length; at++) assert.isAtLeast(made[at]!.start, made[at - 1]!.start)
  })

  it("1200 calls a minute are made use of to more than 99 percent, and remembered in 121 numbers", () => {
    let ledger = Ledger.empty
    let now = NOON
    let call = 0
    for (; now < NOON + 10 * 60_000; call++) {
      const decided = Ledger.reserve(ledger, { perMinute: 1200 }, 1, now)
      assert(decided._tag === "Reserved")
      ledger = decided.ledger
      assert.isAtMost(ledger.minute.length, 121)
      // Four callers at a time, a hundred milliseconds each.
      now = decided.start + 25
    }
    assert.isAtLeast(call, 1200 * 10 * 0.99)
    assert.isAtMost(call, 1200 * 10 + 1)
  })

  it("a day that is over is forgotten, and the latest start is not gone back behind", () => {
    const limits = { perDay: 2 }
    const full = starts(limits, [{ after: 0, cost: 2 }])
    assert.deepStrictEqual(full, [{ start: NOON, cost: 2 }])
    const ledger = { ...Ledger.empty, day: "2026-03-10", used: 2, latest: NOON + 10 }
    assert.deepStrictEqual(Ledger.reserve(ledger, limits, 1, NOON), {
      _tag: "Closed",
      until: Date.parse("2026-03-11T00:00:00Z"),
      why: "2 calls a day"
    })
    const next = Ledger.reserve(ledger, limits, 1, NOON + 86_400_000)
    assert.deepStrictEqual([next._tag, Ledger.usedOn(ledger, NOON + 86_400_000, limits)], ["Reserved", 0])
    const behind = Ledger.reserve({ ...ledger, used: 0 }, limits, 1, NOON)
    assert.strictEqual(behind._tag === "Reserved" && behind.start, NOON + 10)
  })
})
