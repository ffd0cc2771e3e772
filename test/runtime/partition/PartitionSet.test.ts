import { describe, expect, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as PartitionKey from "../../../src/runtime/partition/PartitionKey.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as PartitionSelector from "../../../src/runtime/partition/PartitionSelector.ts"
import * as PartitionSet from "../../../src/runtime/partition/PartitionSet.ts"

const ODD = ["a,b", "a;b", "a=b", "a..b", ".", "..", "a.", ".b", "*", "%", "%2c", " a", "a ", " ", "é", "\t", "a\u2003"]
const universe: Partitions.Universe = {
  now: Date.parse("2024-03-01T00:00:00Z"),
  members: {
    names: [{ value: "x" }, { value: "y", from: "2024-01-05", to: "2024-02-01" }, { value: "z..", to: "2024-01-09" }]
  }
}
const odd = Partitions.statics(ODD)
const name = Partitions.dynamic("names")
const day = Partitions.daily({ start: "2024-01-01", exclude: ["2024-01-07"] })
const spaces = [{}, { odd }, { name }, { day }, { odd, name }, { day, name }, { odd, day, name }]
  .map((dimensions) => Partitions.space(dimensions, universe))

const At = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9999 }))
const Space = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: spaces.length - 1 }))
const Picks = Schema.Array(Schema.Tuple([At, At])).check(Schema.isMaxLength(6))

const setOf = (space: Partitions.Space, picks: typeof Picks.Type): PartitionSet.PartitionSet => {
  const whole = PartitionSet.all(space)
  return PartitionSet.unionAll(
    space,
    picks.map(([skip, take]) => PartitionSet.slice(whole, skip % PartitionSet.size(whole), take % 40))
  )
}

const back = (set: PartitionSet.PartitionSet) =>
  Result.getOrThrow(PartitionSelector.toSet(PartitionSet.toText(set), set.space))

describe("a partition set", () => {
  it.prop("is read back from its text", { at: Space, picks: Picks }, ({ at, picks }) => {
    const set = setOf(spaces[at]!, picks)
    expect(back(set).cells).toEqual(set.cells)
  }, { arbitrary: { runs: 300 } })

  it("is read back when it is empty, whole, or the only partition", () => {
    for (const space of spaces) {
      for (const set of [PartitionSet.none(space), PartitionSet.all(space)]) expect(back(set).cells).toEqual(set.cells)
    }
    expect(PartitionSet.toText(PartitionSet.all(spaces[0]!))).toBe("*")
    expect(PartitionSet.toText(PartitionSet.none(spaces[1]!))).toBe("")
  })

  it("is read back value by value, whatever characters it has", () => {
    for (const value of ODD) {
      const set = PartitionSet.fromKeys(spaces[1]!, [{ odd: value }])
      expect([...PartitionSet.keys(back(set))]).toEqual([{ odd: value }])
      expect(PartitionKey.fromText(PartitionKey.toText({ odd: value }))).toEqual({ odd: value })
    }
  })

  it.prop("holds the keys that it iterates, ranked in that order", { at: Space, picks: Picks }, ({ at, picks }) => {
    const set = setOf(spaces[at]!, picks)
    const keys = [...PartitionSet.keys(set)]
    expect([...PartitionSet.texts(set)]).toEqual(keys.map(PartitionKey.toText))
    expect(keys.map((key) => PartitionSet.rank(set, key))).toEqual(keys.map((_, index) => index))
    expect(PartitionSet.fromKeys(set.space, keys.reverse()).cells).toEqual(set.cells)
    expect(PartitionSet.contains(set, { ...keys[0], odd: "no", day: "no", name: "no" })).toBe(
      set.space.names.length === 0 && keys.length > 0
    )
  }, { arbitrary: { runs: 60 } })

  it("of a million keys has a short text", () => {
    const symbols = Array.from({ length: 500 }, (_, at) => ({ value: `S${at}` }))
    const space = Partitions.space(
      { symbol: Partitions.dynamic("many"), day: Partitions.daily({ start: "2018-09-11" }) },
      { now: universe.now, members: { many: symbols } }
    )
    const all = PartitionSet.all(space)
    expect(PartitionSet.size(all)).toBe(999_000)
    expect(PartitionSet.toText(all)).toBe("symbol=S0..S499,day=2018-09-11..2024-02-29")
    const holed = PartitionSet.difference(all, PartitionSet.fromKeys(space, [{ symbol: "S7", day: "2020-01-01" }]))
    expect(PartitionSet.toText(holed).length).toBeLessThan(200)
    expect(PartitionSet.equals(back(holed), holed)).toBe(true)
    expect(PartitionSet.equals(back(holed), all)).toBe(false)
  })
})
