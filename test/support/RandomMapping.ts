/** Random mappings between random spaces, and what they mean, written slowly from the definition. */
import { nyse } from "../../src/assets/nyse.ts"
import * as PartitionMapping from "../../src/runtime/partition/PartitionMapping.ts"
import * as Partitions from "../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../src/runtime/partition/PartitionSet.ts"
import * as TimeAxis from "../../src/runtime/partition/TimeAxis.ts"

/** The clocks of New York change on the 10th. */
export const universes: ReadonlyArray<Partitions.Universe> = [
  {
    now: Date.parse("2024-03-12T10:20:00Z"),
    members: {
      symbols: [{ value: "A" }, { value: "B", from: "2024-03-04" }, {
        value: "C",
        from: "2024-03-01",
        to: "2024-03-06"
      }],
      others: [{ value: "C" }, { value: "A", to: "2024-03-07" }, { value: "Z" }]
    }
  },
  // Hardly anything exists yet.
  { now: Date.parse("2024-03-02T12:00:00Z"), members: { symbols: [{ value: "B" }] } }
]

const pool: Partitions.Dimensions = {
  symbol: Partitions.dynamic("symbols"),
  other: Partitions.dynamic("others"),
  letter: Partitions.statics(["A", "B", "x"]),
  word: Partitions.statics(["x", "B", "y"]),
  day: Partitions.daily({ start: "2024-03-01", zone: "America/New_York", exclude: ["2024-03-05"] }),
  noon: Partitions.daily({ start: "2024-02-28", zone: "Europe/Berlin", hourOffset: 12, endOffset: -1 }),
  hour: Partitions.hourly({
    start: "2024-03-10",
    zone: "America/New_York",
    minuteOffset: 30,
    exclude: ["15 */4 * * *", "30 3 * * *"]
  }),
  week: Partitions.weekly({ start: "2024-02-19", zone: "Europe/Berlin", endOffset: 1 }),
  month: Partitions.monthly({ start: "2024-01", zone: "Asia/Kolkata", endOffset: 1 }),
  third: Partitions.cron("0 6 */3 * *", { start: "2024-02-20", end: "2024-03-09" }),
  session: Partitions.sessions(nyse, { start: "2024-02-26" }),
  extended: Partitions.sessions(nyse, { start: "2024-03-04", hours: "extended", endOffset: 1 })
}
const names = Object.keys(pool)

const OFFSETS = [[0, 0], [-2, 0], [-1, 1], [1, 2], [-3, -1], [0, 0]] as const

const isTime = (name: string): boolean => pool[name]!._tag === "time"

/** Every kind of entry by which an upstream dimension can be found from these downstream ones. */
const entriesOf = (name: string, own: ReadonlyArray<string>): ReadonlyArray<PartitionMapping.DimensionMapping> => {
  const { all, containing, custom, from, last, listed, overlapping, specific } = PartitionMapping
  const plain = own.filter((one) => !isTime(one))
  if (isTime(name)) {
    const timed = own.filter(isTime).flatMap((one, at) => [
      containing(one),
      ...OFFSETS.map(([startOffset, endOffset], index) =>
        overlapping(one, { startOffset, endOffset, missing: (index + at) % 2 === 0 ? "block" : "skip" })
      )
    ])
    return [all, last, ...(own.includes(name) ? [from(name)] : []), ...timed]
  }
  return [
    all,
    last,
    specific("A"),
    specific("x", "B"),
    ...plain.flatMap((one) => [
      from(one),
      listed(one, { A: ["B"], B: ["A", "x"], x: ["gone"] }),
      custom(one, "1", (value) => value === "A" ? [] : [value, "B"])
    ])
  ]
}

export interface Drawn {
  readonly universe: number
  readonly down: ReadonlyArray<number>
  readonly up: ReadonlyArray<number>
  readonly entries: ReadonlyArray<number>
}

export interface Case {
  readonly up: Partitions.Space
  readonly down: Partitions.Space
  readonly mapping: PartitionMapping.PartitionMapping
}

const pickedFrom = (numbers: ReadonlyArray<number>) => [...new Set(numbers.map((one) => names[one % names.length]!))]

const spaceOf = (own: ReadonlyArray<string>, universe: Partitions.Universe): Partitions.Space =>
  Partitions.space(Object.fromEntries(own.map((name) => [name, pool[name]!])), universe)

export const caseOf = (drawn: Drawn): Case => {
  const universe = universes[drawn.universe % universes.length]!
  const [own, read] = [pickedFrom(drawn.down), pickedFrom(drawn.up)]
  const mapping = Object.fromEntries(read.map((name, at) => {
    const entries = entriesOf(name, own)
    return [name, entries[(drawn.entries[at] ?? 0) % entries.length]!]
  }))
  return { up: spaceOf(read, universe), down: spaceOf(own, universe), mapping }
}

interface Meaning {
  /** Existing values, in any order. */
  readonly values: ReadonlyArray<string>
  readonly isMissing: boolean
}

const ALL_TIME = [Date.parse("2023-10-01T00:00:00Z"), Date.parse("2024-07-01T00:00:00Z")] as const

const laidOut = new Map<Partitions.TimeDimension, ReadonlyArray<TimeAxis.Window>>()

/** Every window of the schedule, whether or not it exists. */
const windowsOf = (dimension: Partitions.TimeDimension): ReadonlyArray<TimeAxis.Window> => {
  let windows = laidOut.get(dimension)
  if (windows === undefined) laidOut.set(dimension, windows = TimeAxis.scheduled(dimension, ...ALL_TIME))
  return windows
}

const ofNamed = (axis: Partitions.Axis, values: ReadonlyArray<string>): Meaning => {
  const there = values.filter((value) => axis.indexOf(value) >= 0)
  return { values: there, isMissing: there.length < values.length }
}

const ofTime = (
  entry: PartitionMapping.Containing | PartitionMapping.Overlapping,
  upstream: Partitions.TimeDimension,
  axis: Partitions.Axis,
  dimension: Partitions.TimeDimension,
  key: string
): Meaning => {
  const windows = windowsOf(dimension)
  const at = windows.findIndex((window) => window.key === key)
  const [start, end] = entry._tag === "containing"
    ? [windows[at]!.start, windows[at]!.start + 1]
    : [windows[at + entry.startOffset]!.start, windows[at + entry.endOffset]!.end]
  const hit = windowsOf(upstream).filter((window) => window.start < end && window.end > start)
  const found = ofNamed(axis, hit.map((window) => window.key))
  if (entry._tag === "containing") return { ...found, isMissing: found.values.length === 0 }
  return entry.missing === "skip" ? { ...found, isMissing: false } : found
}

const meaningOf = ({ down, mapping, up }: Case, name: string, key: { readonly [name: string]: string }): Meaning => {
  const entry = mapping[name]!
  const axis = up.axes[up.names.indexOf(name)]!
  const values = Array.from({ length: axis.length }, (_, index) => axis.keyAt(index))
  switch (entry._tag) {
    case "from":
      return ofNamed(axis, [key[entry.dimension]!])
    case "all":
      return { values, isMissing: false }
    case "last":
      return { values: values.slice(-1), isMissing: values.length === 0 }
    case "specific":
      return ofNamed(axis, entry.values)
    case "listed":
      return ofNamed(axis, entry.values[key[entry.dimension]!] ?? [])
    case "custom":
      return ofNamed(axis, entry.values(key[entry.dimension]!))
    case "containing":
    case "overlapping": {
      const [upstream, own] = [up.dimensions[name], down.dimensions[entry.dimension]]
      return ofTime(entry, upstream as never, axis, own as never, key[entry.dimension]!)
    }
  }
}

/** The existing upstream keys of a downstream key, and whether it needs something that does not exist. */
export const modelOf = (drawn: Case, key: { readonly [name: string]: string }) => {
  const levels = Object.keys(drawn.up.dimensions).map((name) => [name, meaningOf(drawn, name, key)] as const)
  const product = levels.reduce<ReadonlyArray<{ readonly [name: string]: string }>>(
    (found, [name, { values }]) =>
      found.flatMap((head) => [...new Set(values)].map((value) => ({ ...head, [name]: value }))),
    [{}]
  )
  const keys = product.filter((one) => PartitionSet.contains(PartitionSet.all(drawn.up), one))
  const isCut = PartitionMapping.isSingle(drawn.mapping) && keys.length < product.length
  return { keys, isMissing: isCut || levels.some(([, { isMissing }]) => isMissing) }
}
