/**
 * Which values of one upstream axis belong to each value of one downstream axis, by index, in both directions.
 *
 * Three shapes: the same upstream runs whatever the downstream value; one run per downstream value, ascending on both
 * sides, as time windows have it; and any pairs. `missing` holds the downstream indices that need an upstream value
 * which does not exist.
 */
import * as IndexSet from "./IndexSet.ts"
import type { Axis } from "./Partitions.ts"

/** from, to, from, to, … half open, ascending, disjoint. */
export type Runs = ReadonlyArray<number>

export type AxisRelation =
  | { readonly _tag: "constant"; readonly runs: Runs; readonly missing: Runs }
  | {
    readonly _tag: "ascending"
    readonly from: Int32Array
    readonly to: Int32Array
    /** No downstream run leaves an upstream gap: the image of a run is one run. */
    readonly gapless: boolean
    readonly missing: Runs
  }
  | {
    readonly _tag: "pairs"
    readonly up: ReadonlyArray<Runs>
    readonly down: ReadonlyArray<Runs>
    readonly missing: Runs
  }

/** Ascending indices as runs. */
export const runsOf = (indices: Iterable<number>): Runs => {
  const runs: Array<number> = []
  for (const index of indices) {
    if (runs.at(-1) === index) runs[runs.length - 1] = index + 1
    else runs.push(index, index + 1)
  }
  return runs
}

const sorted = (indices: Iterable<number>): ReadonlyArray<number> => [...new Set(indices)].sort((a, b) => a - b)

/** What two lists of runs share. */
export const intersection = (a: Runs, b: Runs): Runs => {
  const found: Array<number> = []
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const [from, to] = [Math.max(a[i]!, b[j]!), Math.min(a[i + 1]!, b[j + 1]!)]
    if (from < to) found.push(from, to)
    if (a[i + 1]! < b[j + 1]!) i += 2
    else j += 2
  }
  return found
}

/** The tuples that have an index of each level's runs. */
export const product = (levels: ReadonlyArray<Runs>, level = 0): IndexSet.IndexSet => {
  const below = level === levels.length - 1 ? undefined : product(levels, level + 1)
  const own = levels[level]!
  return IndexSet.fromRuns(
    Array.from({ length: own.length >> 1 }, (_, i) => [own[i * 2]!, own[i * 2 + 1]!, below] as const)
  )
}

export const constant = (indices: Iterable<number>, missing: boolean, down: Axis): AxisRelation => ({
  _tag: "constant",
  runs: runsOf(sorted(indices)),
  missing: missing && down.length > 0 ? [0, down.length] : []
})

/** `at` answers the upstream run of a downstream index; from and to never descend. */
export const ascending = (
  down: Axis,
  at: (index: number) => { readonly from: number; readonly to: number; readonly missing: boolean }
): AxisRelation => {
  const [from, to] = [new Int32Array(down.length), new Int32Array(down.length)]
  const missing: Array<number> = []
  let gapless = true
  for (let index = 0; index < down.length; index++) {
    const run = at(index)
    from[index] = run.from
    to[index] = Math.max(run.from, run.to)
    if (run.missing) missing.push(index)
    if (index > 0 && from[index]! > to[index - 1]!) gapless = false
  }
  return { _tag: "ascending", from, to, gapless, missing: runsOf(missing) }
}

/** `at` answers upstream indices; -1 among them says that one does not exist. */
export const pairs = (down: Axis, up: Axis, at: (index: number) => ReadonlyArray<number>): AxisRelation => {
  const forward: Array<Runs> = []
  const backward: Array<Array<number>> = Array.from({ length: up.length }, () => [])
  const missing: Array<number> = []
  for (let index = 0; index < down.length; index++) {
    const found = at(index)
    if (found.includes(-1)) missing.push(index)
    const there = sorted(found.filter((one) => one >= 0))
    forward.push(runsOf(there))
    for (const one of there) backward[one]!.push(index)
  }
  return { _tag: "pairs", up: forward, down: backward.map(runsOf), missing: runsOf(missing) }
}

/** The union of runs that come in any order. */
const united = (all: ReadonlyArray<Runs>): Runs => {
  if (all.length === 1) return all[0]!
  const spans: Array<readonly [number, number]> = []
  for (const runs of all) for (let i = 0; i < runs.length; i += 2) spans.push([runs[i]!, runs[i + 1]!])
  spans.sort((a, b) => a[0] - b[0])
  const merged: Array<number> = []
  for (const [from, to] of spans) {
    const end = merged.at(-1)
    if (end !== undefined && from <= end) merged[merged.length - 1] = Math.max(end, to)
    else merged.push(from, to)
  }
  return merged
}

const imageOfAscending = (self: AxisRelation & { _tag: "ascending" }, from: number, to: number): Runs => {
  if (self.gapless) {
    const [first, last] = [self.from[from]!, self.to[to - 1]!]
    return first < last ? [first, last] : []
  }
  const runs: Array<number> = []
  for (let index = from; index < to; index++) {
    const [start, end] = [self.from[index]!, self.to[index]!]
    if (start === end) continue
    const reached = runs.at(-1)
    if (reached !== undefined && start <= reached) runs[runs.length - 1] = Math.max(reached, end)
    else runs.push(start, end)
  }
  return runs
}

/** The upstream indices of the downstream indices from..to. */
export const image = (self: AxisRelation, from: number, to: number): Runs => {
  switch (self._tag) {
    case "constant":
      return self.runs
    case "ascending":
      return imageOfAscending(self, from, to)
    case "pairs":
      return united(self.up.slice(from, to))
  }
}

/** The first index at which the predicate holds; it holds for all that follow. */
const firstWhere = (length: number, holds: (index: number) => boolean): number => {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}

const preimageOfAscending = (self: AxisRelation & { _tag: "ascending" }, from: number, to: number): Runs => {
  const start = firstWhere(self.to.length, (index) => self.to[index]! > from)
  const end = firstWhere(self.from.length, (index) => self.from[index]! >= to)
  const hits: Array<number> = []
  for (let index = start; index < end; index++) {
    if (self.from[index]! === self.to[index]!) continue
    if (hits.at(-1) === index) hits[hits.length - 1] = index + 1
    else hits.push(index, index + 1)
  }
  return hits
}

/** The downstream indices that have one of the upstream indices from..to among theirs. */
export const preimage = (self: AxisRelation, from: number, to: number, down: Axis): Runs => {
  switch (self._tag) {
    case "constant": {
      const touched = self.runs.some((start, at) => at % 2 === 0 && start < to && self.runs[at + 1]! > from)
      return touched && down.length > 0 ? [0, down.length] : []
    }
    case "ascending":
      return preimageOfAscending(self, from, to)
    case "pairs":
      return united(self.down.slice(from, to))
  }
}
