/**
 * The windows of a time dimension that exist by a given instant, in order, with their keys.
 *
 * Windows are laid out once per dimension, kept as arrays of numbers, and only ever extended, so that an axis for
 * another `now` costs microseconds. Key texts are made when asked for. A window is [start, end) in epoch milliseconds.
 */
import * as Result from "effect/Result"
import * as Calendar from "./Calendar.ts"
import * as Cron from "./Cron.ts"
import * as KeyFormat from "./KeyFormat.ts"
import type { TimeDimension } from "./TimeWindows.ts"
import * as Zone from "./Zone.ts"

const DAY = 86_400_000

/** An immutable view: the same windows for ever, whatever `now` becomes. */
export interface Axis {
  readonly length: number
  readonly keyAt: (index: number) => string
  /** -1 when there is no such window. */
  readonly indexOf: (key: string) => number
  readonly startAt: (index: number) => number
  readonly endAt: (index: number) => number
  /** The first window that ends after the instant; `length` when there is none. */
  readonly firstEndingAfter: (instant: number) => number
  /** The first window that starts at or after the instant; `length` when there is none. */
  readonly firstStartingAtOrAfter: (instant: number) => number
}

export interface Window {
  readonly key: string
  readonly start: number
  readonly end: number
}

/** What is known of a dimension. */
interface Table {
  readonly zone: Zone.Zone
  readonly startsFrom: number
  readonly endsBy: number
  readonly starts: Array<number>
  readonly ends: Array<number>
  /** The local time that a window is called by. */
  readonly labels: Array<number>
  readonly keys: Array<string | undefined>
  /** Laid out are all windows that start before `resumeAt`; all that end before `knownUntil` are among them. */
  resumeAt: number
  knownUntil: number
  /** How many windows in a row, up to there, are excluded. */
  barren: number
  axis: Axis | undefined
}

const tables = new WeakMap<TimeDimension, Table>()

const makeTable = (dimension: TimeDimension): Table => {
  const zone = Result.getOrThrow(Zone.make(dimension.zone))
  const startsFrom = Zone.toInstant(zone, dimension.start, "earlier")
  return {
    zone,
    startsFrom,
    endsBy: dimension.end === undefined
      ? Number.POSITIVE_INFINITY
      : Zone.toInstant(zone, dimension.end, "later"),
    starts: [],
    ends: [],
    labels: [],
    keys: [],
    resumeAt: startsFrom,
    knownUntil: Number.NEGATIVE_INFINITY,
    barren: 0,
    axis: undefined
  }
}

const tableOf = (dimension: TimeDimension): Table => {
  let table = tables.get(dimension)
  if (table === undefined) tables.set(dimension, table = makeTable(dimension))
  return table
}

/** False ends the walk. */
type TakeWindow = (start: number, end: number, label: number) => boolean

/** Keys without a time of day are called by the day of the tick's own local time, also where the tick had to move. */
const isDated = (dimension: TimeDimension): boolean => KeyFormat.isAsFineAs("day", dimension.format.finest)

const walkCron = (dimension: TimeDimension, cron: Cron.Cron, zone: Zone.Zone, from: number, take: TakeWindow) => {
  const dated = isDated(dimension)
  let [start, label] = [Number.NaN, 0]
  Cron.walk(cron, zone, from, Number.POSITIVE_INFINITY, (tick, named) => {
    const goesOn = Number.isNaN(start) || take(start, tick, label)
    start = tick
    label = dated ? named : Zone.toLocal(zone, tick)
    return goesOn
  })
}

const walkSessions = (calendar: Calendar.Calendar, hours: Calendar.Hours, from: number, take: TakeWindow) => {
  const dates = Calendar.allSessions(calendar)
  // Two days early: a session's date begins before it opens, wherever the exchange is.
  let at = Calendar.indexAtOrAfter(calendar, new Date(from - 2 * DAY).toISOString().slice(0, 10))
  for (; at < dates.length; at++) {
    const start = Calendar.opensAt(calendar, dates[at]!, hours)
    if (start < from) continue
    if (!take(start, Calendar.closesAt(calendar, dates[at]!, hours), Date.parse(dates[at]!))) return
  }
}

/** Windows of the full schedule that start at or after an instant, excluded ones too; true when there are no more. */
const walk = (dimension: TimeDimension, zone: Zone.Zone, from: number, take: TakeWindow): boolean => {
  let stopped = false
  const takeOrStop: TakeWindow = (start, end, label) => {
    stopped = !take(start, end, label)
    return !stopped
  }
  const { source } = dimension
  if (source._tag === "cron") walkCron(dimension, source.cron, zone, from, takeOrStop)
  else walkSessions(source.calendar, source.hours, from, takeOrStop)
  return !stopped
}

const isExcluded = ({ exclude }: TimeDimension, zone: Zone.Zone, start: number, label: number): boolean =>
  (exclude.dates.size > 0 && exclude.dates.has(new Date(label).toISOString().slice(0, 10))) ||
  (exclude.times.size > 0 && exclude.times.has(Zone.toLocal(zone, start))) ||
  exclude.crons.some((cron) => Cron.hasTick(cron, zone, start))

/** The first index whose value is past what is searched for; values ascend. */
const search = (values: ReadonlyArray<number>, length: number, isPast: (value: number) => boolean): number => {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isPast(values[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}

const endedBy = (table: Table, instant: number): number => search(table.ends, table.ends.length, (end) => end > instant)

/** With everything excluded there is no window ahead to be found; a cron of minutes has this many ticks in a year. */
const MOST_BARREN = 527_040

/** Lays out what ends by `now`, and as many windows beyond it as the offset asks for. */
const extend = (dimension: TimeDimension, table: Table, now: number): void => {
  let wanted = endedBy(table, now) + Math.max(0, dimension.endOffset)
  const beyond = Math.max(0, -dimension.endOffset)
  const isEnough = () =>
    table.knownUntil === Number.POSITIVE_INFINITY ||
    (table.knownUntil > now && (table.starts.length >= wanted || table.barren >= MOST_BARREN)) ||
    (table.knownUntil > table.endsBy && table.starts.length - endedBy(table, table.endsBy) >= beyond)
  if (isEnough()) return
  const isAll = walk(dimension, table.zone, table.resumeAt, (start, end, label) => {
    table.resumeAt = start + 1
    table.knownUntil = end
    if (isExcluded(dimension, table.zone, start, label)) table.barren++
    else {
      add(table, start, end, label)
      if (end <= now) wanted++
    }
    return !isEnough()
  })
  if (isAll) table.knownUntil = Number.POSITIVE_INFINITY
}

const add = (table: Table, start: number, end: number, label: number): void => {
  table.starts.push(start)
  table.ends.push(end)
  table.labels.push(label)
  table.barren = 0
}

const keyOf = ({ format, source }: TimeDimension, zone: Zone.Zone, start: number, label: number): string => {
  const key = KeyFormat.format(format, label)
  const mayRepeat = source._tag === "cron" && source.cron.isHourly
  return mayRepeat && Zone.isRepeat(zone, start) ? key + Zone.formatOffset(Zone.offsetAt(zone, start)) : key
}

/** Walks the windows that end after an instant, excluded ones too. */
const walkEndingAfter = (dimension: TimeDimension, zone: Zone.Zone, after: number, take: TakeWindow): void => {
  const { source } = dimension
  const instant = Zone.clamp(after)
  const from = source._tag === "cron" ? Cron.previous(source.cron, zone, instant + 1) : instant - 2 * DAY
  walk(dimension, zone, from, (start, end, label) => end <= instant || take(start, end, label))
}

/** Windows that have not ended but are not counted either, because they start before the dimension does. */
const pendingBeforeStart = (dimension: TimeDimension, table: Table, now: number): number => {
  let count = 0
  walkEndingAfter(dimension, table.zone, now, (start, _, label) => {
    if (start >= table.startsFrom) return false
    if (!isExcluded(dimension, table.zone, start, label)) count++
    return count < dimension.endOffset
  })
  return count
}

const lengthBy = (dimension: TimeDimension, table: Table, now: number): number => {
  const ended = endedBy(table, now)
  const pending = ended === 0 && dimension.endOffset > 0 ? pendingBeforeStart(dimension, table, now) : 0
  const length = Math.max(0, ended + dimension.endOffset - pending)
  return Math.min(length, dimension.end === undefined ? table.ends.length : endedBy(table, table.endsBy))
}

const makeAxis = (dimension: TimeDimension, table: Table, length: number): Axis => {
  const { ends, keys, labels, starts, zone } = table
  const keyAt = (index: number): string => keys[index] ??= keyOf(dimension, zone, starts[index]!, labels[index]!)
  const firstStartingAtOrAfter = (instant: number) => search(starts, length, (start) => start >= instant)
  return {
    length,
    keyAt,
    indexOf: (key) => {
      const local = KeyFormat.parse(dimension.format, key)
      if (local === undefined) return -1
      const last = Zone.toInstant(zone, local.to, "later")
      for (let i = firstStartingAtOrAfter(Zone.toInstant(zone, local.from, "earlier")); i < length; i++) {
        if (keyAt(i) === key) return i
        if (starts[i]! > last) return -1
      }
      return -1
    },
    startAt: (index) => starts[index]!,
    endAt: (index) => ends[index]!,
    firstEndingAfter: (instant) => search(ends, length, (end) => end > instant),
    firstStartingAtOrAfter
  }
}

/** The windows that exist by `now`. The same view again while nothing has been added. */
export const axis = (dimension: TimeDimension, now: number): Axis => {
  const table = tableOf(dimension)
  extend(dimension, table, now)
  const length = lengthBy(dimension, table, now)
  if (table.axis?.length !== length) table.axis = makeAxis(dimension, table, length)
  return table.axis!
}

/**
 * The windows that the schedule has in [from, to), by overlap, whether or not they exist by now or lie within the
 * dimension's start and end. Excluded ones are not among them.
 */
export const scheduled = (dimension: TimeDimension, from: number, to: number): ReadonlyArray<Window> => {
  const { zone } = tableOf(dimension)
  const windows: Array<Window> = []
  walkEndingAfter(dimension, zone, from, (start, end, label) => {
    if (start >= to) return false
    if (!isExcluded(dimension, zone, start, label)) {
      windows.push({ key: keyOf(dimension, zone, start, label), start, end })
    }
    return true
  })
  return windows
}

/** The window of a key, if the schedule has such a window, within the dimension's start and end or not. */
export const parseKey = (dimension: TimeDimension, key: string): Window | undefined => {
  const local = KeyFormat.parse(dimension.format, key)
  if (local === undefined) return undefined
  const { zone } = tableOf(dimension)
  const [from, to] = [Zone.toInstant(zone, local.from, "earlier"), Zone.toInstant(zone, local.to, "later")]
  return scheduled(dimension, from, to + 1).find((window) => window.key === key)
}
