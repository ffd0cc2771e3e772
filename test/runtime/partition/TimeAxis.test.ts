import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { nyse } from "../../../src/assets/nyse.ts"
import * as Calendar from "../../../src/runtime/partition/Calendar.ts"
import * as TimeAxis from "../../../src/runtime/partition/TimeAxis.ts"
import * as TimeWindows from "../../../src/runtime/partition/TimeWindows.ts"

const DAY = 86_400_000

const utc = (text: string): number => Date.parse(`${text}Z`)

const keysOf = (axis: TimeAxis.Axis): ReadonlyArray<string> =>
  Array.from({ length: axis.length }, (_, index) => axis.keyAt(index))

const keys = (dimension: TimeWindows.TimeDimension, now: string): ReadonlyArray<string> =>
  keysOf(TimeAxis.axis(dimension, utc(now)))

describe("a window", () => {
  it("exists from its end on", () => {
    const daily = TimeWindows.daily({ start: "2024-01-01", zone: "Europe/Berlin" })
    assert.deepStrictEqual(keys(daily, "2024-01-01T22:59"), [])
    assert.deepStrictEqual(keys(daily, "2024-01-01T23:00"), ["2024-01-01"])
    assert.deepStrictEqual(keys(daily, "2024-01-02T23:00"), ["2024-01-01", "2024-01-02"])
    assert.deepStrictEqual(keys(daily, "2024-01-02T22:59"), ["2024-01-01"])
  })

  it("of a session exists from the close on: Friday's on Friday evening, a half day's at noon", () => {
    const sessions = TimeWindows.sessions(nyse, { start: "2024-11-27" })
    assert.deepStrictEqual(keys(sessions, "2024-11-29T17:59"), ["2024-11-27"])
    assert.deepStrictEqual(keys(sessions, "2024-11-29T18:00"), ["2024-11-27", "2024-11-29"])
    const extended = TimeWindows.sessions(nyse, { start: "2024-11-27", hours: "extended" })
    assert.deepStrictEqual(keys(extended, "2024-11-29T21:59"), ["2024-11-27"])
    assert.deepStrictEqual(keys(extended, "2024-11-29T22:00"), ["2024-11-27", "2024-11-29"])
    assert.strictEqual(TimeAxis.axis(extended, utc("2024-11-30")).startAt(1), utc("2024-11-29T09:00"))
  })

  it("of the repeated hour has a key of its own", () => {
    const hourly = TimeWindows.hourly({ start: "2013-11-03", end: "2013-11-03T03:00", zone: "America/New_York" })
    assert.deepStrictEqual(keys(hourly, "2014-01-01"), [
      "2013-11-03T00:00",
      "2013-11-03T01:00",
      "2013-11-03T01:00-05:00",
      "2013-11-03T02:00"
    ])
    const quarters = TimeWindows.cron("30 * * * *", {
      start: "2013-04-07T01:00",
      end: "2013-04-07T03:00",
      zone: "Australia/Lord_Howe",
      format: "yyyy-MM-dd HH"
    })
    const axis = TimeAxis.axis(quarters, utc("2014-01-01"))
    assert.deepStrictEqual(keysOf(axis), ["2013-04-07 01", "2013-04-07 01+10:30"])
    assert.deepStrictEqual(keysOf(axis).map(axis.indexOf), [0, 1])
  })

  it("whose tick had to move into another day keeps its date", () => {
    const nuuk = TimeWindows.cron("30 23 * * *", { start: "2024-03-29", end: "2024-04-02", zone: "America/Nuuk" })
    assert.deepStrictEqual(keys(nuuk, "2025-01-01"), ["2024-03-29", "2024-03-30", "2024-03-31"])
    assert.strictEqual(TimeAxis.axis(nuuk, utc("2025-01-01")).indexOf("2024-03-30"), 1)
    assert.deepStrictEqual(TimeAxis.parseKey(nuuk, "2024-03-30"), {
      key: "2024-03-30",
      start: utc("2024-03-31T01:00"),
      end: utc("2024-04-01T00:30")
    })
    const apia = TimeWindows.daily({ start: "2011-12-29", end: "2012-01-02", zone: "Pacific/Apia" })
    assert.deepStrictEqual(keys(apia, "2025-01-01"), ["2011-12-29", "2011-12-31", "2012-01-01"])
  })

  it("starts at or after the start and ends at or before the end of its dimension", () => {
    const weekly = TimeWindows.weekly({ start: "2024-01-02", end: "2024-01-28T12:00" })
    assert.deepStrictEqual(keys(weekly, "2025-01-01"), ["2024-01-08", "2024-01-15"])
  })

  it("is not there when its start is excluded, and its neighbours are not widened", () => {
    const exclude = ["2024-01-06", "2024-01-04T00:00", "0 0 * * 1"]
    const daily = TimeWindows.daily({ start: "2024-01-02", exclude })
    const axis = TimeAxis.axis(daily, utc("2024-01-11"))
    assert.deepStrictEqual(keysOf(axis), ["02", "03", "05", "07", "09", "10"].map((day) => `2024-01-${day}`))
    for (let i = 0; i < axis.length; i++) assert.strictEqual(axis.endAt(i) - axis.startAt(i), DAY)
    assert.strictEqual(axis.indexOf("2024-01-06"), -1)
    assert.isUndefined(TimeAxis.parseKey(daily, "2024-01-06"))
    assert.deepStrictEqual(TimeAxis.scheduled(daily, utc("2024-01-06"), utc("2024-01-06T12:00")), [])
  })

  it("of a session is excluded by its date or by the time at which it opens", () => {
    const excluding = (text: string) =>
      keys(TimeWindows.sessions(nyse, { start: "2024-11-26", end: "2024-11-30", exclude: [text] }), "2025-01-01")
    assert.deepStrictEqual(excluding("2024-11-27"), ["2024-11-26", "2024-11-29"])
    assert.deepStrictEqual(excluding("2024-11-27T09:30"), ["2024-11-26", "2024-11-29"])
    assert.deepStrictEqual(excluding("30 9 * * 5"), ["2024-11-26", "2024-11-27"])
    assert.deepStrictEqual(excluding("2024-11-27T00:00"), ["2024-11-26", "2024-11-27", "2024-11-29"])
  })

  it("is excluded with the whole date, at both occurrences of a time, or by a cron's own ticks", () => {
    const hourly = (exclude: ReadonlyArray<string>) =>
      keys(
        TimeWindows.hourly({ start: "2013-11-03", end: "2013-11-03T04:00", zone: "America/New_York", exclude }),
        "2014-01-01"
      )
    assert.deepStrictEqual(hourly(["2013-11-03"]), [])
    assert.deepStrictEqual(hourly(["2013-11-03T01:00"]), ["2013-11-03T00:00", "2013-11-03T02:00", "2013-11-03T03:00"])
    assert.deepStrictEqual(hourly(["0 1 * * *"]), [
      "2013-11-03T00:00",
      "2013-11-03T01:00",
      "2013-11-03T02:00",
      "2013-11-03T03:00"
    ])
  })
})

describe("an end offset", () => {
  const days = (endOffset: number, options?: { readonly exclude?: ReadonlyArray<string>; readonly end?: string }) =>
    TimeWindows.daily({ start: "2024-01-04", endOffset, ...options })

  it("adds the windows after the last that has ended, or leaves the last out", () => {
    assert.deepStrictEqual(keys(days(1), "2024-01-06T12:00"), ["2024-01-04", "2024-01-05", "2024-01-06"])
    assert.deepStrictEqual(keys(days(-1), "2024-01-06T12:00"), ["2024-01-04"])
    assert.deepStrictEqual(keys(days(-3), "2024-01-06T12:00"), [])
  })

  it("counts windows that are there, never excluded ones", () => {
    const exclude = ["0 0 * * 6,0"]
    assert.deepStrictEqual(keys(days(2, { exclude }), "2024-01-06T12:00"), [
      "2024-01-04",
      "2024-01-05",
      "2024-01-08",
      "2024-01-09"
    ])
    assert.deepStrictEqual(keys(days(-1, { exclude }), "2024-01-08T12:00"), ["2024-01-04"])
  })

  it("does not reach beyond the end of the dimension", () => {
    assert.deepStrictEqual(keys(days(5, { end: "2024-01-06" }), "2024-01-05T12:00"), ["2024-01-04", "2024-01-05"])
    assert.deepStrictEqual(keys(days(5, { end: "2024-01-06" }), "2034-01-05T12:00"), ["2024-01-04", "2024-01-05"])
  })

  it("that is negative holds the last windows before the end back until as many have ended after it", () => {
    assert.deepStrictEqual(keys(days(-1, { end: "2024-01-06" }), "2024-01-06"), ["2024-01-04"])
    assert.deepStrictEqual(keys(days(-1, { end: "2024-01-06" }), "2024-01-07"), ["2024-01-04", "2024-01-05"])
    assert.deepStrictEqual(keys(days(-2, { end: "2024-01-06" }), "2024-01-07"), ["2024-01-04"])
    assert.deepStrictEqual(keys(days(-2, { end: "2024-01-06" }), "2034-01-07"), ["2024-01-04", "2024-01-05"])
  })

  it("counts the windows that go on before the start of the dimension", () => {
    assert.deepStrictEqual(keys(days(1), "2024-01-03T12:00"), [])
    assert.deepStrictEqual(keys(days(2), "2024-01-03T12:00"), ["2024-01-04"])
    assert.deepStrictEqual(keys(days(2), "2023-06-01"), [])
    const month = TimeWindows.monthly({ start: "2024-01-15", endOffset: 1 })
    assert.deepStrictEqual(keys(month, "2024-01-20"), [])
    assert.deepStrictEqual(keys(month, "2024-02-01"), ["2024-02"])
    const session = TimeWindows.sessions(nyse, { start: "2024-01-08", endOffset: 1 })
    assert.deepStrictEqual(keys(session, "2024-01-05T20:59"), [])
    assert.deepStrictEqual(keys(session, "2024-01-05T21:00"), ["2024-01-08"])
  })

  it("ends where the calendar does", () => {
    const last = TimeWindows.sessions(nyse, { start: "2028-12-28", endOffset: 10 })
    assert.deepStrictEqual(keys(last, "2028-12-28"), ["2028-12-28", "2028-12-29"])
  })

  it("finds nothing, but ends, where everything is excluded", () => {
    const nothing = TimeWindows.cron("* * * * *", { start: "2024-01-01", endOffset: 1, exclude: ["* * * * *"] })
    assert.deepStrictEqual(keys(nothing, "2024-01-02"), [])
    assert.deepStrictEqual(keys(nothing, "2024-01-03"), [])
    assert.deepStrictEqual(TimeAxis.scheduled(nothing, utc("2024-01-02"), utc("2024-01-03")), [])
  })
})

describe("what the schedule has", () => {
  const month = TimeWindows.monthly({ start: "2024-02", end: "2024-04-01" })

  it("is found by overlap, before the start and after the end too", () => {
    const found = TimeAxis.scheduled(month, utc("2024-01-31"), utc("2024-04-01T00:01"))
    assert.deepStrictEqual(found.map(({ key }) => key), ["2024-01", "2024-02", "2024-03", "2024-04"])
    assert.deepStrictEqual(found[1], { key: "2024-02", start: utc("2024-02-01"), end: utc("2024-03-01") })
    assert.deepStrictEqual(TimeAxis.scheduled(month, utc("2024-03-01"), utc("2024-04-01")).map(({ key }) => key), [
      "2024-03"
    ])
  })

  it("of a market is its sessions, none of them between a close and an open", () => {
    const sessions = TimeWindows.sessions(nyse, { start: "2024-06-01" })
    const found = TimeAxis.scheduled(sessions, utc("2024-03-08T21:00"), utc("2024-03-11T13:31"))
    assert.deepStrictEqual(found.map(({ key }) => key), ["2024-03-11"])
    assert.deepStrictEqual(TimeAxis.scheduled(sessions, utc("2024-03-08T21:00"), utc("2024-03-11T13:30")), [])
  })

  it("ends where dates do", () => {
    const century = TimeAxis.scheduled(
      TimeWindows.cron("0 0 1 1 *", { start: "2024-01-01" }),
      -Infinity,
      utc("1100-01-01")
    )
    assert.isAtMost(century.length, 100)
    assert.strictEqual(century.at(-1)?.key, "1099-01")
    const sessions = TimeWindows.sessions(nyse)
    assert.strictEqual(TimeAxis.scheduled(sessions, -Infinity, Infinity).length, Calendar.allSessions(nyse).length)
    assert.strictEqual(TimeAxis.axis(sessions, Infinity).length, Calendar.allSessions(nyse).length)
    assert.strictEqual(TimeAxis.axis(sessions, -Infinity).length, 0)
  })

  it("answers a key with its window, or with none", () => {
    assert.deepStrictEqual(TimeAxis.parseKey(month, "2031-12"), {
      key: "2031-12",
      start: utc("2031-12-01"),
      end: utc("2032-01-01")
    })
    for (const key of ["2024-13", "2024-1", "2024-01-01", "next", ""]) {
      assert.isUndefined(TimeAxis.parseKey(month, key), key)
    }
    assert.isUndefined(TimeAxis.parseKey(TimeWindows.sessions(nyse), "2024-03-09"))
    assert.isUndefined(TimeAxis.parseKey(TimeWindows.cron("0 0 * * 1", { start: "2024-01-01" }), "2024-01-02"))
  })
})

const exclude = ["2013-10-05", "2013-03-31T03:00", "0 1 * * *", "0 0 * * 6"]
const cronDimensions = (zone: string): ReadonlyArray<TimeWindows.TimeDimension> => {
  const base = { zone, start: "2013-01-15" }
  return [
    TimeWindows.hourly(base),
    TimeWindows.hourly({ ...base, endOffset: 2, exclude }),
    TimeWindows.daily({ ...base, hourOffset: 2, minuteOffset: 30, endOffset: -3 }),
    TimeWindows.daily({ ...base, exclude, endOffset: 1, end: "2013-11-15" }),
    TimeWindows.cron("*/15 * * * *", { ...base, start: "2013-09-15", endOffset: 1 }),
    TimeWindows.cron("30 1,2,3 * * 1-5", base),
    TimeWindows.weekly({ ...base, endOffset: 1 }),
    TimeWindows.monthly({ ...base, day: 5, endOffset: -1 })
  ]
}
const dimensions = [
  ...["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"].flatMap(cronDimensions),
  TimeWindows.sessions(nyse, { start: "2013-01-15", endOffset: 1 }),
  TimeWindows.sessions(nyse, { start: "2013-01-15", hours: "extended", exclude: ["2013-11-29"] }),
  TimeWindows.sessions(Calendar.continuous, { start: "2013-01-15", endOffset: -2 })
]

const Dimensions = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: dimensions.length - 1 }))

/** Days around changes of clocks, as often as others. */
const days = (day: string) =>
  Schema.Int.check(Schema.isBetween({ minimum: utc(day) - 2 * DAY, maximum: utc(day) + 2 * DAY }))
const Instants = Schema.Union([
  days("2013-03-10"),
  days("2013-03-31"),
  days("2013-04-07"),
  days("2013-10-06"),
  days("2013-10-27"),
  days("2013-11-03"),
  Schema.Int.check(Schema.isBetween({ minimum: utc("2012-12-01"), maximum: utc("2014-01-01") }))
])

describe("an axis", () => {
  it.prop("has windows that ascend and do not overlap", { at: Dimensions, now: Instants }, ({ at, now }) => {
    const axis = TimeAxis.axis(dimensions[at]!, now)
    const edges = Array.from({ length: axis.length }, (_, index) => [axis.startAt(index), axis.endAt(index)]).flat()
    const wrong = edges.findIndex((edge, index) =>
      index > 0 && (index % 2 === 0 ? edges[index - 1]! > edge : edges[index - 1]! >= edge)
    )
    assert.strictEqual(wrong, -1)
  })

  it.prop("finds every key where it stands", { at: Dimensions, now: Instants }, ({ at, now }) => {
    const axis = TimeAxis.axis(dimensions[at]!, now)
    const found = keysOf(axis)
    assert.isUndefined(found.find((key, index) => axis.indexOf(key) !== index))
    assert.strictEqual(new Set(found).size, axis.length)
  })

  it.prop(
    "for an earlier instant is the beginning of that for a later one",
    { at: Dimensions, a: Instants, b: Instants },
    ({ a, at, b }) => {
      const later = TimeAxis.axis(dimensions[at]!, Math.max(a, b))
      const earlier = TimeAxis.axis(dimensions[at]!, Math.min(a, b))
      assert.deepStrictEqual(keysOf(earlier), keysOf(later).slice(0, earlier.length))
    }
  )

  it.prop("is the same whichever instants were asked for before", { at: Dimensions, now: Instants }, ({ at, now }) => {
    const { endOffset } = dimensions[at]!
    const fresh = TimeAxis.axis({ ...dimensions[at]! }, now)
    assert.deepStrictEqual(keysOf(TimeAxis.axis(dimensions[at]!, now)), keysOf(fresh))
    const ended = TimeAxis.axis({ ...dimensions[at]!, endOffset: 0 }, now)
    if (endOffset < 0) assert.strictEqual(fresh.length, Math.max(0, ended.length + endOffset))
    assert.isTrue(ended.length === 0 || ended.endAt(ended.length - 1) <= now)
  })

  it.prop("agrees with the schedule and with the keys read alone", { at: Dimensions, now: Instants }, ({ at, now }) => {
    const dimension = dimensions[at]!
    const axis = TimeAxis.axis(dimension, utc("2014-01-01"))
    const from = now - 2 * DAY
    const expected: Array<TimeAxis.Window> = []
    const last = axis.firstStartingAtOrAfter(now)
    for (let i = axis.firstEndingAfter(from); i < last; i++) {
      expected.push({ key: axis.keyAt(i), start: axis.startAt(i), end: axis.endAt(i) })
    }
    const first = axis.startAt(0)
    const end = axis.endAt(axis.length - 1)
    const found = TimeAxis.scheduled(dimension, from, now)
    assert.deepStrictEqual(found.filter((window) => window.start >= first && window.end <= end), expected)
    for (const window of found) assert.deepStrictEqual(TimeAxis.parseKey(dimension, window.key), window)
  })

  it.prop("is searched by instants", { at: Dimensions, now: Instants, instant: Instants }, ({ at, instant, now }) => {
    const axis = TimeAxis.axis(dimensions[at]!, now)
    const indices = Array.from({ length: axis.length }, (_, index) => index)
    const orLength = (index: number | undefined): number => index ?? axis.length
    assert.strictEqual(axis.firstEndingAfter(instant), orLength(indices.find((index) => axis.endAt(index) > instant)))
    assert.strictEqual(
      axis.firstStartingAtOrAfter(instant),
      orLength(indices.find((index) => axis.startAt(index) >= instant))
    )
  })

  it("is the same value while nothing has been added", () => {
    const daily = TimeWindows.daily({ start: "2024-01-01" })
    const axis = TimeAxis.axis(daily, utc("2024-02-01"))
    assert.strictEqual(TimeAxis.axis(daily, utc("2024-02-01T23:59")), axis)
    assert.notStrictEqual(TimeAxis.axis(daily, utc("2024-02-02")), axis)
    assert.strictEqual(axis.length, 31)
    assert.strictEqual(axis.indexOf("2024-02-01"), -1)
    assert.strictEqual(axis.firstEndingAfter(utc("2024-02-01")), 31)
  })
})
