import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Cron from "../../../src/runtime/partition/Cron.ts"
import * as Zone from "../../../src/runtime/partition/Zone.ts"

const zone = (name: string): Zone.Zone => Result.getOrThrow(Zone.make(name))

const cron = (text: string): Cron.Cron => Result.getOrThrow(Cron.parse(text))

const utc = (text: string): number => Date.parse(`${text}Z`)

const iso = (instant: number): string => new Date(instant).toISOString().slice(0, 16)

const ticks = (text: string, name: string, from: string, to: string): ReadonlyArray<string> =>
  Cron.ticks(cron(text), zone(name), utc(from), utc(to)).map(iso)

const error = (text: string): string => {
  const parsed = Cron.parse(text)
  return Result.isFailure(parsed) ? parsed.failure : "no error"
}

describe("a cron that cannot be", () => {
  it("is answered with the field that is wrong", () => {
    assert.strictEqual(
      error("61 * * * *"),
      "The minute \"61\" of the cron \"61 * * * *\" is wrong: expected a value between 0 and 59."
    )
    assert.strictEqual(
      error("31  31 * * *"),
      "The hour \"31\" of the cron \"31 31 * * *\" is wrong: expected a value between 0 and 23."
    )
    assert.match(error("0 0 */0 * *"), /^The day of month "\*\/0" of the cron .* greater than 0\.$/)
    assert.match(error("0 0 * foo *"), /^The month "foo" of the cron .* expected a positive integer\.$/)
    assert.match(error("0 0 * * mon-sun"), /^The day of week "mon-sun" of the cron .* invalid value range\.$/)
  })

  it("is answered with the number of its fields", () => {
    const five = "minute, hour, day of month, month, day of week."
    assert.strictEqual(error("* * *"), `The cron "* * *" has 3 fields, not five: ${five}`)
    assert.strictEqual(error("0 0 0 * * *"), `The cron "0 0 0 * * *" has 6 fields, not five: ${five}`)
    assert.strictEqual(error(""), `The cron "" has 0 fields, not five: ${five}`)
  })

  it("is answered with the names there are", () => {
    assert.match(error("@dayly"), /^"@dayly" is not a cron; the names there are: @hourly, @daily, /)
  })

  it("is one whose months never have its day", () => {
    for (const text of ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30 2 */2", "0 0 30,31 feb *"]) {
      assert.strictEqual(error(text), `The cron "${text}" never ticks: none of its months has such a day.`)
    }
    assert.deepStrictEqual(ticks("0 0 30 2 1", "UTC", "2024-02-01", "2024-02-14"), [
      "2024-02-05T00:00",
      "2024-02-12T00:00"
    ])
  })
})

describe("the ticks of a cron", () => {
  it("fall on either day when day of month and day of week are both restricted", () => {
    const both = ticks("0 0 13 * 5", "UTC", "2024-09-01", "2024-10-01")
    assert.deepStrictEqual(both, ["06", "13", "20", "27"].map((day) => `2024-09-${day}T00:00`))
    assert.deepStrictEqual(ticks("0 0 15 * 1", "UTC", "2024-09-14", "2024-09-17"), [
      "2024-09-15T00:00",
      "2024-09-16T00:00"
    ])
  })

  it("fall on days that match both when one of the fields begins with a star", () => {
    assert.deepStrictEqual(ticks("0 0 */2 * 5", "UTC", "2024-09-01", "2024-10-01"), [
      "2024-09-13T00:00",
      "2024-09-27T00:00"
    ])
  })

  it("have names", () => {
    const week = (text: string) => ticks(text, "UTC", "2024-09-01", "2024-09-08")
    assert.deepStrictEqual(week("@daily"), week("0 0 * * *"))
    assert.deepStrictEqual(week("@WEEKLY"), ["2024-09-01T00:00"])
    assert.strictEqual(week("@hourly").length, 7 * 24)
    assert.deepStrictEqual(ticks("@monthly", "UTC", "2024-01-01", "2024-03-02"), [
      "2024-01-01T00:00",
      "2024-02-01T00:00",
      "2024-03-01T00:00"
    ])
    assert.deepStrictEqual(ticks("@yearly", "UTC", "2024-01-01", "2025-01-01"), ["2024-01-01T00:00"])
  })

  it("are in [from, to)", () => {
    assert.deepStrictEqual(ticks("0 0 * * *", "Asia/Kolkata", "2024-01-01T18:30", "2024-01-03T18:30"), [
      "2024-01-01T18:30",
      "2024-01-02T18:30"
    ])
  })

  it("at a fixed hour fire once, and later, where the local time is repeated", () => {
    assert.deepStrictEqual(ticks("30 2 * * *", "Europe/Berlin", "2013-10-26", "2013-10-29"), [
      "2013-10-26T00:30",
      "2013-10-27T01:30",
      "2013-10-28T01:30"
    ])
    assert.deepStrictEqual(ticks("45 1 * * *", "Australia/Lord_Howe", "2013-04-05T12:00", "2013-04-07T12:00"), [
      "2013-04-05T14:45",
      "2013-04-06T15:15"
    ])
  })

  it("at a fixed hour move to the end of the jump where the local time is jumped over", () => {
    assert.deepStrictEqual(ticks("30 2 * * *", "Europe/Berlin", "2013-03-30", "2013-04-01T12:00"), [
      "2013-03-30T01:30",
      "2013-03-31T01:00",
      "2013-04-01T00:30"
    ])
    assert.deepStrictEqual(ticks("15 2 * * *", "Australia/Lord_Howe", "2013-10-05T00:00", "2013-10-06T15:00"), [
      "2013-10-05T15:30"
    ])
  })

  it("are one where several fall onto the end of a jump", () => {
    assert.deepStrictEqual(ticks("0,15,30,45 2,3 * * *", "America/New_York", "2013-03-10", "2013-03-11"), [
      "2013-03-10T07:00",
      "2013-03-10T07:15",
      "2013-03-10T07:30",
      "2013-03-10T07:45"
    ])
    assert.deepStrictEqual(ticks("0 0 * * *", "Pacific/Apia", "2011-12-29", "2012-01-01"), [
      "2011-12-29T10:00",
      "2011-12-30T10:00",
      "2011-12-31T10:00"
    ])
  })

  it("of every hour go on in real time through a repeated hour and a jump", () => {
    assert.deepStrictEqual(ticks("30 * * * *", "America/New_York", "2013-11-03T04:00", "2013-11-03T08:00"), [
      "2013-11-03T04:30",
      "2013-11-03T05:30",
      "2013-11-03T06:30",
      "2013-11-03T07:30"
    ])
    assert.deepStrictEqual(ticks("*/30 * * * *", "Australia/Lord_Howe", "2013-10-05T15:00", "2013-10-05T16:31"), [
      "2013-10-05T15:00",
      "2013-10-05T15:30",
      "2013-10-05T16:00",
      "2013-10-05T16:30"
    ])
    assert.deepStrictEqual(ticks("0 * * * *", "Australia/Lord_Howe", "2013-10-05T14:00", "2013-10-05T18:00"), [
      "2013-10-05T14:30",
      "2013-10-05T16:00",
      "2013-10-05T17:00"
    ])
  })

  it("of a leap day are found across a century without one", () => {
    const sunday = cron("0 0 29 2 */7")
    assert.strictEqual(iso(Cron.next(sunday, zone("UTC"), utc("2072-03-01"))), "2088-02-29T00:00")
    assert.strictEqual(iso(Cron.next(sunday, zone("UTC"), utc("2088-03-01"))), "2128-02-29T00:00")
    assert.strictEqual(iso(Cron.previous(sunday, zone("UTC"), utc("2128-02-29"))), "2088-02-29T00:00")
  })
})

const Texts = Schema.Literals([
  "0 * * * *",
  "*/15 * * * *",
  "30 2 * * *",
  "30 1,2,3 * * *",
  "0 */6 * * *",
  "0 0 * * 1-5",
  "15 2 1,15 * *",
  "0 12 31 * *",
  "0 3 29 2 *"
])
const Zones = Schema.Literals(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])

/** Days around changes of clocks, as often as others. */
const Instants = Schema.Union([
  Schema.Int.check(
    Schema.isBetween({ minimum: utc("2013-10-27") - 86_400_000, maximum: utc("2013-10-27") + 86_400_000 })
  ),
  Schema.Int.check(
    Schema.isBetween({ minimum: utc("2013-03-31") - 86_400_000, maximum: utc("2013-03-31") + 86_400_000 })
  ),
  Schema.Int.check(Schema.isBetween({ minimum: utc("2013-10-04"), maximum: utc("2013-10-07") })),
  Schema.Int.check(Schema.isBetween({ minimum: utc("1990-01-01"), maximum: utc("2040-01-01") }))
])

describe("next and previous", () => {
  it.prop("agree with the ticks between them", { text: Texts, name: Zones, at: Instants }, ({ at, name, text }) => {
    const [one, where] = [cron(text), zone(name)]
    const before = Cron.previous(one, where, at)
    const after = Cron.next(one, where, at)
    assert.isTrue(before < at && at < after)
    const expected = Cron.hasTick(one, where, at) ? [before, at, after] : [before, after]
    assert.deepStrictEqual(Cron.ticks(one, where, before, after + 1), expected)
    assert.isTrue(Cron.hasTick(one, where, before) && Cron.hasTick(one, where, after))
    assert.strictEqual(Cron.next(one, where, before), expected[1])
    assert.strictEqual(Cron.previous(one, where, after), expected.at(-2))
  })

  it.prop("lay ticks end to end", { text: Texts, name: Zones, at: Instants }, ({ at, name, text }) => {
    const [one, where, to] = [cron(text), zone(name), at + 40 * 86_400_000]
    const middle = at + 13 * 86_400_000 + 3_600_000
    const whole = Cron.ticks(one, where, at, to)
    assert.deepStrictEqual([...Cron.ticks(one, where, at, middle), ...Cron.ticks(one, where, middle, to)], whole)
    for (let i = 1; i < whole.length; i++) assert.isTrue(whole[i]! > whole[i - 1]!)
  })
})
