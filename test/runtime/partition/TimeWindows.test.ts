import { assert, describe, it } from "@effect/vitest"
import { nyse } from "../../../src/assets/nyse.ts"
import * as Calendar from "../../../src/runtime/partition/Calendar.ts"
import * as TimeAxis from "../../../src/runtime/partition/TimeAxis.ts"
import * as TimeWindows from "../../../src/runtime/partition/TimeWindows.ts"

const start = "2024-01-01"
const now = Date.parse("2024-03-10T00:00Z")

const keys = (dimension: TimeWindows.TimeDimension): ReadonlyArray<string> => {
  const axis = TimeAxis.axis(dimension, now)
  return Array.from({ length: axis.length }, (_, index) => axis.keyAt(index))
}

const starts = (dimension: TimeWindows.TimeDimension): ReadonlyArray<string> => {
  const axis = TimeAxis.axis(dimension, now)
  return Array.from({ length: axis.length }, (_, index) => new Date(axis.startAt(index)).toISOString().slice(0, 16))
}

const refusal = (declare: () => unknown): string => {
  try {
    declare()
  } catch (error) {
    assert.instanceOf(error, TimeWindows.PartitionsError)
    return error.message
  }
  return "not refused"
}

describe("time windows", () => {
  it("are hourly, daily, weekly or monthly, and start at an offset", () => {
    assert.deepStrictEqual(keys(TimeWindows.hourly({ start: "2024-03-09T22:00" })), [
      "2024-03-09T22:00",
      "2024-03-09T23:00"
    ])
    assert.deepStrictEqual(starts(TimeWindows.hourly({ start: "2024-03-09T22:00", minuteOffset: 20 })), [
      "2024-03-09T22:20"
    ])
    assert.deepStrictEqual(starts(TimeWindows.daily({ start: "2024-03-08", hourOffset: 6, minuteOffset: 30 })), [
      "2024-03-08T06:30"
    ])
    assert.deepStrictEqual(keys(TimeWindows.weekly({ start: "2024-02-20" })), ["2024-02-26"])
    assert.deepStrictEqual(keys(TimeWindows.weekly({ start: "2024-02-20", weekday: "sunday", hourOffset: 0 })), [
      "2024-02-25",
      "2024-03-03"
    ])
    assert.deepStrictEqual(keys(TimeWindows.monthly({ start: "2024-01" })), ["2024-01", "2024-02"])
    assert.deepStrictEqual(starts(TimeWindows.monthly({ start: "2024-01", day: 9, hourOffset: 12 })), [
      "2024-01-09T12:00",
      "2024-02-09T12:00"
    ])
  })

  it("of a cron have the shortest of the usual keys that tells them apart", () => {
    const first = (text: string) => keys(TimeWindows.cron(text, { start }))[0]
    assert.strictEqual(first("0 9 * * *"), "2024-01-01")
    assert.strictEqual(first("0 9 * * 1-5"), "2024-01-01")
    assert.strictEqual(first("0 9 2 * *"), "2024-01")
    assert.strictEqual(first("0 9 2 * 2"), "2024-01-02")
    assert.strictEqual(first("0 9,10 * * *"), "2024-01-01T09:00")
    assert.strictEqual(first("@hourly"), "2024-01-01T00:00")
  })

  it("have keys of the format that is asked for", () => {
    assert.deepStrictEqual(keys(TimeWindows.daily({ start: "2024-03-09", format: "dd.MM.yyyy" })), ["09.03.2024"])
    assert.deepStrictEqual(keys(TimeWindows.hourly({ start: "2024-03-09T23:00", format: "yyyyMMddTHH" })), [
      "20240309T23"
    ])
  })

  it("are not declared with a format that would give two of them one key", () => {
    assert.strictEqual(
      refusal(() => TimeWindows.daily({ start, format: "yyyy-MM" })),
      "The daily partitions cannot be declared so: the format \"yyyy-MM\" would give two windows one key, " +
        "which \"yyyy-MM-dd\" does not."
    )
    for (const text of ["*/30 * * * *", "30 2,3 * * *", "30 0,1 * * *", "0,30 2 * * *"]) {
      assert.match(refusal(() => TimeWindows.cron(text, { start, format: "yyyy-MM-ddTHH" })), /two windows one key/)
    }
    assert.match(refusal(() => TimeWindows.cron("0 0 1 * *", { start, format: "yyyy" })), /two windows one key/)
    assert.match(refusal(() => TimeWindows.cron("0 0 1 * 1", { start, format: "yyyy-MM" })), /two windows one key/)
    assert.deepStrictEqual(keys(TimeWindows.cron("0 0 1 1 *", { start: "2022-01-01", format: "yyyy" })), [
      "2022",
      "2023"
    ])
  })

  it("of a market are its sessions", () => {
    const week = { start: "2024-03-04", end: "2024-03-09" }
    const dates = ["2024-03-04", "2024-03-05", "2024-03-06", "2024-03-07", "2024-03-08"]
    assert.deepStrictEqual(keys(TimeWindows.sessions(nyse, week)), dates)
    assert.deepStrictEqual(keys(TimeWindows.sessions(nyse, { ...week, hours: "extended" })), dates)
    assert.strictEqual(keys(TimeWindows.sessions(nyse))[0], "1998-01-02")
    assert.deepStrictEqual(keys(TimeWindows.sessions(Calendar.continuous, { start: "2024-03-08" })), [
      "2024-03-08",
      "2024-03-09"
    ])
  })

  it("carry their grain in their type", () => {
    const grains: readonly ["daily", "0 9 * * 1", "sessions XNYS", "sessions 24/7"] = [
      TimeWindows.daily({ start }).grain,
      TimeWindows.cron("0 9 * * 1", { start }).grain,
      TimeWindows.sessions(nyse).grain,
      TimeWindows.sessions(Calendar.continuous).grain
    ]
    assert.deepStrictEqual(grains, ["daily", "0 9 * * 1", "sessions XNYS", "sessions 24/7"])
  })

  it("are refused with one sentence that says what is wrong", () => {
    const said = (why: string) => `The daily partitions cannot be declared so: ${why}`
    assert.strictEqual(
      refusal(() => TimeWindows.daily({ start: "2024-13-01" })),
      said("its start is \"2024-13-01\", which is neither a date (2013-10-04) nor a date and time (2013-10-04T09:30).")
    )
    assert.strictEqual(
      refusal(() => TimeWindows.daily({ start, end: "2024-01-01" })),
      said("its end, 2024-01-01, is not after its start, 2024-01-01.")
    )
    assert.strictEqual(
      refusal(() => TimeWindows.daily({ start, zone: "Mars/Olympus" })),
      said("\"Mars/Olympus\" is not a time zone; zones are named as in Europe/Berlin, America/New_York or UTC.")
    )
    assert.strictEqual(
      refusal(() => TimeWindows.daily({ start, hourOffset: 24 })),
      said("its hourOffset is 24, which is not an integer from 0 to 23.")
    )
    assert.match(
      refusal(() => TimeWindows.daily({ start, endOffset: 0.5 })),
      /its endOffset is 0\.5, which is not an integer/
    )
    assert.match(refusal(() => TimeWindows.hourly({ start, minuteOffset: 60 })), /its minuteOffset is 60/)
    assert.match(refusal(() => TimeWindows.monthly({ start, day: 29 })), /its day is 29, .* from 1 to 28\.$/)
    assert.match(
      refusal(() => TimeWindows.cron("0 25 * * *", { start })),
      /^The 0 25 \* \* \* partitions .* the hour "25"/
    )
    assert.match(refusal(() => TimeWindows.daily({ start, format: "yyyy-mm-dd" })), /the format "yyyy-mm-dd" has no MM/)
  })

  it("refuse exclusions that are neither a time nor a cron", () => {
    const excluding = (text: string) => refusal(() => TimeWindows.daily({ start, exclude: [text] }))
    assert.match(excluding("2024-12"), /an exclusion is "2024-12", which is not a date, a date and time or a cron\.$/)
    assert.match(excluding("christmas day"), /an exclusion is "christmas day", which is neither a date/)
    assert.match(excluding("2024-02-30"), /an exclusion is "2024-02-30"/)
    assert.match(excluding("2024-02-03T25:00"), /an exclusion is "2024-02-03T25:00"/)
    assert.match(excluding("0 0 * * 8"), /the day of week "8" of the cron/)
  })

  it("refuse a calendar whose data is not right", () => {
    assert.match(
      refusal(() => TimeWindows.sessions({ ...nyse, zone: "New York" })),
      /^The sessions XNYS partitions cannot be declared so: the calendar is not right\. "New York" is not a time zone/
    )
    const { extended: _, ...regular } = nyse
    assert.match(
      refusal(() => TimeWindows.sessions(regular, { hours: "extended" })),
      /the calendar has no extended hours\.$/
    )
  })
})
