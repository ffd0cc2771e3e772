import { describe, expect, it } from "@effect/vitest"
import type { Calendar } from "../../../src/runtime/partition/Calendar.ts"
import * as PartitionKey from "../../../src/runtime/partition/PartitionKey.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../../src/runtime/partition/PartitionSet.ts"

const calendar: Calendar = {
  name: "XNYS",
  zone: "America/New_York",
  first: "2013-01-01",
  last: "2015-12-31",
  weekdays: [1, 2, 3, 4, 5],
  open: "09:30",
  close: "16:00",
  holidays: new Set(["2013-11-28", "2013-12-25"]),
  earlyCloses: new Map([["2013-11-29", "13:00"]])
}

const session = Partitions.sessions(calendar)

const valuesOf = (dimension: Partitions.Dimension, universe: Partitions.Universe): ReadonlyArray<string> => {
  const axis = Partitions.axisOf(dimension, universe)
  return Array.from({ length: axis.length }, (_, index) => axis.keyAt(index))
}
const everyText = (dimensions: Partitions.Dimensions, universe: Partitions.Universe): ReadonlyArray<string> => [
  ...PartitionSet.texts(PartitionSet.all(Partitions.space(dimensions, universe)))
]
const at = (instant: string, members: Partitions.Universe["members"] = {}): Partitions.Universe => ({
  now: Date.parse(instant),
  members
})

describe("sessions", () => {
  it("weekends and holidays are no sessions", () => {
    const found = valuesOf(session, at("2013-12-01T00:00:00Z")).filter((value) => value >= "2013-11-22")
    expect(found).toEqual(["2013-11-22", "2013-11-25", "2013-11-26", "2013-11-27", "2013-11-29"])
  })

  it("a session is there from its close on, half days earlier", () => {
    const last = (instant: string) => valuesOf(session, at(instant)).at(-1)
    expect(last("2013-11-29T17:59:59Z")).toBe("2013-11-27")
    expect(last("2013-11-29T18:00:00Z")).toBe("2013-11-29")
    expect(last("2013-12-02T20:59:59Z")).toBe("2013-11-29")
    expect(last("2013-12-02T21:00:00Z")).toBe("2013-12-02")
  })
})

describe("months", () => {
  const months = (endOffset: number) => Partitions.monthly({ zone: "America/New_York", start: "2013-11", endOffset })

  it("a month is there when it has ended where the exchange is", () => {
    expect(valuesOf(months(0), at("2014-01-01T04:59:59Z"))).toEqual(["2013-11"])
    expect(valuesOf(months(0), at("2014-01-01T05:00:00Z"))).toEqual(["2013-11", "2013-12"])
  })

  it("an end offset of one adds the month that goes on", () => {
    expect(valuesOf(months(1), at("2014-01-15T00:00:00Z"))).toEqual(["2013-11", "2013-12", "2014-01"])
  })
})

describe("products", () => {
  const dimensions = { symbol: Partitions.dynamic("symbols"), session }
  const universe = at("2013-11-30T00:00:00Z", {
    symbols: [{ value: "IBM", from: "2013-11-26" }, { value: "BRK/B", from: "2013-11-20", to: "2013-11-25" }]
  })

  it("a member has the sessions of its lifetime only", () => {
    expect(everyText(dimensions, universe)).toEqual([
      "symbol=IBM,session=2013-11-26",
      "symbol=IBM,session=2013-11-27",
      "symbol=IBM,session=2013-11-29",
      "symbol=BRK/B,session=2013-11-20",
      "symbol=BRK/B,session=2013-11-21",
      "symbol=BRK/B,session=2013-11-22",
      "symbol=BRK/B,session=2013-11-25"
    ])
  })

  it("a key is contained exactly when it is listed", () => {
    const listed = new Set(everyText(dimensions, universe))
    const all = PartitionSet.all(Partitions.space(dimensions, universe))
    for (const symbol of ["IBM", "BRK/B", "SPY"]) {
      for (const date of valuesOf(session, universe)) {
        const key = { symbol, session: date }
        expect(PartitionSet.contains(all, key)).toBe(listed.has(PartitionKey.toText(key)))
      }
    }
  })
})

describe("keys as text", () => {
  for (const symbol of ["IBM", "BRK/B", "a=b", "x,y", "50%", "a..b", "a;b", "...", "*", "EUR=X", "ü", "tab\t"]) {
    it(`${JSON.stringify(symbol)} survives`, () => {
      const key = { symbol, session: "2013-10-04" }
      expect(PartitionKey.fromText(PartitionKey.toText(key))).toEqual(key)
    })
  }
})
