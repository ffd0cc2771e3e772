/**
 * What one entry of a mapping means between one downstream and one upstream dimension, by index: see `AxisRelation`.
 * Time windows are compared by their instants, so grains and zones may differ.
 */
import * as AxisRelation from "./AxisRelation.ts"
import type { Containing, DimensionMapping, Overlapping } from "./PartitionMapping.ts"
import type * as Partitions from "./Partitions.ts"
import * as TimeAxis from "./TimeAxis.ts"
import type { TimeDimension } from "./TimeWindows.ts"

interface Interval {
  readonly start: number
  readonly end: number
}

const asTime = (dimension: Partitions.Dimension): TimeDimension | undefined =>
  dimension._tag === "time" ? dimension : undefined

/** How far a shift looks for windows at a time that has none: a calendar has ended, a cron has a long pause. */
const FARTHEST = 50 * 366 * 86_400_000

/**
 * The `offset`-th window of the schedule after (or before) the one at `index`, whether or not it exists by now; where the
 * schedule itself has no more, its last (or first) one.
 */
const shifted = (dimension: TimeDimension, axis: TimeAxis.Axis, index: number, offset: number): Interval => {
  const at = index + offset
  if (at >= 0 && at < axis.length) return { start: axis.startAt(at), end: axis.endAt(at) }
  const own = { start: axis.startAt(index), end: axis.endAt(index) }
  const count = Math.abs(offset)
  for (let span = (own.end - own.start) * (count + 1);; span *= 2) {
    const windows = offset < 0
      ? TimeAxis.scheduled(dimension, own.start - span, own.start)
      : TimeAxis.scheduled(dimension, own.end, own.end + span)
    const found = offset < 0 ? windows.at(-count) : windows[count - 1]
    if (found !== undefined) return found
    if (span > FARTHEST) return (offset < 0 ? windows[0] : windows.at(-1)) ?? own
  }
}

/** The time that a downstream window reads. */
export const reach = (
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
    if (entry._tag === "containing") return { from, to: Math.min(to, from + 1), missing: from >= to }
    const isLacking = lacks(up, upAxis, interval)
    return entry.missing === "skip" ? { from, to, growing: isLacking } : { from, to, missing: isLacking }
  })

/** A dimension and its values. */
export type Ends = readonly [dimension: Partitions.Dimension, axis: Partitions.Axis]

const relate = (entry: DimensionMapping, downstream: Ends | undefined, [up, upAxis]: Ends) => {
  const [down, downAxis] = downstream ?? [undefined, NOTHING]
  const timed = down === undefined ? undefined : asTime(down)
  switch (entry._tag) {
    case "from":
      return down === up
        ? AxisRelation.ascending(downAxis, (index) => ({ from: index, to: index + 1 }))
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
export const NOTHING: Partitions.Axis = { length: 1, keyAt: () => "", indexOf: () => 0 }

const relations = new WeakMap<
  Partitions.Axis,
  WeakMap<Partitions.Axis, WeakMap<DimensionMapping, AxisRelation.AxisRelation>>
>()

/** Relations are asked for once per partition of a run and stay the same within a universe. */
export const relationOf = (entry: DimensionMapping, down: Ends | undefined, up: Ends): AxisRelation.AxisRelation => {
  const [below, above] = [down?.[1] ?? NOTHING, up[1]]
  let ofDown = relations.get(below)
  if (ofDown === undefined) relations.set(below, ofDown = new WeakMap())
  let ofBoth = ofDown.get(above)
  if (ofBoth === undefined) ofDown.set(above, ofBoth = new WeakMap())
  let relation = ofBoth.get(entry)
  if (relation === undefined) ofBoth.set(entry, relation = relate(entry, down, up))
  return relation
}
