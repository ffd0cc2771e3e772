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
    [
      { letter },
      { letter: from("word") },
      { day },
      `letter: is mapped from dimension "word", which this asset does not have`
    ],
    [
      { letter, day },
      { letter: from("letter") },
      { letter },
      `day: has dimension "day", of which the mapping says nothing`
    ],
    [
      { month },
      { month: containing("letter") },
      { letter },
      `month: has dimension "month", which is mapped by "containing", which needs time windows on both sides, not static partitions and monthly partitions`
    ],
    [
      { letter },
      { letter: overlapping("day") },
      { day },
      `letter: has dimension "letter", which is mapped by "overlapping", which needs time windows on both sides, not daily partitions and static partitions`
    ],
    [{ letter }, undefined, { day }, `letter: is partitioned by "letter", which this asset is not`],
    [
      { day },
      undefined,
      { day: month },
      `day: has dimension "day", which is daily partitions there and monthly partitions here`
    ],
    [
      { s: Partitions.dynamic("x") },
      undefined,
      { s: Partitions.dynamic("y") },
      `s: has dimension "s", which is the dynamic set "x" there and the dynamic set "y" here`
    ],
    [
      { day },
      { day: overlapping("day", { startOffset: 1 }) },
      { day },
      `day: has dimension "day", which is read from offset 1 to 0, which are not whole numbers of windows in order`
    ],
    [
      { day },
      { day: overlapping("day", { startOffset: -0.5 }) },
      { day },
      `day: has dimension "day", which is read from offset -0.5 to 0, which are not whole numbers of windows in order`
    ],
    [
      { letter },
      { letter: specific("z") },
      { day },
      `letter: has dimension "letter", which is mapped to "z", which is none of its values`
    ],
    [
      { letter },
      { letter: listed("letter", { a: ["b", "y"] }) },
      { letter },
      `letter: has dimension "letter", which is mapped to "y", which is none of its values`
    ],
    [
      { letter },
      { letter: "a" },
      { day },
      `letter: has dimension "letter", which is not mapped by anything that PartitionMapping made`
    ]
  ]
  for (const [up, mapping, down, expected] of cases) {
    const [name, why] = expected.split(": ")
    expect(refusal(up, mapping, down)).toBe(
      `"bars" reads "raw", which ${why}: say with Asset.mapped(...) where its "${name}" comes from.`
    )
  }
  expect(refusal({ letter }, { letter: from("letter"), day: all }, { letter })).toBe(
    `"bars" maps dimension "day" of "raw", which it does not have: take it out.`
  )
})

it("a static value that no key can name is refused", () => {
  expect(() => Partitions.statics(["a", ""])).toThrow("A static value is the empty text, which no key can name.")
})
