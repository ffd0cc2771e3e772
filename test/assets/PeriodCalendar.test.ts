import { assert, describe, it } from "@effect/vitest"
import { definitions } from "../../src/assets/definitions.ts"
import { nyse } from "../../src/assets/nyse.ts"
import * as PeriodCalendar from "../../src/assets/PeriodCalendar.ts"
import { onCalendar } from "../../src/assets/TradingCalendar.ts"
import * as Calendar from "../../src/runtime/partition/Calendar.ts"
import * as Partitions from "../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../src/runtime/partition/PartitionSet.ts"

const weeks = PeriodCalendar.of(nyse, "week")
const months = PeriodCalendar.of(nyse, "month")

describe("the calendar of periods", () => {
  it("has the last session of every week and month of the exchange, found another way", () => {
    const lastOf = (keyOf: (date: string) => string): ReadonlyArray<string> => {
      const found = new Map<string, string>()
      for (const session of Calendar.allSessions(nyse)) found.set(keyOf(session), session)
      return [...found.values()]
    }
    // 1970-01-05 was a Monday.
    const monday = Date.parse("1970-01-05T00:00:00Z")
    const week = (date: string) => String(Math.floor((Date.parse(`${date}T00:00:00Z`) - monday) / (7 * 86_400_000)))
    assert.deepStrictEqual(Calendar.allSessions(weeks), lastOf(week))
    assert.deepStrictEqual(Calendar.allSessions(months), lastOf((date) => date.slice(0, 7)))
    assert.strictEqual(Calendar.problem(weeks), undefined)
    assert.strictEqual(PeriodCalendar.of(nyse, "week"), weeks)
  })

  it("ends weeks on Thursday before holidays, and on half days at 13:00", () => {
    // Good Friday, a Fourth of July on a Friday, the attacks of a Tuesday, Thanksgiving.
    for (const session of ["2024-03-28", "2025-07-03", "2001-09-10", "2024-11-29"]) {
      assert.isTrue(Calendar.isSession(weeks, session), session)
    }
    assert.isFalse(Calendar.isSession(weeks, "2024-03-27"))
    assert.strictEqual(Calendar.closesAt(weeks, "2024-11-29"), Date.parse("2024-11-29T18:00:00Z"))
    assert.strictEqual(Calendar.closesAt(months, "2024-11-29"), Date.parse("2024-11-29T18:00:00Z"))
    assert.strictEqual(Calendar.closesAt(weeks, "2024-11-22"), Date.parse("2024-11-22T21:00:00Z"))
  })

  it("finds the session of any date of a period, before and after it", () => {
    for (const date of ["2024-03-25", "2024-03-28", "2024-03-29", "2024-03-31"]) {
      assert.strictEqual(PeriodCalendar.sessionOf(weeks, "week", date), "2024-03-28", date)
    }
    assert.strictEqual(PeriodCalendar.sessionOf(weeks, "week", "2024-04-01"), "2024-04-05")
    // A week of two months, and one of two years.
    assert.strictEqual(PeriodCalendar.sessionOf(weeks, "week", "2024-01-30"), "2024-02-02")
    assert.strictEqual(PeriodCalendar.startOf("week", "2025-01-03"), "2024-12-30")
    assert.strictEqual(PeriodCalendar.sessionOf(months, "month", "2024-03-30"), "2024-03-28")
    assert.strictEqual(PeriodCalendar.sessionOf(weeks, "week", "1997-06-03"), undefined)
  })

  it("gives the graph a partition a period, there from its close on", () => {
    const keys = (calendar: Calendar.Calendar, asset: string, now: string) => {
      const universe = {
        now: Date.parse(now),
        members: { symbols: [{ value: "IBM", from: "2024-11-04", to: undefined }] }
      }
      const dimensions = onCalendar(definitions, calendar).assets.get(asset)!.dimensions
      return [...PartitionSet.keys(PartitionSet.all(Partitions.space(dimensions, universe)))]
    }
    const sessions = (calendar: Calendar.Calendar, now: string) =>
      keys(calendar, "staged_bars", now).map(({ session }) => session)
    const before = ["2024-11-08", "2024-11-15", "2024-11-22"]
    assert.deepStrictEqual(sessions(weeks, "2024-11-29T17:59:59Z"), before)
    assert.deepStrictEqual(sessions(weeks, "2024-11-29T18:00:00Z"), [...before, "2024-11-29"])
    assert.deepStrictEqual(sessions(months, "2024-11-29T17:59:59Z"), [])
    assert.deepStrictEqual(sessions(months, "2024-11-29T18:00:00Z"), ["2024-11-29"])
    assert.deepStrictEqual(keys(weeks, "raw_bars", "2024-11-29T18:00:00Z").map(({ month }) => month), ["2024-11"])
  })
})
