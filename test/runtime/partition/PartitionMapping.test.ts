import { describe, expect, it } from "@effect/vitest"
import { nyse } from "../../../src/assets/nyse.ts"
import type * as PartitionKey from "../../../src/runtime/partition/PartitionKey.ts"
import * as PartitionMapping from "../../../src/runtime/partition/PartitionMapping.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../../src/runtime/partition/PartitionSet.ts"

const symbol = Partitions.dynamic("symbols")
const session = Partitions.sessions(nyse, { start: "2013-01-02" })
const months = (endOffset: number) => Partitions.monthly({ zone: nyse.zone, start: "2013-01", endOffset })
const universe: Partitions.Universe = {
  now: Date.parse("2013-12-15T00:00:00Z"),
  members: { symbols: [{ value: "IBM", from: "2013-11-26" }, { value: "SPY", from: "2013-11-20", to: "2013-12-05" }] }
}
const bySession = Partitions.space({ symbol, session }, universe)
const byMonth = Partitions.space({ symbol, month: months(0) }, universe)
const byOpenMonth = Partitions.space({ symbol, month: months(1) }, universe)

const containing = { symbol: PartitionMapping.from("symbol"), month: PartitionMapping.containing("session") }
const overlapping = { symbol: PartitionMapping.from("symbol"), session: PartitionMapping.overlapping("month") }

const one = (space: Partitions.Space, key: PartitionKey.PartitionKey) => PartitionSet.fromKeys(space, [key])
const texts = (set: PartitionSet.PartitionSet) => [...PartitionSet.texts(set)]

describe("months and sessions", () => {
  it("a session reads the month that contains it", () => {
    const found = PartitionMapping.upstream(
      containing,
      byMonth,
      one(bySession, { symbol: "IBM", session: "2013-11-29" })
    )
    expect(texts(found.keys)).toEqual(["symbol=IBM,month=2013-11"])
    expect(texts(found.missing)).toEqual([])
  })

  it("a month that does not exist yet makes its readers missing, and is named", () => {
    const key = { symbol: "IBM", session: "2013-12-13" }
    const found = PartitionMapping.upstream(containing, byMonth, one(bySession, key))
    expect(texts(found.keys)).toEqual([])
    expect(texts(found.missing)).toEqual(["symbol=IBM,session=2013-12-13"])
    expect(PartitionMapping.explain(containing, byMonth, bySession, key)).toBe("month=2013-12")
  })

  it("a month reads the sessions that overlap it, as far as the symbol lives", () => {
    const found = PartitionMapping.upstreamOf(overlapping, bySession, byMonth, { symbol: "IBM", month: "2013-11" })
    expect(found.map(({ session }) => session)).toEqual(["2013-11-26", "2013-11-27", "2013-11-29"])
  })

  it("a month that goes on needs sessions that are still to come, unless they may be skipped", () => {
    const december = one(byOpenMonth, { symbol: "IBM", month: "2013-12" })
    const strict = PartitionMapping.upstream(overlapping, bySession, december)
    expect(texts(strict.missing)).toEqual(["symbol=IBM,month=2013-12"])
    const lenient = { ...overlapping, session: PartitionMapping.overlapping("month", { missing: "skip" }) }
    expect(texts(PartitionMapping.upstream(lenient, bySession, december).missing)).toEqual([])
  })

  it("up and down again comes back: the sessions of a month are those that read it", () => {
    for (const key of PartitionSet.keys(PartitionSet.all(bySession))) {
      const up = PartitionMapping.upstream(containing, byOpenMonth, one(bySession, key)).keys
      expect(PartitionSet.size(up)).toBe(1)
      expect(PartitionSet.contains(PartitionMapping.downstream(containing, bySession, up), key)).toBe(true)
    }
  })
})
