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
