/**
 * How the store keeps the standings of an asset's partitions: one line for all partitions that differ only in the last
 * level, as runs of values that stand alike. A million partitions of 500 symbols are 500 lines, each one run when all came
 * from one run.
 *
 * A run names its first and last value, how many there are, and a sum over them. Where these do not agree with the
 * dimension as it is now, its partitions become suspects, which only their own history can judge: those between the two
 * values where the order cannot change, else the whole line. Runs with a label are of one writing, so they have no value
 * in common; suspects may be older, and what other runs say of a value counts more. Pure.
 */
import * as IndexSet from "../partition/IndexSet.ts"
import * as PartitionKey from "../partition/PartitionKey.ts"
import * as Partitions from "../partition/Partitions.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import type * as TimeAxis from "../partition/TimeAxis.ts"
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

/** Sums of the hashes of the values before each index; they stay exact for two million values. */
const sumsOf = ({ axis, hashAt }: Last): Float64Array => {
  let known = sums.get(axis)
  if (known === undefined) {
    known = new Float64Array(axis.length + 1)
    for (let at = 0; at < axis.length; at++) known[at + 1] = known[at]! + hashAt(at)
    sums.set(axis, known)
  }
  return known
}

/** The last level of a space: its axis, and whether the order of its values can change. */
export interface Last {
  readonly axis: Partitions.Axis
  readonly fixed: boolean
  readonly hashAt: (index: number) => number
}

/** Windows are known by their start: the keys of a million need not be made. */
const hashOf = (start: number): number => Math.imul((start / 1000) | 0, 0x9e3779b1) >>> 0

export const lastOf = (space: Partitions.Space): Last => {
  const name = space.names.at(-1)
  const axis = Partitions.lastAxis(space)
  if (name === undefined || space.dimensions[name]!._tag !== "time") {
    return { axis, fixed: name === undefined, hashAt: (index) => hash(axis.keyAt(index)) }
  }
  const windows = axis as TimeAxis.Axis
  return { axis, fixed: true, hashAt: (index) => hashOf(windows.startAt(index)) }
}

const checkSum = (last: Last, from: number, to: number): number => sumsOf(last)[to]! - sumsOf(last)[from]!

/** The standing texts with the indices that have them, over the last level. */
interface Read {
  /** Label text to set; "" is for suspects. */
  readonly sets: Map<string, IndexSet.IndexSet>
  /** A run does not say any more which values it is of: any value may be one, also one that comes back later. */
  readonly isLost: boolean
}

/** Stands for runs that are lost; no value is like it. */
const LOST: Run = ["", "", 0, 0, -1]

const assign = (sets: Map<string, IndexSet.IndexSet>, label: string, set: IndexSet.IndexSet): void => {
  for (const [other, own] of sets) if (other !== label) sets.set(other, IndexSet.difference(own, set))
  sets.set(label, IndexSet.union(sets.get(label) ?? IndexSet.empty, set))
}

const read = (stored: Stored, last: Last): Read => {
  const known = new Map<string, Array<IndexSet.IndexSet>>()
  const suspects: Array<IndexSet.IndexSet> = []
  let isLost = false
  const texts = stored.labels.map((label) => JSON.stringify(label))
  for (const run of stored.runs) {
    const [from, to, count, sum, label] = run
    const [start, end] = [last.axis.indexOf(from), last.axis.indexOf(to) + 1]
    const isThere = start >= 0 && start < end
    const agrees = isThere && end - start === count && (count === 1 || checkSum(last, start, end) === sum)
    const text = agrees ? texts[label] : undefined
    if (text !== undefined) {
      const own = known.get(text) ?? []
      known.set(text, own)
      own.push(IndexSet.box([[start, end]]))
    } else if (agrees || (isThere && last.fixed)) suspects.push(IndexSet.box([[start, end]]))
    else isLost = true
  }
  if (isLost) suspects.push(IndexSet.box([[0, last.axis.length]]))
  const sets = new Map([["", IndexSet.unionAll(suspects)]])
  for (const [text, all] of known) assign(sets, text, IndexSet.unionAll(all))
  return { sets, isLost }
}

const write = ({ isLost, sets }: Read, last: Last): Stored => {
  const labels: Array<Label> = []
  const runs: Array<Run> = isLost ? [LOST] : []
  for (const [text, { bounds }] of sets) {
    if (bounds.length === 0) continue
    const label = text === "" ? -1 : labels.push(JSON.parse(text) as Label) - 1
    for (let i = 0; i < bounds.length; i += 2) {
      const [from, to] = [bounds[i]!, bounds[i + 1]!]
      runs.push([last.axis.keyAt(from), last.axis.keyAt(to - 1), to - from, checkSum(last, from, to), label])
    }
  }
  return { labels, runs }
}

/** What is known of a partition: its standing; that only its history can say; or nothing, because it was never tried. */
export type Before = Standing | "suspect" | undefined

/** What becomes of one partition of a line; "suspect" leaves it to its history. */
export interface Change {
  readonly value: string
  readonly next: (before: Before) => Standing | "suspect"
}

const beforeOf = ({ sets }: Read, index: number): Before => {
  for (const [label, set] of sets) {
    if (IndexSet.contains(set, [index])) return label === "" ? "suspect" : toStanding(JSON.parse(label) as Label)
  }
  return undefined
}

/** The line after these changes, one after the other. */
export const apply = (stored: Stored, last: Last, changes: ReadonlyArray<Change>): Stored => {
  const found = read(stored, last)
  const became = new Map<number, Standing | "suspect">()
  for (const { next, value } of changes) {
    const index = last.axis.indexOf(value)
    if (index >= 0) became.set(index, next(became.get(index) ?? beforeOf(found, index)))
  }
  const added = new Map<string, Array<ReadonlyArray<number>>>()
  for (const [index, standing] of became) {
    const label = standing === "suspect" ? "" : JSON.stringify(toLabel(standing))
    const own = added.get(label)
    if (own === undefined) added.set(label, [[index]])
    else own.push([index])
  }
  for (const [label, indices] of added) assign(found.sets, label, IndexSet.fromTuples(indices))
  return write(found, last)
}

const nested = (indices: ReadonlyArray<number>, last: IndexSet.IndexSet): IndexSet.IndexSet =>
  indices.reduceRight((below, index) => IndexSet.fromRuns([[index, index + 1, below]]), last)

/** The indices of a line in the levels before the last; undefined when the asset had other dimensions then. */
const placeOf = (line: string, space: Partitions.Space): ReadonlyArray<number> | undefined => {
  const key = PartitionKey.fromText(line)
  const names = space.names.slice(0, -1)
  if (Object.keys(key).length !== names.length || names.some((name) => key[name] === undefined)) return undefined
  return names.map((name, level) => space.axes[level]!.indexOf(key[name]!))
}

/** The classes of an asset's existing partitions, from all its lines. */
export const classes = (
  lines: Iterable<readonly [line: string, stored: Stored]>,
  space: Partitions.Space
): ReadonlyArray<Class> => {
  const last = lastOf(space)
  const found = new Map<string, Array<IndexSet.IndexSet>>([["", []]])
  let isReshaped = false
  for (const [line, stored] of lines) {
    const indices = placeOf(line, space)
    if (indices === undefined) isReshaped = true
    else if (!indices.includes(-1)) {
      for (const [label, set] of read(stored, last).sets) {
        if (set.size === 0) continue
        const sets = found.get(label) ?? []
        found.set(label, sets)
        sets.push(nested(indices, set))
      }
    }
  }
  if (isReshaped) {
    // Of what no line of today's shape speaks, one of another shape may.
    const spoken = IndexSet.unionAll([...found.values()].flat())
    found.get("")!.push(IndexSet.difference(space.existing, spoken))
  }
  return [...found].map(([label, sets]) => ({
    standing: label === "" ? undefined : toStanding(JSON.parse(label)),
    set: PartitionSet.make(space, IndexSet.intersection(IndexSet.unionAll(sets), space.existing))
  })).filter(({ set }) => !PartitionSet.isEmpty(set))
}
