import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { nyse } from "../../src/assets/nyse.ts"
import * as Calendar from "../../src/runtime/partition/Calendar.ts"

const fixture = new URL("../fixtures/calendar/xnys-1998-2023.csv", import.meta.url)
const published = Fs.readFileSync(fixture, "utf8").trim().split("\n").slice(1).map((line) => {
  const [session, close] = line.split(",") as [string, string]
  return { session, close }
})
const lastPublished = published.at(-1)!.session

const time = (millis: number): string =>
  new Intl.DateTimeFormat("en-GB", { timeZone: nyse.zone, hour: "2-digit", minute: "2-digit" }).format(millis)

const DAY = 86_400_000

const iso = (date: number): string => new Date(date).toISOString().slice(0, 10)

/** The nth weekday (0 is Sunday) of a month; the last one when n is -1. */
const nth = (year: number, month: number, weekday: number, n: number): number => {
  if (n < 0) return nth(year, month + 1, weekday, 1) - 7 * DAY
  const first = Date.UTC(year, month - 1)
  return first + (((weekday - new Date(first).getUTCDay() + 7) % 7) + 7 * (n - 1)) * DAY
}

/** Gregorian, by the method of Butcher. */
const easter = (year: number): number => {
  const [a, b, c] = [year % 19, Math.floor(year / 100), year % 100]
  const h = (19 * a + b - Math.floor(b / 4) - Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3) + 15) % 30
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7
  const m = Math.floor((a + 11 * h + 22 * l) / 451)
  return Date.UTC(year, 2, h + l - 7 * m + 22)
}

/** Saturday's holiday is kept on Friday, Sunday's on Monday. */
const observed = (date: number): number => date + [DAY, 0, 0, 0, 0, 0, -DAY][new Date(date).getUTCDay()]!

/** The exchange's rule 7.2; New Year's Day is not kept on the Friday of the old year. */
const ruledHolidays = (year: number): ReadonlyArray<string> =>
  [
    observed(Date.UTC(year, 0, 1)),
    nth(year, 1, 1, 3),
    nth(year, 2, 1, 3),
    easter(year) - 2 * DAY,
    nth(year, 5, 1, -1),
    ...(year >= 2022 ? [observed(Date.UTC(year, 5, 19))] : []),
    observed(Date.UTC(year, 6, 4)),
    nth(year, 9, 1, 1),
    nth(year, 11, 4, 4),
    observed(Date.UTC(year, 11, 25))
  ].map(iso).filter((date) => date.startsWith(String(year)))

/** The days before Independence Day and Christmas and the one after Thanksgiving, where they are sessions. */
const ruledHalfDays = (year: number): ReadonlyArray<string> => {
  const eves = [Date.UTC(year, 6, 3), Date.UTC(year, 11, 24)]
    .filter((date) => [1, 2, 3, 4].includes(new Date(date).getUTCDay()))
  return [...eves, nth(year, 11, 4, 4) + DAY].map(iso).sort()
}

const mourningAndStorms =
  "2001-09-11 2001-09-12 2001-09-13 2001-09-14 2004-06-11 2007-01-02 2012-10-29 2012-10-30 2018-12-05 2025-01-09"
    .split(" ")

describe("the NYSE calendar", () => {
  it("has exactly the sessions that were held from 1998 to January 2023", () => {
    assert.strictEqual(lastPublished, "2023-01-13")
    const sessions = Calendar.sessionsBetween(nyse, "1998-01-01", lastPublished)
    assert.deepStrictEqual(sessions, published.map(({ session }) => session))
  })

  it("closes every one of them when the exchange did", () => {
    for (const { close, session } of published) assert.strictEqual(Calendar.closingTime(nyse, session), close, session)
  })

  it("has no early close on a day without a session", () => {
    for (const date of nyse.earlyCloses.keys()) assert.isTrue(Calendar.isSession(nyse, date), date)
  })

  it("keeps the holidays of the exchange's rules, and closed for mourning and storms", () => {
    for (let year = 1998; year <= 2028; year++) {
      const inYear = (date: string) => date.startsWith(String(year))
      const expected = [...ruledHolidays(year), ...mourningAndStorms.filter(inYear)].sort()
      assert.deepStrictEqual([...nyse.holidays].filter(inYear).sort(), expected)
    }
  })

  it("has had the half days of the exchange's rules since 2014", () => {
    for (let year = 2014; year <= 2028; year++) {
      const found = [...nyse.earlyCloses.keys()].filter((date) => date.startsWith(String(year))).sort()
      assert.deepStrictEqual(found, ruledHalfDays(year))
    }
  })

  it("has no holiday on a weekend", () => {
    for (const date of nyse.holidays) assert.include([1, 2, 3, 4, 5], new Date(`${date}T00:00:00Z`).getUTCDay(), date)
  })

  it("is closed on the days of mourning of 2018 and 2025", () => {
    assert.isFalse(Calendar.isSession(nyse, "2018-12-05"))
    assert.isFalse(Calendar.isSession(nyse, "2025-01-09"))
  })

  it("opens and closes by New York's clock in summer and in winter", () => {
    for (const session of ["2024-07-02", "2024-12-23"]) {
      assert.strictEqual(time(Calendar.opensAt(nyse, session)), "09:30")
      assert.strictEqual(time(Calendar.closesAt(nyse, session)), "16:00")
    }
    assert.strictEqual(time(Calendar.closesAt(nyse, "2024-12-24")), "13:00")
  })

  it("has a pre-market from 04:00 and a post-market until 20:00, on half days until 17:00", () => {
    assert.strictEqual(time(Calendar.opensAt(nyse, "2024-12-24", "extended")), "04:00")
    assert.strictEqual(time(Calendar.closesAt(nyse, "2024-12-23", "extended")), "20:00")
    assert.strictEqual(time(Calendar.closesAt(nyse, "2024-12-24", "extended")), "17:00")
  })

  it("is a calendar whose data is right", () => {
    assert.isUndefined(Calendar.problem(nyse))
  })

  it("has no early close on the Sunday of 2017 that a source of it lists, and those of 1998 that it lacks", () => {
    assert.isFalse(nyse.earlyCloses.has("2017-12-24"))
    assert.isTrue(nyse.earlyCloses.has("1998-12-24"))
  })

  it("keeps about 252 sessions and at most four half days in every year up to 2028", () => {
    for (let year = 1998; year <= 2028; year++) {
      const { length } = Calendar.sessionsBetween(nyse, `${year}-01-01`, `${year}-12-31`)
      assert.isTrue(length >= 248 && length <= 254, `${year}: ${length}`)
      const halfDays = [...nyse.earlyCloses.keys()].filter((date) => date.startsWith(String(year)))
      assert.isTrue(halfDays.length <= 4, `${year}: ${halfDays.length}`)
    }
  })

  it("has no session outside of the years it covers", () => {
    assert.deepStrictEqual(Calendar.sessionsBetween(nyse, "1997-12-01", "1998-01-02"), ["1998-01-02"])
    assert.isFalse(Calendar.isSession(nyse, "2029-01-02"))
  })
})
