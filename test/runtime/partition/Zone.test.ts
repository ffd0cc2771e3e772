import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Temporal } from "temporal-polyfill"
import * as Zone from "../../../src/runtime/partition/Zone.ts"

const zone = (name: string): Zone.Zone => Result.getOrThrow(Zone.make(name))

const utc = (text: string): number => Date.parse(`${text}Z`)

const iso = (instant: number): string => new Date(instant).toISOString().slice(0, 16)

const names = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Asia/Kolkata",
  "Australia/Lord_Howe",
  "Africa/Casablanca",
  "America/Nuuk",
  "America/Recife",
  "Asia/Kathmandu",
  "Pacific/Apia"
]

const Instants = Schema.Int.check(Schema.isBetween({ minimum: utc("1970-01-01"), maximum: utc("2060-01-01") }))

describe("a zone", () => {
  it("that the runtime does not know is answered with a sentence", () => {
    assert.deepStrictEqual(
      Zone.make("Europe/Berlln"),
      Result.fail(
        "\"Europe/Berlln\" is not a time zone; zones are named as in Europe/Berlin, America/New_York or UTC."
      )
    )
  })

  it.prop("has the offset that an independent library says", { instant: Instants }, ({ instant }) => {
    for (const name of names) {
      const expected = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(name).offsetNanoseconds / 1e6
      assert.strictEqual(Zone.offsetAt(zone(name), instant), expected, `${name} ${iso(instant)}`)
    }
  })

  it.prop("turns an instant into local time and back", { instant: Instants }, ({ instant }) => {
    for (const name of names) {
      const local = Zone.toLocal(zone(name), instant)
      const occurrence = Zone.isRepeat(zone(name), instant) ? "later" : "earlier"
      assert.strictEqual(Zone.toInstant(zone(name), local, occurrence), instant, `${name} ${iso(instant)}`)
    }
  })

  it("knows the week of summer time that the north-east of Brazil had in 2000", () => {
    const recife = zone("America/Recife")
    const hours = ["2000-10-08T02:59", "2000-10-08T03:00", "2000-10-15T01:59", "2000-10-15T02:00"]
      .map((text) => Zone.offsetAt(recife, utc(text)) / 3_600_000)
    assert.deepStrictEqual(hours, [-3, -2, -2, -3])
  })

  it("reads a repeated local time as either of two instants", () => {
    const berlin = zone("Europe/Berlin")
    const local = utc("2013-10-27T02:30")
    assert.strictEqual(iso(Zone.toInstant(berlin, local, "earlier")), "2013-10-27T00:30")
    assert.strictEqual(iso(Zone.toInstant(berlin, local, "later")), "2013-10-27T01:30")
    assert.isFalse(Zone.isRepeat(berlin, utc("2013-10-27T00:30")))
    assert.isTrue(Zone.isRepeat(berlin, utc("2013-10-27T01:30")))
    assert.isFalse(Zone.isRepeat(berlin, utc("2013-10-27T02:00")))
  })

  it("reads a local time that clocks jumped over as the end of the jump", () => {
    const end = (name: string, local: string) => iso(Zone.toInstant(zone(name), utc(local), "earlier"))
    assert.strictEqual(end("Europe/Berlin", "2013-03-31T02:00"), "2013-03-31T01:00")
    assert.strictEqual(end("Europe/Berlin", "2013-03-31T02:59"), "2013-03-31T01:00")
    assert.strictEqual(end("Australia/Lord_Howe", "2013-10-06T02:10"), "2013-10-05T15:30")
    assert.strictEqual(end("Pacific/Apia", "2011-12-30T12:00"), "2011-12-30T10:00")
    assert.strictEqual(
      Zone.toInstant(zone("Europe/Berlin"), utc("2013-03-31T02:30"), "later"),
      utc("2013-03-31T01:00")
    )
  })

  it("tells an instant until which its offset holds, never past a change", () => {
    const berlin = zone("Europe/Berlin")
    let at = utc("2012-01-01")
    const changes: Array<string> = []
    while (at < utc("2013-10-27T01:00")) {
      const until = Zone.offsetHoldsUntil(berlin, at)
      assert.strictEqual(Zone.offsetAt(berlin, until - 1), Zone.offsetAt(berlin, at))
      if (Zone.offsetAt(berlin, until) !== Zone.offsetAt(berlin, at)) changes.push(iso(until))
      at = until
    }
    assert.deepStrictEqual(changes, ["2012-03-25T01:00", "2012-10-28T01:00", "2013-03-31T01:00", "2013-10-27T01:00"])
  })
})

describe("local times", () => {
  it("are read from a month, a date, or a date and time", () => {
    const read = (text: string) => Zone.parseLocal(text)
    assert.strictEqual(read("2013-10"), utc("2013-10-01"))
    assert.strictEqual(read("2012-02-29"), utc("2012-02-29"))
    assert.strictEqual(read("2013-10-04T09:30"), utc("2013-10-04T09:30"))
    assert.strictEqual(read("2013-10-04 09:30"), utc("2013-10-04T09:30"))
  })

  it("are not read from what no calendar or clock has", () => {
    for (
      const text of ["2013", "2013-13", "2013-02-29", "2013-10-04T24:00", "2013-10-04T09:60", "today", "2013-1-1", ""]
    ) {
      assert.isUndefined(Zone.parseLocal(text), text)
    }
  })

  it("are told apart by their offset", () => {
    const hour = 3_600_000
    assert.deepStrictEqual([0, 5.5, -5, 10.5, -0.25].map((hours) => Zone.formatOffset(hours * hour)), [
      "+00:00",
      "+05:30",
      "-05:00",
      "+10:30",
      "-00:15"
    ])
  })
})
