/**
 * Sets of index tuples, kept as runs: what `PartitionSet` is made of. Pure; knows no names and no keys.
 *
 * A set over n levels is a tree: a node holds the runs of one level, ascending and disjoint, and under each run the set
 * of the levels below. Neighbouring runs with equal sets below are one run, so equal sets have equal trees, and size and
 * cost follow the number of runs, not of tuples: 500 symbols x 2,000 sessions is one run over one run.
 */

export interface IndexSet {
  /** from, to, from, to, … half open; runs that touch differ below. */
  readonly bounds: ReadonlyArray<number>
  /** One set for each run; undefined on the last level. */
  readonly below: ReadonlyArray<IndexSet> | undefined
  readonly size: number
}

export const empty: IndexSet = { bounds: [], below: undefined, size: 0 }

/** Half-open runs of each level. */
export type Box = ReadonlyArray<readonly [from: number, to: number]>

export const equals = (a: IndexSet, b: IndexSet): boolean => {
  if (a === b) return true
  if (a.size !== b.size || a.bounds.length !== b.bounds.length) return false
  for (let i = 0; i < a.bounds.length; i++) if (a.bounds[i] !== b.bounds[i]) return false
  return a.below === undefined || a.below.every((one, i) => equals(one, b.below![i]!))
}

/** Collects the runs of one level, in order, and joins those that touch and are equal below. */
class Runs {
  readonly bounds: Array<number> = []
  readonly below: Array<IndexSet> = []
  size = 0

  /** `below` is undefined on the last level. */
  add(from: number, to: number, below: IndexSet | undefined): void {
    if (from >= to || below?.size === 0) return
    this.size += (to - from) * (below?.size ?? 1)
    const last = this.bounds.length - 1
    if (this.bounds[last] === from && (below === undefined || equals(this.below.at(-1)!, below))) {
      this.bounds[last] = to
      return
    }
    this.bounds.push(from, to)
    if (below !== undefined) this.below.push(below)
  }

  get set(): IndexSet {
    if (this.bounds.length === 0) return empty
    return { bounds: this.bounds, below: this.below.length === 0 ? undefined : this.below, size: this.size }
  }
}

/** The tuples of one box. */
export const box = (runs: Box, level = 0): IndexSet => {
  const found = new Runs()
  const [from, to] = runs[level]!
  found.add(from, to, level === runs.length - 1 ? undefined : box(runs, level + 1))
  return found.set
}

type Operation = "union" | "intersection" | "difference"

const withEmpty = (operation: Operation, a: IndexSet, b: IndexSet): IndexSet => {
  if (operation === "union") return a.size === 0 ? b : a
  return operation === "intersection" ? empty : a
}

/** What became of two nodes: lines that are alike share theirs, and so does what is made of them. */
type Done = Map<IndexSet, Map<IndexSet, IndexSet>>

const combineOnce = (operation: Operation, a: IndexSet, b: IndexSet, done: Done): IndexSet => {
  let ofA = done.get(a)
  if (ofA === undefined) done.set(a, ofA = new Map())
  let found = ofA.get(b)
  if (found === undefined) ofA.set(b, found = combine(operation, a, b, done))
  return found
}

const NONE: Done = new Map()

/** Sweeps over the borders of both; between two borders each is in one run or in none. */
const combine = (operation: Operation, a: IndexSet, b: IndexSet, shared?: Done): IndexSet => {
  if (a === b) return operation === "difference" ? empty : a
  if (a.size === 0 || b.size === 0) return withEmpty(operation, a, b)
  const last = a.below === undefined
  const done: Done = last ? NONE : shared ?? new Map()
  const runs = new Runs()
  let [i, j] = [0, 0]
  let at = Math.min(a.bounds[0]!, b.bounds[0]!)
  while (i < a.bounds.length || j < b.bounds.length) {
    const inA = i < a.bounds.length && at >= a.bounds[i]!
    const inB = j < b.bounds.length && at >= b.bounds[j]!
    const nextA = i < a.bounds.length ? a.bounds[inA ? i + 1 : i]! : Number.POSITIVE_INFINITY
    const nextB = j < b.bounds.length ? b.bounds[inB ? j + 1 : j]! : Number.POSITIVE_INFINITY
    const next = Math.min(nextA, nextB)
    if (last) {
      const here = operation === "union" ? inA || inB : operation === "intersection" ? inA && inB : inA && !inB
      if (here) runs.add(at, next, undefined)
    } else if (inA || inB) {
      const [belowA, belowB] = [inA ? a.below![i >> 1]! : empty, inB ? b.below![j >> 1]! : empty]
      runs.add(at, next, combineOnce(operation, belowA, belowB, done))
    }
    if (inA && next === nextA) i += 2
    if (inB && next === nextB) j += 2
    at = next
  }
  return runs.set
}

export const union = (a: IndexSet, b: IndexSet): IndexSet => combine("union", a, b)
export const intersection = (a: IndexSet, b: IndexSet): IndexSet => combine("intersection", a, b)
/** The tuples of `a` that are not in `b`. */
export const difference = (a: IndexSet, b: IndexSet): IndexSet => combine("difference", a, b)

/** By halves: n sets cost n log n, not n². */
export const unionAll = (sets: ReadonlyArray<IndexSet>): IndexSet => {
  if (sets.length <= 1) return sets[0] ?? empty
  const half = sets.length >> 1
  return union(unionAll(sets.slice(0, half)), unionAll(sets.slice(half)))
}

/** One level from runs with sets below, in any order; where runs overlap, what is below is united. */
export const fromRuns = (
  runs: ReadonlyArray<readonly [from: number, to: number, below: IndexSet | undefined]>
): IndexSet => {
  const ordered = runs.every(([from], at) => at === 0 || from >= runs[at - 1]![1])
  const one = ([from, to, below]: (typeof runs)[number]): IndexSet => {
    const found = new Runs()
    found.add(from, to, below)
    return found.set
  }
  if (!ordered) return unionAll(runs.map(one))
  const all = new Runs()
  for (const [from, to, below] of runs) all.add(from, to, below)
  return all.set
}

const compare = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => {
  for (let level = 0; level < a.length; level++) if (a[level] !== b[level]) return a[level]! - b[level]!
  return 0
}

const fromSorted = (
  tuples: ReadonlyArray<ReadonlyArray<number>>,
  level: number,
  from: number,
  to: number
): IndexSet => {
  const runs = new Runs()
  for (let at = from; at < to;) {
    const index = tuples[at]![level]!
    let end = at + 1
    while (end < to && tuples[end]![level] === index) end++
    runs.add(index, index + 1, level === tuples[at]!.length - 1 ? undefined : fromSorted(tuples, level + 1, at, end))
    at = end
  }
  return runs.set
}

/** The set of these tuples, in any order; all have one length. */
export const fromTuples = (tuples: ReadonlyArray<ReadonlyArray<number>>): IndexSet => {
  const isSorted = tuples.every((tuple, at) => at === 0 || compare(tuples[at - 1]!, tuple) <= 0)
  return fromSorted(isSorted ? tuples : [...tuples].sort(compare), 0, 0, tuples.length)
}

/** The position in `bounds` of the run that holds the index, or -1. */
const runOf = (bounds: ReadonlyArray<number>, index: number): number => {
  let [low, high] = [0, bounds.length >> 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (bounds[middle * 2 + 1]! <= index) low = middle + 1
    else high = middle
  }
  return low * 2 < bounds.length && bounds[low * 2]! <= index ? low * 2 : -1
}

export const contains = (self: IndexSet, tuple: ReadonlyArray<number>): boolean => {
  let node = self
  for (const index of tuple) {
    const run = runOf(node.bounds, index)
    if (run < 0) return false
    if (node.below === undefined) return true
    node = node.below[run >> 1]!
  }
  return false
}

/** The boxes whose disjoint union the set is, in order. */
export function* boxes(self: IndexSet): Generator<Box> {
  for (let i = 0; i < self.bounds.length; i += 2) {
    const run = [self.bounds[i]!, self.bounds[i + 1]!] as const
    if (self.below === undefined) yield [run]
    else for (const rest of boxes(self.below[i >> 1]!)) yield [run, ...rest]
  }
}

/** Every tuple, in order. The array is used again: copy what is kept. */
export function* tuples(self: IndexSet, tuple: Array<number> = [], level = 0): Generator<ReadonlyArray<number>> {
  for (let i = 0; i < self.bounds.length; i += 2) {
    for (let index = self.bounds[i]!; index < self.bounds[i + 1]!; index++) {
      tuple[level] = index
      if (self.below === undefined) yield tuple
      else yield* tuples(self.below[i >> 1]!, tuple, level + 1)
    }
  }
}

const sizesBefore = new WeakMap<IndexSet, ReadonlyArray<number>>()

/** For each run of the node, how many tuples the runs before it hold. */
const before = (self: IndexSet): ReadonlyArray<number> => {
  const known = sizesBefore.get(self)
  if (known !== undefined) return known
  const sums: Array<number> = []
  let sum = 0
  for (let i = 0; i < self.bounds.length; i += 2) {
    sums.push(sum)
    sum += (self.bounds[i + 1]! - self.bounds[i]!) * (self.below?.[i >> 1]!.size ?? 1)
  }
  sizesBefore.set(self, sums)
  return sums
}

/** How many tuples of the set come before this one, which is in the set; -1 when it is not. */
export const rank = (self: IndexSet, tuple: ReadonlyArray<number>): number => {
  let node = self
  let count = 0
  for (const index of tuple) {
    const run = runOf(node.bounds, index)
    if (run < 0) return -1
    const below = node.below?.[run >> 1]
    count += before(node)[run >> 1]! + (index - node.bounds[run]!) * (below?.size ?? 1)
    if (below === undefined) return count
    node = below
  }
  return -1
}

/** The first `take` tuples. */
const head = (self: IndexSet, take: number): IndexSet => {
  if (take >= self.size) return self
  const runs = new Runs()
  for (let i = 0; i < self.bounds.length && runs.size < take; i += 2) {
    const [from, below] = [self.bounds[i]!, self.below?.[i >> 1]]
    const whole = Math.min(self.bounds[i + 1]! - from, Math.floor((take - runs.size) / (below?.size ?? 1)))
    runs.add(from, from + whole, below)
    if (below === undefined || from + whole === self.bounds[i + 1]) continue
    runs.add(from + whole, from + whole + 1, head(below, take - runs.size))
  }
  return runs.set
}

/** Those from the `skip`-th tuple on, at most `take`. Costs what it walks over: runs, not tuples. */
export const slice = (self: IndexSet, skip: number, take: number): IndexSet =>
  difference(head(self, skip + take), head(self, skip))
