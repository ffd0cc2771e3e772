/**
 * Which upstream partitions a downstream partition is made from, and the other way round.
 *
 * A mapping says for each upstream dimension where its values come from: the same value of a downstream dimension, the
 * windows that overlap a downstream window, all there are, and so on. Sets are mapped level by level, so the cost follows
 * their runs. A value that is needed but does not exist makes the downstream partitions that need it `missing`: they
 * block, and `explain` names what they lack.
 */
import * as AxisRelation from "./AxisRelation.ts"
import { type Ends, NOTHING, reach, relationOf } from "./EntryRelation.ts"
import * as IndexSet from "./IndexSet.ts"
import type * as PartitionKey from "./PartitionKey.ts"
import * as Partitions from "./Partitions.ts"
import * as PartitionSet from "./PartitionSet.ts"
import * as TimeAxis from "./TimeAxis.ts"
import type { TimeDimension } from "./TimeWindows.ts"

export interface From<out Dimension extends string = string> {
  readonly _tag: "from"
  readonly dimension: Dimension
}

export interface Containing<out Dimension extends string = string> {
  readonly _tag: "containing"
  readonly dimension: Dimension
}

export interface Overlapping<out Dimension extends string = string> {
  readonly _tag: "overlapping"
  readonly dimension: Dimension
  /** How many downstream windows earlier (negative) or later the reading begins and ends. */
  readonly startOffset: number
  readonly endOffset: number
  readonly missing: "block" | "skip"
}

export interface All {
  readonly _tag: "all"
}

export interface Last {
  readonly _tag: "last"
}

export interface Specific<out Values extends ReadonlyArray<string> = ReadonlyArray<string>> {
  readonly _tag: "specific"
  readonly values: Values
}

export interface Listed<out Dimension extends string = string> {
  readonly _tag: "listed"
  readonly dimension: Dimension
  readonly values: { readonly [downstream: string]: ReadonlyArray<string> }
}

export interface Custom<out Dimension extends string = string> {
  readonly _tag: "custom"
  readonly dimension: Dimension
  /** Change it when `values` gives other answers: it is part of what staleness compares. */
  readonly version: string
  readonly values: (downstream: string) => ReadonlyArray<string>
}

export type DimensionMapping = From | Containing | Overlapping | All | Last | Specific | Listed | Custom

/** One entry per upstream dimension; `dimension` inside an entry is a downstream one. */
export interface PartitionMapping {
  readonly [upstreamDimension: string]: DimensionMapping
}

/** The value that the downstream dimension has. */
export const from = <const D extends string>(dimension: D): From<D> => ({ _tag: "from", dimension })

/** The one upstream window that contains the start of the downstream window: the month of a session. */
export const containing = <const D extends string>(dimension: D): Containing<D> => ({ _tag: "containing", dimension })

/**
 * Every upstream window that overlaps the downstream window; grains and zones may differ.
 *
 * Details: offsets move the two ends by that many downstream windows: `{ startOffset: -6 }` on daily windows reads the
 * last seven days. Upstream windows that the schedule has but that do not exist (before the start, not yet ended) block,
 * unless `missing: "skip"`.
 */
export const overlapping = <const D extends string>(
  dimension: D,
  options?: { readonly startOffset?: number; readonly endOffset?: number; readonly missing?: "block" | "skip" }
): Overlapping<D> => ({ _tag: "overlapping", dimension, startOffset: 0, endOffset: 0, missing: "block", ...options })

/** Every value of the upstream dimension. */
export const all: All = { _tag: "all" }

/** The last value of the upstream dimension: the newest window, or the last member. */
export const last: Last = { _tag: "last" }

/** These values of the upstream dimension, whatever the downstream partition. */
export const specific = <const V extends ReadonlyArray<string>>(...values: V): Specific<V> => ({
  _tag: "specific",
  values
})

/** A table from downstream to upstream values; a value that is not in it reads nothing. */
export const listed = <const D extends string>(dimension: D, values: Listed["values"]): Listed<D> => ({
  _tag: "listed",
  dimension,
  values
})

/** Whatever the function says; it must be pure. */
export const custom = <const D extends string>(
  dimension: D,
  version: string,
  values: (downstream: string) => ReadonlyArray<string>
): Custom<D> => ({ _tag: "custom", dimension, version, values })

/** The mapping of a dependency that gives none: each dimension from its namesake. */
export const identity = (upstream: Partitions.Dimensions): PartitionMapping =>
  Object.fromEntries(Object.keys(upstream).map((name) => [name, from(name)]))

const isSingleEntry = (entry: DimensionMapping): boolean =>
  entry._tag === "from" || entry._tag === "containing" || entry._tag === "last" ||
  (entry._tag === "specific" && entry.values.length === 1)

/** True when a downstream partition reads exactly one upstream partition. */
export const isSingle = (mapping: PartitionMapping): boolean => Object.values(mapping).every(isSingleEntry)

/** A stable text of what a mapping is; functions are known by their version. */
export const fingerprint = (mapping: PartitionMapping): string => JSON.stringify(mapping)

/** One upstream level: which downstream level it follows (-1: none) and how. */
interface Level {
  readonly follows: number
  readonly relation: AxisRelation.AxisRelation
}

/** The downstream dimension that an entry reads; undefined when it reads none. */
export const dimensionOf = (entry: DimensionMapping): string | undefined =>
  "dimension" in entry ? entry.dimension : undefined

const levelsOf = (mapping: PartitionMapping, up: Partitions.Space, down: Partitions.Space): ReadonlyArray<Level> =>
  up.names.map((name, level) => {
    const entry = mapping[name]!
    const read = dimensionOf(entry)
    const follows = read === undefined ? -1 : down.names.indexOf(read)
    const ends = follows < 0 ? undefined : [down.dimensions[read!]!, down.axes[follows]!] as const
    return { follows, relation: relationOf(entry, ends, [up.dimensions[name]!, up.axes[level]!]) }
  })

/** Level by level follows its like: sets are mapped node by node, and equal nodes once. */
const isAligned = (levels: ReadonlyArray<Level>, down: Partitions.Space): boolean =>
  levels.length === down.names.length && levels.every(({ follows }, level) => follows === level)

type MapRun = (level: number, from: number, to: number) => AxisRelation.Runs

const mapNodes = (root: IndexSet.IndexSet, mapRun: MapRun): IndexSet.IndexSet => {
  const done = new Map<IndexSet.IndexSet, IndexSet.IndexSet>()
  const mapNode = (node: IndexSet.IndexSet, level: number): IndexSet.IndexSet => {
    const known = done.get(node)
    if (known !== undefined) return known
    const found: Array<readonly [number, number, IndexSet.IndexSet | undefined]> = []
    for (let i = 0; i < node.bounds.length; i += 2) {
      const below = node.below === undefined ? undefined : mapNode(node.below[i >> 1]!, level + 1)
      const runs = mapRun(level, node.bounds[i]!, node.bounds[i + 1]!)
      for (let j = 0; j < runs.length; j += 2) found.push([runs[j]!, runs[j + 1]!, below])
    }
    const mapped = IndexSet.fromRuns(found)
    done.set(node, mapped)
    return mapped
  }
  return mapNode(root, 0)
}

/** Where several upstream levels follow one downstream level, its values are looked at one by one. */
function* apart(box: IndexSet.Box, levels: ReadonlyArray<Level>, down = 0): Generator<IndexSet.Box> {
  if (down === box.length) return yield box
  const isShared = levels.filter(({ follows }) => follows === down).length > 1
  if (!isShared) return yield* apart(box, levels, down + 1)
  const [from, to] = box[down]!
  for (let index = from; index < to; index++) {
    yield* apart(box.map((run, at) => at === down ? [index, index + 1] : run), levels, down + 1)
  }
}

const imageOf = (levels: ReadonlyArray<Level>, up: Partitions.Space, set: PartitionSet.PartitionSet) => {
  if (PartitionSet.isEmpty(set)) return IndexSet.empty
  if (levels.length === 0) return up.existing
  if (isAligned(levels, set.space)) {
    return mapNodes(set.cells, (level, from, to) => AxisRelation.image(levels[level]!.relation, from, to))
  }
  const found: Array<IndexSet.IndexSet> = []
  for (const whole of IndexSet.boxes(set.cells)) {
    for (const box of apart(whole, levels)) {
      found.push(AxisRelation.product(levels.map(({ follows, relation }) => {
        const [from, to] = follows < 0 ? [0, 1] : box[follows]!
        return AxisRelation.image(relation, from, to)
      })))
    }
  }
  return IndexSet.unionAll(found)
}

const preimageOf = (levels: ReadonlyArray<Level>, down: Partitions.Space, cells: IndexSet.IndexSet) => {
  if (cells.size === 0) return IndexSet.empty
  if (levels.length === 0) return down.existing
  const back = (level: number, from: number, to: number, axis: Partitions.Axis) =>
    AxisRelation.preimage(levels[level]!.relation, from, to, axis)
  if (isAligned(levels, down)) return mapNodes(cells, (level, from, to) => back(level, from, to, down.axes[level]!))
  const found: Array<IndexSet.IndexSet> = []
  for (const box of IndexSet.boxes(cells)) {
    const runs: Array<AxisRelation.Runs> = down.axes.map(({ length }) => length === 0 ? [] : [0, length])
    let reached = true
    for (const [level, { follows }] of levels.entries()) {
      const own = back(level, box[level]![0], box[level]![1], follows < 0 ? NOTHING : down.axes[follows]!)
      if (follows < 0) reached &&= own.length > 0
      else runs[follows] = AxisRelation.intersection(runs[follows]!, own)
    }
    if (reached) found.push(AxisRelation.product(runs))
  }
  return IndexSet.unionAll(found)
}

/** The downstream partitions of which a level has these indices. */
const having = (
  levels: ReadonlyArray<Level>,
  down: Partitions.Space,
  indices: (relation: AxisRelation.AxisRelation) => AxisRelation.Runs
): IndexSet.IndexSet => {
  const found: Array<IndexSet.IndexSet> = []
  for (const { follows, relation } of levels) {
    const own = indices(relation)
    if (own.length === 0) continue
    const runs = down.axes.map(({ length }, level): AxisRelation.Runs => level === follows ? own : [0, length])
    found.push(AxisRelation.product(runs))
  }
  return IndexSet.unionAll(found)
}

export interface Upstream {
  readonly keys: PartitionSet.PartitionSet
  /** Those of the downstream partitions that need something that does not exist. */
  readonly missing: PartitionSet.PartitionSet
}

/** The upstream partitions that these downstream ones are made from. */
export const upstream = (
  mapping: PartitionMapping,
  up: Partitions.Space,
  set: PartitionSet.PartitionSet
): Upstream => {
  // Most edges of a large graph lead to an asset without partitions.
  if (up.names.length === 0) {
    return {
      keys: PartitionSet.isEmpty(set) ? PartitionSet.none(up) : PartitionSet.all(up),
      missing: PartitionSet.none(set.space)
    }
  }
  const down = set.space
  const levels = levelsOf(mapping, up, down)
  const image = imageOf(levels, up, set)
  const keys = IndexSet.intersection(image, up.existing)
  let missing = IndexSet.intersection(having(levels, down, ({ missing }) => missing), set.cells)
  // A reading of many leaves out what lies outside of a member's lifetime; a reading of one cannot.
  if (isSingle(mapping) && keys.size < image.size) {
    const lost = preimageOf(levels, down, IndexSet.difference(image, up.existing))
    missing = IndexSet.union(missing, IndexSet.intersection(lost, set.cells))
  }
  return { keys: PartitionSet.make(up, keys), missing: PartitionSet.make(down, missing) }
}

/** Those of the downstream partitions that skip a window which the schedule has: they read more once it exists. */
export const growing = (
  mapping: PartitionMapping,
  up: Partitions.Space,
  set: PartitionSet.PartitionSet
): PartitionSet.PartitionSet => {
  const skipping = having(
    levelsOf(mapping, up, set.space),
    set.space,
    (relation) => relation._tag === "ascending" ? relation.growing : []
  )
  return PartitionSet.make(set.space, IndexSet.intersection(skipping, set.cells))
}

/** The existing downstream partitions that read one of these upstream ones. */
export const downstream = (
  mapping: PartitionMapping,
  down: Partitions.Space,
  set: PartitionSet.PartitionSet
): PartitionSet.PartitionSet => {
  if (set.space.names.length === 0) return PartitionSet.isEmpty(set) ? PartitionSet.none(down) : PartitionSet.all(down)
  const found = preimageOf(levelsOf(mapping, set.space, down), down, set.cells)
  return PartitionSet.make(down, IndexSet.intersection(found, down.existing))
}

/** The upstream partitions of one downstream partition, in order. */
export const upstreamOf = (
  mapping: PartitionMapping,
  up: Partitions.Space,
  down: Partitions.Space,
  key: PartitionKey.PartitionKey
): ReadonlyArray<PartitionKey.PartitionKey> => {
  const indices = Partitions.indicesOf(down, key)
  if (indices === undefined) return []
  const runs = levelsOf(mapping, up, down).map(({ follows, relation }) => {
    const index = follows < 0 ? 0 : indices[follows]!
    return AxisRelation.image(relation, index, index + 1)
  })
  const found: Array<PartitionKey.PartitionKey> = []
  for (const tuple of IndexSet.tuples(runs.length === 0 ? up.existing : AxisRelation.product(runs))) {
    if (IndexSet.contains(up.existing, tuple)) found.push(Partitions.keyAt(up, tuple))
  }
  return found
}

/** The values that an entry needs, whether or not they exist. */
const needed = (
  entry: DimensionMapping,
  [dimension, axis]: Ends,
  down: Partitions.Space,
  key: PartitionKey.PartitionKey
): ReadonlyArray<string> => {
  switch (entry._tag) {
    case "from":
      return [key[entry.dimension]!]
    case "specific":
      return entry.values
    case "listed":
      return entry.values[key[entry.dimension]!] ?? []
    case "custom":
      return entry.values(key[entry.dimension]!)
    case "all":
      return []
    case "last":
      return axis.length === 0 ? [] : [axis.keyAt(axis.length - 1)]
    case "containing":
    case "overlapping": {
      const own = down.axes[down.names.indexOf(entry.dimension)] as TimeAxis.Axis
      const timed = down.dimensions[entry.dimension] as TimeDimension
      const { end, start } = reach(entry, timed, own, own.indexOf(key[entry.dimension]!))
      return TimeAxis.scheduled(dimension as TimeDimension, start, end).map((window) => window.key)
    }
  }
}

/** What an entry lacks for want of any value that it could name. */
const unnamed = (entry: DimensionMapping, name: string, key: PartitionKey.PartitionKey): string =>
  entry._tag === "containing" ? `any ${name} at the start of ${key[entry.dimension]!}` : `any ${name}`

/** What a `missing` downstream partition lacks: `month=2013-10`, or the key that no member lives to have. */
export const explain = (
  mapping: PartitionMapping,
  up: Partitions.Space,
  down: Partitions.Space,
  key: PartitionKey.PartitionKey
): string => {
  const found: { [dimension: string]: string } = {}
  for (const [level, name] of up.names.entries()) {
    const entry = mapping[name]!
    const axis = up.axes[level]!
    const values = needed(entry, [up.dimensions[name]!, axis], down, key)
    const skips = entry._tag === "overlapping" && entry.missing === "skip"
    const lost = skips ? undefined : values.find((value) => axis.indexOf(value) < 0)
    if (lost !== undefined) return `${name}=${lost}`
    if (values.length === 0 && (entry._tag === "last" || entry._tag === "containing")) return unnamed(entry, name, key)
    found[name] = values[0] ?? ""
  }
  return Object.keys(up.dimensions).map((name) => `${name}=${found[name]}`).join(",")
}
