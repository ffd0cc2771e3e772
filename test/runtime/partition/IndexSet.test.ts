/** Sets of index tuples against plain sets of texts. `LAWS=5000 npx vitest run …` looks longer. */
import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as IndexSet from "../../../src/runtime/partition/IndexSet.ts"

const arbitrary = { runs: Number(process.env["LAWS"] ?? 200) }

const EDGE = 5
const Edge = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: EDGE }))
const Run = Schema.Tuple([Edge, Edge])
const Runs = Schema.Tuple([Run, Run, Run])
const Boxes = Schema.Array(Runs).check(Schema.isMaxLength(6))
const Levels = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 }))
const input = { levels: Levels, a: Boxes, b: Boxes }

type Drawn = typeof Boxes.Type

const boxesOf = (drawn: Drawn, levels: number): ReadonlyArray<IndexSet.Box> =>
  drawn.map((runs) => runs.slice(0, levels).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const))

const setOf = (drawn: Drawn, levels: number) =>
  IndexSet.unionAll(boxesOf(drawn, levels).map((box) => IndexSet.box(box)))

const tuplesOf = (box: IndexSet.Box): ReadonlyArray<string> =>
  box.reduce<ReadonlyArray<string>>(
    (found, [from, to]) =>
      found.flatMap((head) =>
        Array.from({ length: to - from }, (_, at) => `${head}${head === "" ? "" : ","}${from + at}`)
      ),
    [""]
  )

/** The model: texts in the order in which tuples are iterated. */
const modelOf = (drawn: Drawn, levels: number): ReadonlySet<string> =>
  new Set(boxesOf(drawn, levels).flatMap(tuplesOf).sort())

const shown = (set: IndexSet.IndexSet): ReadonlyArray<string> =>
  Array.from(IndexSet.tuples(set), (tuple) => tuple.join(","))

const everywhere = (levels: number): ReadonlyArray<ReadonlyArray<number>> =>
  tuplesOf(Array.from({ length: levels }, () => [0, EDGE + 1] as const)).map((text) => text.split(",").map(Number))

/** The tree that has no run that could be joined to the one before. */
const isCanonical = ({ below, bounds }: IndexSet.IndexSet): boolean =>
  bounds.every((bound, at) =>
    at === 0 || bound > bounds[at - 1]! ||
    (at % 2 === 0 && bound === bounds[at - 1] && below !== undefined &&
      !IndexSet.equals(below[at / 2 - 1]!, below[at / 2]!))
  ) && (below?.every((one) => one.size > 0 && isCanonical(one)) ?? true)

describe("a set of index tuples", () => {
  const operations = [
    ["union", IndexSet.union, (a: ReadonlySet<string>, b: ReadonlySet<string>) => a.union(b)],
    ["intersection", IndexSet.intersection, (a: ReadonlySet<string>, b: ReadonlySet<string>) => a.intersection(b)],
    ["difference", IndexSet.difference, (a: ReadonlySet<string>, b: ReadonlySet<string>) => a.difference(b)]
  ] as const
  for (const [name, operation, model] of operations) {
    it.prop(`has the ${name} that plain sets have, in its only form`, input, ({ a, b, levels }) => {
      const found = operation(setOf(a, levels), setOf(b, levels))
      const expected = [...model(modelOf(a, levels), modelOf(b, levels))].sort()
      expect(shown(found)).toEqual(expected)
      expect(found.size).toBe(expected.length)
      expect(isCanonical(found)).toBe(true)
      const again = IndexSet.fromTuples(expected.map((text) => text.split(",").map(Number)))
      expect(again).toEqual(found)
      expect(IndexSet.equals(again, found)).toBe(true)
    }, { arbitrary })
  }

  it.prop("contains and ranks what it iterates, and nothing else", input, ({ a, levels }) => {
    const set = setOf(a, levels)
    const order = shown(set)
    for (const tuple of everywhere(levels)) {
      const at = order.indexOf(tuple.join(","))
      expect(IndexSet.rank(set, tuple)).toBe(at)
      expect(IndexSet.contains(set, tuple)).toBe(at >= 0)
    }
  }, { arbitrary: { runs: arbitrary.runs / 4 } })

  it.prop("is cut like an array", { ...input, skip: Edge, take: Edge }, ({ a, levels, skip, take }) => {
    const set = setOf(a, levels)
    for (const [from, count] of [[skip, take], [skip * 7, take * 11], [0, set.size], [set.size, 5]] as const) {
      const cut = IndexSet.slice(set, from, count)
      expect(shown(cut)).toEqual(shown(set).slice(from, from + count))
      expect(isCanonical(cut)).toBe(true)
    }
  }, { arbitrary })

  it.prop("is the disjoint union of its boxes, in order", input, ({ a, levels }) => {
    const set = setOf(a, levels)
    expect([...IndexSet.boxes(set)].flatMap(tuplesOf).sort()).toEqual(shown(set))
  }, { arbitrary })

  it.prop("equals another only when it holds the same", input, ({ a, b, levels }) => {
    const same = shown(setOf(a, levels)).join(" ") === shown(setOf(b, levels)).join(" ")
    expect(IndexSet.equals(setOf(a, levels), setOf(b, levels))).toBe(same)
  }, { arbitrary })

  it.prop("comes from runs in any order, one over the other", input, ({ a, b, levels }) => {
    const below = levels === 1 ? undefined : setOf(b, levels - 1)
    const runs = boxesOf(a, 1).map(([run]) => [run![0], run![1], below] as const)
    const singles = runs.map(([from, to]) => IndexSet.fromRuns([[from, to, below]]))
    expect(IndexSet.fromRuns(runs)).toEqual(IndexSet.unionAll(singles))
  }, { arbitrary })
})
