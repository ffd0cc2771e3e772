/**
 * Mappings of sets, mappings of single keys, and the definition say the same, in both directions, for every kind of
 * entry between 1 to 3 dimensions of any grain and zone. `LAWS=5000 npx vitest run …` looks longer.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as PartitionKey from "../../../src/runtime/partition/PartitionKey.ts"
import * as PartitionMapping from "../../../src/runtime/partition/PartitionMapping.ts"
import * as PartitionSet from "../../../src/runtime/partition/PartitionSet.ts"
import * as RandomMapping from "../../support/RandomMapping.ts"

const arbitrary = { runs: Number(process.env["LAWS"] ?? 150) }

const number = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 }))
const some = Schema.Array(number).check(Schema.isMinLength(1), Schema.isMaxLength(3))
const Drawn = Schema.Struct({
  universe: number,
  down: some,
  up: some,
  entries: Schema.Tuple([number, number, number])
})
const input = { drawn: Drawn, skip: number, take: number }

/** Keys of a set, at most 24, spread over it. */
const sample = (set: PartitionSet.PartitionSet): ReadonlyArray<PartitionKey.PartitionKey> => {
  const step = Math.max(1, Math.floor(PartitionSet.size(set) / 24))
  return [...PartitionSet.keys(set)].filter((_, at) => at % step === 0)
}

const texts = (keys: Iterable<PartitionKey.PartitionKey>): ReadonlyArray<string> =>
  [...keys].map(PartitionKey.toText).sort()

const part = (drawn: RandomMapping.Case, skip: number, take: number): PartitionSet.PartitionSet => {
  const whole = PartitionSet.all(drawn.down)
  const cut = PartitionSet.slice(whole, skip % Math.max(1, PartitionSet.size(whole)), take % 60)
  return take % 3 === 0 ? PartitionSet.difference(whole, cut) : cut
}

describe("a mapping", () => {
  it.prop("of one key is what the definition says", input, ({ drawn }) => {
    const one = RandomMapping.caseOf(drawn)
    for (const key of sample(PartitionSet.all(one.down))) {
      const model = RandomMapping.modelOf(one, key)
      expect(texts(PartitionMapping.upstreamOf(one.mapping, one.up, one.down, key))).toEqual(texts(model.keys))
      const found = PartitionMapping.upstream(one.mapping, one.up, PartitionSet.fromKeys(one.down, [key]))
      expect(texts(PartitionSet.keys(found.keys))).toEqual(texts(model.keys))
      expect(PartitionSet.size(found.missing) === 1).toBe(model.isMissing)
    }
  }, { arbitrary })

  it.prop("of a set is the union over its keys", input, ({ drawn, skip, take }) => {
    const one = RandomMapping.caseOf(drawn)
    const set = part(one, skip, take)
    const found = PartitionMapping.upstream(one.mapping, one.up, set)
    const keys = [...PartitionSet.keys(set)]
    const single = keys.map((key) => PartitionMapping.upstreamOf(one.mapping, one.up, one.down, key))
    expect(found.keys.cells).toEqual(PartitionSet.fromKeys(one.up, single.flat()).cells)
    const missing = keys.filter((key) => {
      const own = PartitionMapping.upstream(one.mapping, one.up, PartitionSet.fromKeys(one.down, [key])).missing
      return !PartitionSet.isEmpty(own)
    })
    expect(found.missing.cells).toEqual(PartitionSet.fromKeys(one.down, missing).cells)
  }, { arbitrary })

  it.prop("back down is the exact converse", input, ({ drawn, skip, take }) => {
    const one = RandomMapping.caseOf(drawn)
    const { keys } = PartitionMapping.upstream(one.mapping, one.up, part(one, skip, take))
    const read = PartitionMapping.downstream(one.mapping, one.down, keys)
    const readers = [...PartitionSet.keys(PartitionSet.all(one.down))].filter((key) =>
      PartitionMapping.upstreamOf(one.mapping, one.up, one.down, key).some((up) => PartitionSet.contains(keys, up))
    )
    expect(read.cells).toEqual(PartitionSet.fromKeys(one.down, readers).cells)
  }, { arbitrary })

  it.prop("explains what is missing by something that does not exist", input, ({ drawn }) => {
    const one = RandomMapping.caseOf(drawn)
    const { missing } = PartitionMapping.upstream(one.mapping, one.up, PartitionSet.all(one.down))
    for (const key of sample(missing)) {
      const text = PartitionMapping.explain(one.mapping, one.up, one.down, key)
      if (/^any \w+( at the start of .+)?$/.test(text)) continue
      const named = PartitionKey.fromText(text)
      const [name, ...rest] = Object.keys(named)
      const axis = one.up.axes[one.up.names.indexOf(name!)]!
      const exists = rest.length === 0 && one.up.names.length > 1
        ? axis.indexOf(named[name!]!) >= 0
        : PartitionSet.contains(PartitionSet.all(one.up), named)
      expect([text, exists]).toEqual([text, false])
    }
  }, { arbitrary })
})
