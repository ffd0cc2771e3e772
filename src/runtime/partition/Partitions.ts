/**
 * Partition dimensions and the keys they have.
 *
 * A dimension is a static list, a dynamic set kept in the store, months, or the sessions of a market calendar. An asset
 * has any number of named dimensions; its keys are their product, cut down where a member of a dynamic set has a
 * lifetime: IBM has no session before it was listed. Pure: what changes over time comes in as a `Universe`.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Calendar from "./Calendar.ts"
import type { PartitionKey } from "./PartitionKey.ts"

export interface StaticDimension {
  readonly _tag: "static"
  readonly values: ReadonlyArray<string>
}

/** Members are added and removed while the program runs; `set` is their name in the store. */
export interface DynamicDimension<out Set extends string = string> {
  readonly _tag: "dynamic"
  readonly set: Set
}

/** Calendar months, `YYYY-MM`, from `start` on. `endOffset: 1` also counts the month that is still going on. */
export interface MonthDimension {
  readonly _tag: "month"
  readonly zone: string
  readonly start: string
  readonly endOffset: 0 | 1
}

/** Sessions, `YYYY-MM-DD`, from `start` on. A session is there from its close on. */
export interface SessionDimension {
  readonly _tag: "session"
  readonly calendar: Calendar.Calendar
  readonly start: string
}

export type Dimension = StaticDimension | DynamicDimension | MonthDimension | SessionDimension

export interface Dimensions {
  readonly [name: string]: Dimension
}

/** One key of these dimensions. */
export type Key<D extends Dimensions> = { readonly [K in keyof D]: string }

export const statics = (values: ReadonlyArray<string>): StaticDimension => ({ _tag: "static", values })

export const dynamic = <const Set extends string>(set: Set): DynamicDimension<Set> => ({ _tag: "dynamic", set })

export const months = (
  options: { readonly zone: string; readonly start: string; readonly endOffset?: 0 | 1 }
): MonthDimension => ({ _tag: "month", endOffset: 0, ...options })

export const sessions = (calendar: Calendar.Calendar, options?: { readonly start: string }): SessionDimension => ({
  _tag: "session",
  calendar,
  start: options?.start ?? calendar.first
})

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

const localDate = (epochMillis: number, zone: string): string =>
  DateTime.formatIsoDate(DateTime.makeZonedUnsafe(epochMillis, { timeZone: zone }))

const nextMonth = (month: string): string => {
  const [year, index] = [Number(month.slice(0, 4)), Number(month.slice(5, 7))]
  return index === 12 ? `${year + 1}-01` : `${month.slice(0, 4)}-${String(index + 1).padStart(2, "0")}`
}

const monthEnds = new WeakMap<MonthDimension, Map<string, number>>()

const monthEnd = (dimension: MonthDimension, month: string): number => {
  let known = monthEnds.get(dimension)
  if (known === undefined) monthEnds.set(dimension, known = new Map())
  let end = known.get(month)
  if (end === undefined) {
    const next = `${nextMonth(month)}-01T00:00:00`
    const start = DateTime.makeZoned(next, { timeZone: dimension.zone, adjustForTimeZone: true })
    known.set(month, end = Option.getOrThrow(start).epochMilliseconds)
  }
  return end
}

/** When the window of a time dimension's value ends, epoch milliseconds; undefined for other dimensions. */
export const windowEnd = (dimension: Dimension, value: string): number | undefined => {
  if (dimension._tag === "session") return Calendar.closesAt(dimension.calendar, value)
  return dimension._tag === "month" ? monthEnd(dimension, value) : undefined
}

const monthsUntil = (dimension: MonthDimension, now: number): ReadonlyArray<string> => {
  const current = localDate(now, dimension.zone).slice(0, 7)
  const values: Array<string> = []
  for (let month = dimension.start; month < current; month = nextMonth(month)) values.push(month)
  if (dimension.endOffset === 1 && dimension.start <= current) values.push(current)
  return values
}

const sessionsUntil = (dimension: SessionDimension, now: number): ReadonlyArray<string> => {
  const today = localDate(now, dimension.calendar.zone)
  const values = Calendar.sessionsBetween(dimension.calendar, dimension.start, today)
  const last = values.at(-1)
  return last !== undefined && Calendar.closesAt(dimension.calendar, last) > now ? values.slice(0, -1) : values
}

/** Every value that the dimension has by now: time windows ascend, the rest stands in the order declared or stored. */
export const valuesOf = (dimension: Dimension, universe: Universe): ReadonlyArray<string> => {
  switch (dimension._tag) {
    case "static":
      return dimension.values
    case "dynamic":
      return (universe.members[dimension.set] ?? []).map((member) => member.value)
    case "month":
      return monthsUntil(dimension, universe.now)
    case "session":
      return sessionsUntil(dimension, universe.now)
  }
}

interface Span {
  readonly from: string
  readonly to: string
}

const ALWAYS: Span = { from: "0000", to: "9999" }

/** A month overlaps the span when its text does: `2013-10` stands for every date that begins with it. */
const within = (span: Span, dimension: Dimension, value: string): boolean =>
  dimension._tag === "session"
    ? value >= span.from && value <= span.to
    : dimension._tag !== "month" || (value >= span.from.slice(0, 7) && value <= span.to.slice(0, 7))

const intersect = (a: Span, b: Member): Span => ({
  from: b.from !== undefined && b.from > a.from ? b.from : a.from,
  to: b.to !== undefined && b.to < a.to ? b.to : a.to
})

const byValue = new WeakMap<ReadonlyArray<Member>, ReadonlyMap<string, Member>>()

const memberOf = (dimension: Dimension, value: string, universe: Universe): Member | undefined => {
  const members = dimension._tag === "dynamic" ? universe.members[dimension.set] : undefined
  if (members === undefined) return undefined
  let known = byValue.get(members)
  if (known === undefined) byValue.set(members, known = new Map(members.map((member) => [member.value, member])))
  return known.get(value)
}

/** A value of a dimension may be asked for: all of them, or those that pass. */
export type Filter = (dimension: string, value: string) => boolean

const all: Filter = () => true

/** Dynamic dimensions first, so that lifetimes are known where windows are laid out. */
const outerFirst = (dimensions: Dimensions): ReadonlyArray<string> =>
  Object.keys(dimensions).sort((a, b) =>
    Number(dimensions[b]!._tag === "dynamic") - Number(dimensions[a]!._tag === "dynamic")
  )

/** The keys that exist by now and pass the filter. Ordered by dimension, dynamic sets outermost. */
export const keys = (dimensions: Dimensions, universe: Universe, filter: Filter = all): ReadonlyArray<PartitionKey> => {
  const names = outerFirst(dimensions)
  const values = names.map((name) => valuesOf(dimensions[name]!, universe).filter((value) => filter(name, value)))
  const blank = Object.fromEntries(Object.keys(dimensions).map((name) => [name, ""]))
  const found: Array<PartitionKey> = []
  const walk = (depth: number, span: Span, key: { [dimension: string]: string }): void => {
    if (depth === names.length) return void found.push({ ...key })
    const dimension = dimensions[names[depth]!]!
    for (const value of values[depth]!) {
      if (!within(span, dimension, value)) continue
      key[names[depth]!] = value
      const member = memberOf(dimension, value, universe)
      walk(depth + 1, member === undefined ? span : intersect(span, member), key)
    }
  }
  walk(0, ALWAYS, blank)
  return found
}

const hasValue = (dimension: Dimension, value: string, universe: Universe): boolean => {
  switch (dimension._tag) {
    case "static":
      return dimension.values.includes(value)
    case "dynamic":
      return memberOf(dimension, value, universe) !== undefined
    case "month":
      return /^\d{4}-(0[1-9]|1[0-2])$/.test(value) && value >= dimension.start &&
        (dimension.endOffset === 1
          ? value <= localDate(universe.now, dimension.zone).slice(0, 7)
          : windowEnd(dimension, value)! <= universe.now)
    case "session":
      return value >= dimension.start && Calendar.isSession(dimension.calendar, value) &&
        Calendar.closesAt(dimension.calendar, value) <= universe.now
  }
}

/** True when the key exists by now. */
export const contains = (dimensions: Dimensions, key: PartitionKey, universe: Universe): boolean => {
  let span = ALWAYS
  for (const name in dimensions) {
    const value = key[name]
    if (value === undefined || !hasValue(dimensions[name]!, value, universe)) return false
    const member = memberOf(dimensions[name]!, value, universe)
    if (member !== undefined) span = intersect(span, member)
  }
  return Object.keys(dimensions).every((name) => within(span, dimensions[name]!, key[name]!))
}

/** When the last window of the key ends; undefined when it has no time dimension. */
export const keyEnd = (dimensions: Dimensions, key: PartitionKey): number | undefined => {
  let end: number | undefined
  for (const name in dimensions) {
    const one = windowEnd(dimensions[name]!, key[name]!)
    if (one !== undefined && (end === undefined || one > end)) end = one
  }
  return end
}
