/**
 * Partition dimensions, and the space of keys that they span.
 *
 * A dimension is a static list, a dynamic set kept in the store, or time windows (`TimeWindows`). An asset has any number
 * of named dimensions; its keys are their product, cut down where a member of a dynamic set has a lifetime: IBM has no
 * session before it was listed. Pure: what changes over time comes in as a `Universe`.
 */
import * as Result from "effect/Result"
import * as IndexSet from "./IndexSet.ts"
import type { PartitionKey } from "./PartitionKey.ts"
import * as PartitionText from "./PartitionKey.ts"
import * as TimeAxis from "./TimeAxis.ts"
import * as TimeWindows from "./TimeWindows.ts"
import * as Zone from "./Zone.ts"

export { cron, daily, hourly, monthly, sessions, type TimeDimension, weekly } from "./TimeWindows.ts"

export interface StaticDimension {
  readonly _tag: "static"
  readonly values: ReadonlyArray<string>
}

/** Members are added and removed while the program runs; `set` is their name in the store. */
export interface DynamicDimension<out Set extends string = string> {
  readonly _tag: "dynamic"
  readonly set: Set
}

export type Dimension = StaticDimension | DynamicDimension | TimeWindows.TimeDimension

export interface Dimensions {
  readonly [name: string]: Dimension
}

/** One key of these dimensions. */
export type Key<D extends Dimensions> = { readonly [K in keyof D]: string }

export const statics = (values: ReadonlyArray<string>): StaticDimension => {
  const seen = new Set<string>()
  const twice = values.find((value) => seen.size === seen.add(value).size)
  if (twice !== undefined) {
    throw new TimeWindows.PartitionsError({ message: `The static value "${twice}" stands twice: remove one.` })
  }
  return { _tag: "static", values }
}

export const dynamic = <const Set extends string>(set: Set): DynamicDimension<Set> => ({ _tag: "dynamic", set })

/** A word for a person: `static`, `dynamic`, `daily`, `sessions XNYS`. */
export const kindOf = (dimension: Dimension): string => dimension._tag === "time" ? dimension.grain : dimension._tag

/** A member of a dynamic set. Time windows beside it exist only within `from`..`to` (dates, both inclusive). */
export interface Member {
  readonly value: string
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/** What the keys depend on beside their declaration. */
export interface Universe {
  /** Epoch milliseconds. */
  readonly now: number
  readonly members: { readonly [set: string]: ReadonlyArray<Member> }
}

/** The values of a dimension by now, in order: windows ascend, the rest stands as it was declared or stored. */
export interface Axis {
  readonly length: number
  readonly keyAt: (index: number) => string
  /** -1 when there is no such value by now. */
  readonly indexOf: (key: string) => number
}

const listed = (values: ReadonlyArray<string>): Axis => {
  const positions = new Map(values.map((value, at) => [value, at]))
  return { length: values.length, keyAt: (index) => values[index]!, indexOf: (key) => positions.get(key) ?? -1 }
}

const known = new WeakMap<Universe, Map<Dimension, Axis>>()

const makeAxis = (dimension: Dimension, universe: Universe): Axis => {
  switch (dimension._tag) {
    case "static":
      return listed(dimension.values)
    case "dynamic":
      return listed((universe.members[dimension.set] ?? []).map((member) => member.value))
    case "time":
      return TimeAxis.axis(dimension, universe.now)
  }
}

/** The same object for the same dimension and universe. */
export const axisOf = (dimension: Dimension, universe: Universe): Axis => {
  let axes = known.get(universe)
  if (axes === undefined) known.set(universe, axes = new Map())
  let axis = axes.get(dimension)
  if (axis === undefined) axes.set(dimension, axis = makeAxis(dimension, universe))
  return axis
}

/** The axis of a time dimension, with its windows. */
export const timeAxisOf = (dimension: TimeWindows.TimeDimension, universe: Universe): TimeAxis.Axis =>
  axisOf(dimension, universe) as TimeAxis.Axis

/**
 * The keys of some dimensions in a universe, by index. Levels stand in the order of the declaration, time windows last:
 * they have the long runs. Without dimensions there is one level with one index: the only key.
 */
export interface Space {
  readonly dimensions: Dimensions
  readonly universe: Universe
  /** Names in the order of the levels. */
  readonly names: ReadonlyArray<string>
  readonly axes: ReadonlyArray<Axis>
  /** The keys that exist by now. */
  readonly existing: IndexSet.IndexSet
}

const DAY = 86_400_000

/** The windows that a lifetime leaves of a time axis, half open. */
const lifetime = (member: Member, dimension: TimeWindows.TimeDimension, axis: TimeAxis.Axis) => {
  const zone = Result.getOrThrow(Zone.make(dimension.zone))
  const midnight = (date: string, days: number): number =>
    Zone.toInstant(zone, Date.parse(`${date}T00:00:00Z`) + days * DAY, "earlier")
  const from = member.from === undefined ? 0 : axis.firstEndingAfter(midnight(member.from, 0))
  const to = member.to === undefined ? axis.length : axis.firstStartingAtOrAfter(midnight(member.to, 1))
  return [from, Math.max(from, to)] as const
}

/** For one dynamic level: each member with what its lifetime leaves of the time levels. */
const livingOn = (space: Omit<Space, "existing">, level: number, members: ReadonlyArray<Member>) => {
  const boxes = members.map((member, index) =>
    IndexSet.box(space.axes.map((axis, at) => {
      if (at === level) return [index, index + 1] as const
      const dimension = space.dimensions[space.names[at]!]!
      return dimension._tag === "time"
        ? lifetime(member, dimension, axis as TimeAxis.Axis)
        : [0, axis.length] as const
    }))
  )
  return IndexSet.unionAll(boxes)
}

const existingIn = (space: Omit<Space, "existing">): IndexSet.IndexSet => {
  let existing = IndexSet.box(space.axes.map((axis) => [0, axis.length] as const))
  for (const [level, name] of space.names.entries()) {
    const dimension = space.dimensions[name]!
    if (dimension._tag !== "dynamic") continue
    const members = space.universe.members[dimension.set] ?? []
    if (members.every(({ from, to }) => from === undefined && to === undefined)) continue
    existing = IndexSet.intersection(existing, livingOn(space, level, members))
  }
  return existing
}

const ONE = listed([""])

const levelsOf = (dimensions: Dimensions): ReadonlyArray<string> => {
  const names = Object.keys(dimensions)
  const isTime = (name: string): boolean => dimensions[name]!._tag === "time"
  return [...names.filter((name) => !isTime(name)), ...names.filter(isTime)]
}

const spaces = new WeakMap<Universe, WeakMap<Dimensions, Space>>()

/** The same object for the same dimensions and universe. */
export const space = (dimensions: Dimensions, universe: Universe): Space => {
  let within = spaces.get(universe)
  if (within === undefined) spaces.set(universe, within = new WeakMap())
  const found = within.get(dimensions)
  if (found !== undefined) return found
  const names = levelsOf(dimensions)
  const axes = names.length === 0 ? [ONE] : names.map((name) => axisOf(dimensions[name]!, universe))
  const bare = { dimensions, universe, names, axes }
  const made = { ...bare, existing: existingIn(bare) }
  within.set(dimensions, made)
  return made
}

/** The indices of a key; undefined when one of its values does not exist by now. */
export const indicesOf = (self: Space, key: PartitionKey): ReadonlyArray<number> | undefined => {
  if (self.names.length === 0) return [0]
  const found = self.names.map((name, level) => self.axes[level]!.indexOf(key[name] ?? ""))
  return found.includes(-1) ? undefined : found
}

/** The key at these indices, in the order of the declaration. */
export const keyAt = (self: Space, indices: ReadonlyArray<number>): PartitionKey => {
  const key: { [name: string]: string } = {}
  for (const name in self.dimensions) {
    const level = self.names.indexOf(name)
    key[name] = self.axes[level]!.keyAt(indices[level]!)
  }
  return key
}

/** When the last window of the key ends; undefined when it has no time dimension or no such window. */
export const keyEnd = (self: Space, key: PartitionKey): number | undefined => {
  let end: number | undefined
  for (const [level, name] of self.names.entries()) {
    if (self.dimensions[name]!._tag !== "time") continue
    const index = self.axes[level]!.indexOf(key[name]!)
    const one = index < 0 ? undefined : (self.axes[level] as TimeAxis.Axis).endAt(index)
    if (one !== undefined && (end === undefined || one > end)) end = one
  }
  return end
}

/** The canonical texts of keys, each value encoded once. */
export const textOf = (self: Space): (indices: ReadonlyArray<number>) => string => {
  const parts = Object.keys(self.dimensions).map((name) => {
    const level = self.names.indexOf(name)
    const texts: Array<string> = []
    return {
      level,
      at: (index: number) => texts[index] ??= `${name}=${PartitionText.encodeValue(self.axes[level]!.keyAt(index))}`
    }
  })
  return (indices) => {
    let text = ""
    for (const { at, level } of parts) text = text === "" ? at(indices[level]!) : `${text},${at(indices[level]!)}`
    return text
  }
}

const LATER = 2 * DAY
const ahead = new WeakMap<Universe, Universe>()

/**
 * The axis of the last level as a process sees it whose clock is ahead of ours: its windows begin with ours, and what it
 * stored can be read.
 */
export const lastAxis = (self: Space): Axis => {
  const name = self.names.at(-1)
  const dimension = name === undefined ? undefined : self.dimensions[name]!
  if (dimension?._tag !== "time") return self.axes.at(-1)!
  let later = ahead.get(self.universe)
  if (later === undefined) {
    later = { ...self.universe, now: self.universe.now + LATER }
    ahead.set(self.universe, later)
  }
  return axisOf(dimension, later)
}

/** The key without its last level, as text: what the partitions of one line have in common. */
export const lineOf = (self: Space, key: PartitionKey): string => {
  const last = self.names.at(-1)
  const rest: { [name: string]: string } = {}
  for (const name in key) if (name !== last) rest[name] = key[name]!
  return PartitionText.toText(rest)
}
