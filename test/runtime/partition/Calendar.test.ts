import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Calendar from "../../../src/runtime/partition/Calendar.ts"

/** Monday to Saturday in January 2024, with a holiday and two half days. */
const january: Calendar.Calendar<"JAN"> = {
  name: "JAN",
  zone: "Asia/Kolkata",
  first: "2024-01-01",
  last: "2024-01-31",
  weekdays: [1, 2, 3, 4, 5, 6],
  open: "09:15",
  close: "15:30",
  holidays: new Set(["2024-01-26"]),
  earlyCloses: new Map([["2024-01-20", "12:00"]]),
  extended: { open: "09:00", close: "16:00", earlyClose: "12:30" }
}

const utc = (text: string): number => Date.parse(`${text}Z`)

const dateOf = (day: number): string => new Date(utc("2023-12-20") + day * 86_400_000).toISOString().slice(0, 10)

const Days = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 }))

describe("a calendar", () => {
  it("opens and closes by its own clock, earlier on half days", () => {
    assert.strictEqual(Calendar.opensAt(january, "2024-01-19"), utc("2024-01-19T03:45"))
    assert.strictEqual(Calendar.closesAt(january, "2024-01-19"), utc("2024-01-19T10:00"))
    assert.strictEqual(Calendar.closesAt(january, "2024-01-20"), utc("2024-01-20T06:30"))
  })

  it("has a pre-market and a post-market around its sessions, shorter on half days", () => {
    assert.strictEqual(Calendar.opensAt(january, "2024-01-20", "extended"), utc("2024-01-20T03:30"))
    assert.strictEqual(Calendar.closesAt(january, "2024-01-19", "extended"), utc("2024-01-19T10:30"))
    assert.strictEqual(Calendar.closesAt(january, "2024-01-20", "extended"), utc("2024-01-20T07:00"))
  })

  it("without extended hours keeps its regular ones", () => {
    const { extended: _, ...regular } = january
    assert.strictEqual(Calendar.opensAt(regular, "2024-01-20", "extended"), Calendar.opensAt(regular, "2024-01-20"))
    assert.strictEqual(Calendar.closesAt(regular, "2024-01-20", "extended"), Calendar.closesAt(regular, "2024-01-20"))
  })

  it.prop("has exactly the sessions of a range that are sessions one by one", { a: Days, b: Days }, ({ a, b }) => {
    const dates = Array.from({ length: Math.max(0, b - a + 1) }, (_, index) => dateOf(a + index))
    assert.deepStrictEqual(
      Calendar.sessionsBetween(january, dateOf(a), dateOf(b)),
      dates.filter((date) => Calendar.isSession(january, date))
    )
  })

  it("that never closes has every day, from midnight to midnight", () => {
    const { continuous } = Calendar
    assert.deepStrictEqual(Calendar.sessionsBetween(continuous, "2024-02-28", "2024-03-02"), [
      "2024-02-28",
      "2024-02-29",
      "2024-03-01",
      "2024-03-02"
    ])
    assert.strictEqual(Calendar.opensAt(continuous, "2024-02-29"), utc("2024-02-29"))
    assert.strictEqual(Calendar.closesAt(continuous, "2024-02-29"), utc("2024-03-01"))
  })

  it("whose data is not right says so", () => {
    const { problem } = Calendar
    assert.isUndefined(problem(january))
    assert.isUndefined(problem(Calendar.continuous))
    assert.match(problem({ ...january, zone: "Asia/Calcuta" })!, /^"Asia\/Calcuta" is not a time zone/)
    assert.strictEqual(problem({ ...january, open: "9:15" }), "\"9:15\" is not a time of day, as in 09:30.")
    assert.strictEqual(
      problem({ ...january, holidays: new Set(["2024-01-32"]) }),
      "\"2024-01-32\" is not a date, as in 2013-10-04."
    )
    assert.strictEqual(
      problem({ ...january, last: "2023-12-31" }),
      "Its last date, 2023-12-31, is before its first, 2024-01-01."
    )
    assert.strictEqual(
      problem({ ...january, close: "09:15" }),
      "It closes at 09:15, not after it opens at 09:15."
    )
    assert.strictEqual(
      problem({ ...january, earlyCloses: new Map([["2024-01-20", "09:00"]]) }),
      "It closes at 09:00, not after it opens at 09:15."
    )
    assert.strictEqual(
      problem({ ...january, extended: { open: "09:30", close: "16:00", earlyClose: "12:30" } }),
      "Its extended hours, from 09:30, do not begin before its regular ones."
    )
    assert.strictEqual(
      problem({ ...january, extended: { open: "09:00", close: "15:00", earlyClose: "12:30" } }),
      "Its extended hours end at 15:00, before its regular ones at 15:30."
    )
    assert.strictEqual(
      problem({ ...january, extended: { open: "09:00", close: "16:00", earlyClose: "11:30" } }),
      "Its extended hours end at 11:30, before its regular ones at 12:00."
    )
  })
})
