/**
 * A set of partitions of one space, whose size and cost follow the number of runs, not of keys.
 *
 * Sets of one universe are combined by index; their text, which outlives it, names values: `symbol=IBM,session=a..b`,
 * one such part per box, joined by `;`. Pure.
 */
import * as IndexSet from "./IndexSet.ts"
import * as PartitionKey from "./PartitionKey.ts"
import * as Partitions from "./Partitions.ts"

export interface PartitionSet {
  readonly space: Partitions.Space
  readonly cells: IndexSet.IndexSet
}

export const make = (space: Partitions.Space, cells: IndexSet.IndexSet): PartitionSet => ({ space, cells })

export const none = (space: Partitions.Space): PartitionSet => make(space, IndexSet.empty)

/** Every key that exists by now. */
export const all = (space: Partitions.Space): PartitionSet => make(space, space.existing)

/** Those of the keys that exist. */
export const fromKeys = (space: Partitions.Space, keys: Iterable<PartitionKey.PartitionKey>): PartitionSet => {
  const found: Array<ReadonlyArray<number>> = []
  for (const key of keys) {
    const indices = Partitions.indicesOf(space, key)
    if (indices !== undefined && IndexSet.contains(space.existing, indices)) found.push(indices)
  }
  return make(space, IndexSet.fromTuples(found))
}

export const size = (self: PartitionSet): number => self.cells.size

export const isEmpty = (self: PartitionSet): boolean => self.cells.size === 0

/** Sets of spaces with the same axes can be combined; the result is of the first one's space. */
export const union = (a: PartitionSet, b: PartitionSet): PartitionSet => make(a.space, IndexSet.union(a.cells, b.cells))

export const intersection = (a: PartitionSet, b: PartitionSet): PartitionSet =>
  make(a.space, IndexSet.intersection(a.cells, b.cells))

/** Those of `a` that are not in `b`. */
export const difference = (a: PartitionSet, b: PartitionSet): PartitionSet =>
  make(a.space, IndexSet.difference(a.cells, b.cells))

export const unionAll = (space: Partitions.Space, sets: Iterable<PartitionSet>): PartitionSet =>
  make(space, IndexSet.unionAll([...sets].map(({ cells }) => cells)))

export const equals = (a: PartitionSet, b: PartitionSet): boolean => IndexSet.equals(a.cells, b.cells)

export const contains = (self: PartitionSet, key: PartitionKey.PartitionKey): boolean => {
  const indices = Partitions.indicesOf(self.space, key)
  return indices !== undefined && IndexSet.contains(self.cells, indices)
}

/** The position of the key in the set's order, or -1. */
export const rank = (self: PartitionSet, key: PartitionKey.PartitionKey): number => {
  const indices = Partitions.indicesOf(self.space, key)
  return indices === undefined ? -1 : IndexSet.rank(self.cells, indices)
}

/** From the `skip`-th key on, at most `take` keys, in order. */
export const slice = (self: PartitionSet, skip: number, take: number): PartitionSet =>
  make(self.space, IndexSet.slice(self.cells, skip, take))

/** Every key, in order. */
export function* keys(self: PartitionSet): Generator<PartitionKey.PartitionKey> {
  for (const indices of IndexSet.tuples(self.cells)) yield Partitions.keyAt(self.space, indices)
}

/** The canonical text of every key, in order. */
export function* texts(self: PartitionSet): Generator<string> {
  const textOf = Partitions.textOf(self.space)
  for (const indices of IndexSet.tuples(self.cells)) yield textOf(indices)
}

/** The canonical texts, so many at a time: a million partitions are never held at once. */
export function* pages(self: PartitionSet, count: number): Generator<ReadonlyArray<string>> {
  let page: Array<string> = []
  for (const text of texts(self)) {
    if (page.push(text) < count) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}

/** The first key; undefined when the set is empty. */
export const first = (self: PartitionSet): PartitionKey.PartitionKey | undefined => keys(self).next().value

type RunText = (space: Partitions.Space, level: number, from: number, to: number) => string

const valueAt = (space: Partitions.Space, level: number, index: number): string =>
  PartitionKey.encodeValue(space.axes[level]!.keyAt(index))

/** One run of a level: a value, or a range, which means the same later, when the axis has grown. */
const runText: RunText = (space, level, from, to) => {
  const name = space.names[level]!
  const first = valueAt(space, level, from)
  return to - from === 1 ? `${name}=${first}` : `${name}=${first}..${valueAt(space, level, to - 1)}`
}

/** Ranges of time windows only: other values may be ordered otherwise later, or get one in between. */
const lastingRunText: RunText = (space, level, from, to) => {
  const name = space.names[level]!
  if (space.dimensions[name]!._tag === "time") return runText(space, level, from, to)
  return Array.from({ length: to - from }, (_, at) => `${name}=${valueAt(space, level, from + at)}`).join(",")
}

/** Texts of nodes: lines that are alike share theirs. */
type Written = Map<IndexSet.IndexSet, string>

/** Alternatives for the levels from this one on; runs with the same text below share one. */
const textFrom = (
  space: Partitions.Space,
  node: IndexSet.IndexSet,
  level: number,
  runText: RunText,
  written: Written
): string => {
  const known = written.get(node)
  if (known !== undefined) return known
  const grouped = new Map<string, Array<string>>()
  for (let i = 0; i < node.bounds.length; i += 2) {
    const own = runText(space, level, node.bounds[i]!, node.bounds[i + 1]!)
    const below = node.below === undefined ? "" : textFrom(space, node.below[i >> 1]!, level + 1, runText, written)
    const alike = grouped.get(below)
    if (alike === undefined) grouped.set(below, [own])
    else alike.push(own)
  }
  const text = [...grouped].flatMap(([below, own]) =>
    below === "" ? [own.join(",")] : below.split(";").map((rest) => `${own.join(",")},${rest}`)
  ).join(";")
  written.set(node, text)
  return text
}

const write = (self: PartitionSet, runText: RunText): string => {
  if (isEmpty(self)) return ""
  return self.space.names.length === 0 ? "*" : textFrom(self.space, self.cells, 0, runText, new Map())
}

/** Canonical text, read back by `PartitionSelector.parse`; empty for the empty set, `*` where nothing is partitioned. */
export const toText = (self: PartitionSet): string => write(self, runText)

/** A text that means the same keys whatever becomes of the members: read back by `PartitionSelector.toKnown`. */
export const toLastingText = (self: PartitionSet): string => write(self, lastingRunText)
