/**
 * Which upstream partitions a downstream partition is made from, and the other way round.
 *
 * A mapping says for each upstream dimension where its values come from: the same value of a downstream dimension, the
 * windows that overlap a downstream window, all there are, and so on. Sets are mapped level by level, so the cost follows
 * their runs. A value that is needed but does not exist makes the downstream partitions that need it `missing`: they
 * block, and `explain` names what they lack.
 */
import * as AxisRelation from "./AxisRelation.ts"
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

interface Interval {
  readonly start: number
  readonly end: number
}

const asTime = (dimension: Partitions.Dimension): TimeDimension | undefined =>
  dimension._tag === "time" ? dimension : undefined

/** The `offset`-th window of the schedule after (or before) the one at `index`, whether or not it exists by now. */
const shifted = (dimension: TimeDimension, axis: TimeAxis.Axis, index: number, offset: number): Interval => {
  const at = index + offset
  if (at >= 0 && at < axis.length) return { start: axis.startAt(at), end: axis.endAt(at) }
  const own = { start: axis.startAt(index), end: axis.endAt(index) }
  for (let span = (own.end - own.start) * (Math.abs(offset) + 1); span < FARTHEST; span *= 2) {
    const windows = offset < 0
      ? TimeAxis.scheduled(dimension, own.start - span, own.start)
      : TimeAxis.scheduled(dimension, own.end, own.end + span)
    const found = offset < 0 ? windows.at(offset) : windows[offset - 1]
    if (found !== undefined) return found
  }
  return own
}

/** A schedule that has ended, such as a calendar's last session, has no neighbour however far one looks. */
const FARTHEST = 50 * 366 * 86_400_000

/** The time that a downstream window reads. */
const reach = (
  entry: Containing | Overlapping,
  dimension: TimeDimension,
  axis: TimeAxis.Axis,
  index: number
): Interval => {
  if (entry._tag === "containing") return { start: axis.startAt(index), end: axis.startAt(index) + 1 }
  return {
    start: shifted(dimension, axis, index, entry.startOffset).start,
    end: shifted(dimension, axis, index, entry.endOffset).end
  }
}

/** True when the schedule has windows in the interval that lie before or after all that exist. */
const lacks = (dimension: TimeDimension, axis: TimeAxis.Axis, { end, start }: Interval): boolean => {
  if (axis.length === 0) return TimeAxis.scheduled(dimension, start, end).length > 0
  const [first, last] = [axis.startAt(0), axis.endAt(axis.length - 1)]
  return (start < first && TimeAxis.scheduled(dimension, start, Math.min(end, first)).length > 0) ||
    (end > last && TimeAxis.scheduled(dimension, Math.max(start, last), end).length > 0)
}

const overTime = (
  entry: Containing | Overlapping,
  [down, downAxis]: readonly [TimeDimension, TimeAxis.Axis],
  [up, upAxis]: readonly [TimeDimension, TimeAxis.Axis]
): AxisRelation.AxisRelation =>
  AxisRelation.ascending(downAxis, (index) => {
    const interval = reach(entry, down, downAxis, index)
    const from = upAxis.firstEndingAfter(interval.start)
    const to = upAxis.firstStartingAtOrAfter(interval.end)
    const skips = entry._tag === "overlapping" && entry.missing === "skip"
    const missing = entry._tag === "containing" ? from >= to : !skips && lacks(up, upAxis, interval)
    return { from, to: entry._tag === "containing" ? Math.min(to, from + 1) : to, missing }
  })

type Ends = readonly [dimension: Partitions.Dimension, axis: Partitions.Axis]

const relate = (entry: DimensionMapping, downstream: Ends | undefined, [up, upAxis]: Ends) => {
  const [down, downAxis] = downstream ?? [undefined, NOTHING]
  const timed = down === undefined ? undefined : asTime(down)
  switch (entry._tag) {
    case "from":
      return down === up
        ? AxisRelation.ascending(downAxis, (index) => ({ from: index, to: index + 1, missing: false }))
        : AxisRelation.pairs(downAxis, upAxis, (index) => [upAxis.indexOf(downAxis.keyAt(index))])
    case "containing":
    case "overlapping":
      return overTime(entry, [timed!, downAxis as TimeAxis.Axis], [asTime(up)!, upAxis as TimeAxis.Axis])
    case "all":
      return AxisRelation.constant(Array.from({ length: upAxis.length }, (_, index) => index), false, downAxis)
    case "last":
      return AxisRelation.constant(upAxis.length === 0 ? [] : [upAxis.length - 1], upAxis.length === 0, downAxis)
    case "specific": {
      const found = entry.values.map((value) => upAxis.indexOf(value))
      return AxisRelation.constant(found.filter((index) => index >= 0), found.includes(-1), downAxis)
    }
    case "listed":
      return AxisRelation.pairs(
        downAxis,
        upAxis,
        (index) => (entry.values[downAxis.keyAt(index)] ?? []).map((value) => upAxis.indexOf(value))
      )
    case "custom":
      return AxisRelation.pairs(
        downAxis,
        upAxis,
        (index) => entry.values(downAxis.keyAt(index)).map((value) => upAxis.indexOf(value))
      )
  }
}

/** Where an entry reads no downstream dimension, any index stands for all of them. */
const NOTHING: Partitions.Axis = { length: 1, keyAt: () => "", indexOf: () => 0 }

const relations = new WeakMap<
  Partitions.Axis,
  WeakMap<Partitions.Axis, WeakMap<DimensionMapping, AxisRelation.AxisRelation>>
>()

/** Relations are asked for once per partition of a run and stay the same within a universe. */
const relationOf = (entry: DimensionMapping, down: Ends | undefined, up: Ends): AxisRelation.AxisRelation => {
  const [below, above] = [down?.[1] ?? NOTHING, up[1]]
  let ofDown = relations.get(below)
  if (ofDown === undefined) relations.set(below, ofDown = new WeakMap())
  let ofBoth = ofDown.get(above)
  if (ofBoth === undefined) ofDown.set(above, ofBoth = new WeakMap())
  let relation = ofBoth.get(entry)
  if (relation === undefined) ofBoth.set(entry, relation = relate(entry, down, up))
  return relation
}

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

/** Where two upstream levels follow one downstream level, its values are looked at one by one. */
function* apart(box: IndexSet.Box, levels: ReadonlyArray<Level>): Generator<IndexSet.Box> {
  const twice = levels.find(({ follows }, level) =>
    follows >= 0 && levels.findIndex((other) => other.follows === follows) < level
  )
  if (twice === undefined) return yield box
  const [from, to] = box[twice.follows]!
  for (let index = from; index < to; index++) {
    yield box.map((run, at) => at === twice.follows ? [index, index + 1] : run)
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

/** The downstream partitions of which a level needs a value that does not exist. */
const lacking = (levels: ReadonlyArray<Level>, down: Partitions.Space): IndexSet.IndexSet => {
  const found: Array<IndexSet.IndexSet> = []
  for (const { follows, relation } of levels) {
    if (relation.missing.length === 0) continue
    const runs = down.axes.map(({ length }, level): AxisRelation.Runs =>
      level === follows ? relation.missing : [0, length]
    )
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
  const down = set.space
  const levels = levelsOf(mapping, up, down)
  const image = imageOf(levels, up, set)
  const keys = IndexSet.intersection(image, up.existing)
  let missing = IndexSet.intersection(lacking(levels, down), set.cells)
  // A reading of many leaves out what lies outside of a member's lifetime; a reading of one cannot.
  if (isSingle(mapping) && keys.size < image.size) {
    const lost = preimageOf(levels, down, IndexSet.difference(image, up.existing))
    missing = IndexSet.union(missing, IndexSet.intersection(lost, set.cells))
  }
  return { keys: PartitionSet.make(up, keys), missing: PartitionSet.make(down, missing) }
}

/** The existing downstream partitions that read one of these upstream ones. */
export const downstream = (
  mapping: PartitionMapping,
  down: Partitions.Space,
  set: PartitionSet.PartitionSet
): PartitionSet.PartitionSet => {
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
  dimension: Partitions.Dimension,
  down: Partitions.Space,
  key: PartitionKey.PartitionKey
): ReadonlyArray<string> => {
  if (entry._tag === "from") return [key[entry.dimension]!]
  if (entry._tag === "specific") return entry.values
  if (entry._tag === "listed") return entry.values[key[entry.dimension]!] ?? []
  if (entry._tag === "custom") return entry.values(key[entry.dimension]!)
  if (entry._tag === "all" || entry._tag === "last") return []
  const level = down.names.indexOf(entry.dimension)
  const timed = down.dimensions[entry.dimension] as TimeDimension
  const axis = down.axes[level] as TimeAxis.Axis
  const { end, start } = reach(entry, timed, axis, axis.indexOf(key[entry.dimension]!))
  return TimeAxis.scheduled(dimension as TimeDimension, start, end).map((window) => window.key)
}

/** What a `missing` downstream partition lacks: `month=2013-10`, or the key that no member lives to have. */
export const explain = (
  mapping: PartitionMapping,
  up: Partitions.Space,
  down: Partitions.Space,
  key: PartitionKey.PartitionKey
): string => {
  const found: { [dimension: string]: string } = {}
  for (const [level, name] of up.names.entries()) {
    const axis = up.axes[level]!
    const values = needed(mapping[name]!, up.dimensions[name]!, down, key)
    const lost = values.find((value) => axis.indexOf(value) < 0)
    if (lost !== undefined) return `${name}=${lost}`
    if (axis.length === 0) return `any ${name}`
    found[name] = values[0] ?? axis.keyAt(axis.length - 1)
  }
  return Object.keys(up.dimensions).map((name) => `${name}=${found[name]}`).join(",")
}
