/**
 * How the store keeps the standings of an asset's partitions: one line for all partitions that differ only in the last
 * level, as runs of values that stand alike. A million partitions of 500 symbols are 500 lines, each one run when all came
 * from one run.
 *
 * A run names its first and last value, how many there are, and a sum over them where their order may change: when the
 * dimension has changed since, so that these do not agree, the partitions of the line become suspects, which only their
 * own history can judge. Later runs of a line override earlier ones. Pure.
 */
import * as IndexSet from "../partition/IndexSet.ts"
import * as PartitionKey from "../partition/PartitionKey.ts"
import * as Partitions from "../partition/Partitions.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import type { Class, Standing } from "../plan/Standing.ts"

type Label = readonly [
  asOf: number,
  changed: number,
  at: number,
  codeVersion: string,
  dependencies: string,
  failure: string | null,
  /** Left out when false. */
  rejected?: true
]

/** `label` is a position in `labels`, or -1 for suspects. */
type Run = readonly [from: string, to: string, count: number, sum: number, label: number]

/** As it lies in the store. */
export interface Stored {
  readonly labels: ReadonlyArray<Label>
  readonly runs: ReadonlyArray<Run>
}

export const EMPTY: Stored = { labels: [], runs: [] }

const toStanding = ([asOf, changed, at, codeVersion, dependencies, failure, rejected]: Label): Standing => ({
  asOf,
  changed,
  at,
  codeVersion,
  dependencies,
  failure: failure ?? undefined,
  rejected: rejected ?? false
})

const toLabel = (self: Standing): Label => {
  const { asOf, at, changed, codeVersion, dependencies, failure, rejected } = self
  const label = [asOf, changed, at, codeVersion, dependencies, failure ?? null] as const
  return rejected ? [...label, true] : label
}

/** FNV-1a. */
const hash = (text: string): number => {
  let sum = 0x811c9dc5
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193)
  return sum >>> 0
}

const sums = new WeakMap<Partitions.Axis, Float64Array>()

/** Sums of the hashes before each index; they stay exact far beyond any number of partitions. */
const sumsOf = (axis: Partitions.Axis): Float64Array => {
  let known = sums.get(axis)
  if (known === undefined) {
    known = new Float64Array(axis.length + 1)
    for (let at = 0; at < axis.length; at++) known[at + 1] = known[at]! + hash(axis.keyAt(at))
    sums.set(axis, known)
  }
  return known
}

/** The last level of a space: its axis, and whether the order of its values can change. */
export interface Last {
  readonly axis: Partitions.Axis
  readonly fixed: boolean
}

export const lastOf = (space: Partitions.Space): Last => {
  const name = space.names.at(-1)
  return { axis: Partitions.lastAxis(space), fixed: name === undefined || space.dimensions[name]!._tag === "time" }
}

const checkSum = ({ axis, fixed }: Last, from: number, to: number): number =>
  fixed ? 0 : sumsOf(axis)[to]! - sumsOf(axis)[from]!

/** The standing texts with the indices that have them, over the last level. */
interface Read {
  /** Label text to set; "" is for suspects. */
  readonly sets: Map<string, IndexSet.IndexSet>
  /** Runs that name a value which is not there for us: kept as they are. */
  readonly foreign: ReadonlyArray<readonly [run: Run, label: Label | undefined]>
}

const assign = (sets: Map<string, IndexSet.IndexSet>, label: string, set: IndexSet.IndexSet): void => {
  for (const [other, own] of sets) if (other !== label) sets.set(other, IndexSet.difference(own, set))
  sets.set(label, IndexSet.union(sets.get(label) ?? IndexSet.empty, set))
}

const read = (stored: Stored, last: Last): Read => {
  const sets = new Map<string, IndexSet.IndexSet>()
  const foreign: Array<readonly [Run, Label | undefined]> = []
  const texts = stored.labels.map((label) => JSON.stringify(label))
  for (const run of stored.runs) {
    const [from, to, count, sum, label] = run
    const [start, end] = [last.axis.indexOf(from), last.axis.indexOf(to) + 1]
    if (start < 0 || end <= 0 || start >= end) {
      foreign.push([run, stored.labels[label]])
      assign(sets, "", IndexSet.box([[0, last.axis.length]]))
    } else {
      const agrees = end - start === count && checkSum(last, start, end) === sum
      assign(sets, agrees ? texts[label] ?? "" : "", IndexSet.box([[start, end]]))
    }
  }
  return { sets, foreign }
}

const write = ({ foreign, sets }: Read, last: Last): Stored => {
  const labels: Array<Label> = []
  const runs: Array<Run> = []
  for (const [run, label] of foreign) {
    runs.push([run[0], run[1], run[2], run[3], label === undefined ? -1 : labels.push(label) - 1])
  }
  for (const [text, { bounds }] of sets) {
    if (bounds.length === 0 || (text === "" && foreign.length > 0)) continue
    const label = text === "" ? -1 : labels.push(JSON.parse(text) as Label) - 1
    for (let i = 0; i < bounds.length; i += 2) {
      const [from, to] = [bounds[i]!, bounds[i + 1]!]
      runs.push([last.axis.keyAt(from), last.axis.keyAt(to - 1), to - from, checkSum(last, from, to), label])
    }
  }
  return { labels, runs }
}

const standingAt = ({ sets }: Read, index: number): Standing | undefined => {
  for (const [label, set] of sets) {
    if (label !== "" && IndexSet.contains(set, [index])) return toStanding(JSON.parse(label) as Label)
  }
  return undefined
}

/** What becomes of one partition of a line. The standing before is undefined when there was none or it is not known. */
export interface Change {
  readonly value: string
  readonly next: (before: Standing | undefined) => Standing
}

/** The line after these changes, one after the other. */
export const apply = (stored: Stored, last: Last, changes: ReadonlyArray<Change>): Stored => {
  const found = read(stored, last)
  const became = new Map<number, Standing>()
  for (const { next, value } of changes) {
    const index = last.axis.indexOf(value)
    if (index >= 0) became.set(index, next(became.get(index) ?? standingAt(found, index)))
  }
  const added = new Map<string, Array<ReadonlyArray<number>>>()
  for (const [index, standing] of became) {
    const label = JSON.stringify(toLabel(standing))
    const own = added.get(label)
    if (own === undefined) added.set(label, [[index]])
    else own.push([index])
  }
  for (const [label, indices] of added) assign(found.sets, label, IndexSet.fromTuples(indices))
  return write(found, last)
}

const nested = (indices: ReadonlyArray<number>, last: IndexSet.IndexSet): IndexSet.IndexSet =>
  indices.reduceRight((below, index) => IndexSet.fromRuns([[index, index + 1, below]]), last)

/** The classes of an asset's existing partitions, from all its lines. */
export const classes = (
  lines: Iterable<readonly [line: string, stored: Stored]>,
  space: Partitions.Space
): ReadonlyArray<Class> => {
  const last = lastOf(space)
  const found = new Map<string, Array<IndexSet.IndexSet>>()
  for (const [line, stored] of lines) {
    const key = PartitionKey.fromText(line)
    const indices = space.names.slice(0, -1).map((name, level) => space.axes[level]!.indexOf(key[name] ?? ""))
    if (indices.includes(-1)) continue
    for (const [label, set] of read(stored, last).sets) {
      if (set.size === 0) continue
      const sets = found.get(label) ?? []
      found.set(label, sets)
      sets.push(nested(indices, set))
    }
  }
  return [...found].map(([label, sets]) => ({
    standing: label === "" ? undefined : toStanding(JSON.parse(label)),
    set: PartitionSet.make(space, IndexSet.intersection(IndexSet.unionAll(sets), space.existing))
  })).filter(({ set }) => !PartitionSet.isEmpty(set))
}
