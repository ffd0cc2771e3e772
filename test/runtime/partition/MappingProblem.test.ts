import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as PartitionMapping from "../../../src/runtime/partition/PartitionMapping.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"

const letter = Partitions.statics(["a", "b"])
const day = Partitions.daily({ start: "2024-01-01" })
const month = Partitions.monthly({ start: "2024-01" })
const { all, containing, from, listed, overlapping, specific } = PartitionMapping

/** As plain JavaScript would write it: the compiler does not look. */
const declared = (up: Partitions.Dimensions, mapping: unknown, down: Partitions.Dimensions) => {
  const raw: Asset.Any = Asset.make("raw", { partitions: up }, () => Effect.void)
  const dependency = mapping === undefined ? raw : Asset.mapped(raw, mapping as {})
  return () =>
    AssetGraph.make(Asset.make("bars", { partitions: down, deps: { raw: dependency as never } }, () => Effect.void))
}

const refusal = (up: Partitions.Dimensions, mapping: unknown, down: Partitions.Dimensions) => {
  try {
    declared(up, mapping, down)()
  } catch (error) {
    return error instanceof AssetGraph.DefinitionError ? error.message : error
  }
  return undefined
}

it("mappings that can be are accepted", () => {
  expect(refusal({ letter, month }, { letter: from("letter"), month: containing("day") }, { letter, day }))
    .toBeUndefined()
  expect(refusal({ day }, { day: overlapping("month", { startOffset: -1 }) }, { month })).toBeUndefined()
  expect(refusal({ letter }, { letter: specific("a", "b") }, {})).toBeUndefined()
  expect(refusal({ letter }, { letter: all }, { day })).toBeUndefined()
  expect(refusal({ letter, day }, undefined, { day, letter })).toBeUndefined()
})

it("each mapping that cannot be is refused with a sentence that names the two assets", () => {
  const cases: ReadonlyArray<readonly [Partitions.Dimensions, unknown, Partitions.Dimensions, string]> = [
    [{ letter }, { letter: from("word") }, { day }, `"letter" is mapped from "word", which this asset does not have`],
    [
      { letter, day },
      { letter: from("letter") },
      { letter },
      `nothing says where "day" comes from: map it with Asset.mapped(...)`
    ],
    [
      { letter },
      { letter: from("letter"), day: all },
      { letter },
      `its mapping names "day", which is none of its dimensions`
    ],
    [
      { month },
      { month: containing("letter") },
      { letter },
      `PartitionMapping.containing compares time windows, and "letter" is static partitions`
    ],
    [
      { letter },
      { letter: overlapping("day") },
      { day },
      `PartitionMapping.overlapping compares time windows, and "letter" is static partitions`
    ],
    [
      { letter },
      undefined,
      { day },
      `it is partitioned by "letter", and this asset is not: say with Asset.mapped(...) where it comes from`
    ],
    [
      { day },
      undefined,
      { day: month },
      `"day" is daily partitions there and monthly partitions here: say with Asset.mapped(...) where it comes from`
    ],
    [
      { s: Partitions.dynamic("x") },
      undefined,
      { s: Partitions.dynamic("y") },
      `"s" is the dynamic set "x" there and the dynamic set "y" here: say with Asset.mapped(...) where it comes from`
    ],
    [
      { day },
      { day: overlapping("day", { startOffset: 1 }) },
      { day },
      "the reading begins at offset 1, after its end at 0"
    ],
    [
      { day },
      { day: overlapping("day", { startOffset: -0.5 }) },
      { day },
      "the offsets -0.5 and 0 are not both whole numbers of windows"
    ],
    [{ letter }, { letter: specific("z") }, { day }, `"z" is not among the values of "letter"`],
    [
      { letter },
      { letter: listed("letter", { a: ["b", "y"] }) },
      { letter },
      `"y" is not among the values of "letter"`
    ],
    [{ letter }, { letter: "a" }, { day }, `what "letter" is mapped by was not made by PartitionMapping`]
  ]
  for (const [up, mapping, down, why] of cases) {
    expect(refusal(up, mapping, down)).toBe(`"bars" cannot read "raw": ${why}.`)
  }
})

it("a static value that no key can name is refused", () => {
  expect(() => Partitions.statics(["a", ""])).toThrow("A static value is the empty text, which no key can name.")
})
