/**
 * The slow and plain way to decode an intraday series: every object as a list of its members, each row through a Schema,
 * each time through `DateTime`. What the fast decoder says about a valid answer is compared with this.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** An object keeps its members in order, doubled ones included; a number keeps its text. */
export type Value = string | number | boolean | null | ReadonlyArray<Value> | Members | Literal
export interface Members {
  readonly members: ReadonlyArray<readonly [name: string, value: Value]>
}
interface Literal {
  readonly literal: string
}

/** Text that `JSON.parse` accepts. */
export const read = (text: string): Value => {
  let at = 0
  const blank = () => {
    while (/\s/.test(text[at] ?? "")) at++
  }
  const string = (): string => {
    const [found] = /^"(?:[^"\\]|\\.)*"/s.exec(text.slice(at))!
    at += found.length
    return JSON.parse(found) as string
  }
  const list = <A>(end: string, item: () => A): ReadonlyArray<A> => {
    const items: Array<A> = []
    at++
    for (blank(); text[at] !== end; blank()) {
      if (text[at] === ",") at++
      blank()
      items.push(item())
    }
    at++
    return items
  }
  const value = (): Value => {
    blank()
    if (text[at] === "\"") return string()
    if (text[at] === "[") return list("]", value)
    if (text[at] === "{") {
      return {
        members: list("}", () => {
          const name = string()
          blank()
          at++
          return [name, value()] as const
        })
      }
    }
    const [literal] = /^[^\s,\]}]+/.exec(text.slice(at))!
    at += literal.length
    return { literal }
  }
  return value()
}

const Price = Schema.String.check(Schema.isPattern(/^-?\d+(\.\d+)?$/))
const Numbers = Schema.Struct({ open: Price, high: Price, low: Price, close: Price, volume: Price })
export const Row = Schema.Struct({
  open: Schema.Finite.check(Schema.isGreaterThan(0)),
  high: Schema.Finite.check(Schema.isGreaterThan(0)),
  low: Schema.Finite.check(Schema.isGreaterThan(0)),
  close: Schema.Finite.check(Schema.isGreaterThan(0)),
  volume: Schema.Finite.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0))
}).check(
  Schema.makeFilter((row) => row.high >= Math.max(row.open, row.close, row.low)),
  Schema.makeFilter((row) => row.low <= Math.min(row.open, row.close))
)

export type Bar = readonly [ts: number, open: number, high: number, low: number, close: number, volume: number]

export interface Answer {
  /** By session, ascending. */
  readonly bars: ReadonlyArray<Bar>
  readonly rejected: number
}

const instantOf = (label: string, zone: string, minutes: number): number | undefined => {
  const found = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):00$/.exec(label)
  if (found === null || Number(label.slice(14, 16)) % minutes !== 0) return undefined
  const utc = DateTime.make(`${label.replace(" ", "T")}Z`)
  if (Option.isNone(utc) || !DateTime.formatIso(utc.value).startsWith(label.slice(0, 10))) return undefined
  const zoned = DateTime.makeZoned(utc.value, { timeZone: zone, adjustForTimeZone: true, disambiguation: "reject" })
  return Option.isNone(zoned) ? undefined : DateTime.toEpochMillis(zoned.value)
}

export const isMembers = (value: Value | undefined): value is Members =>
  typeof value === "object" && value !== null && "members" in value

const rowOf = (value: Value): typeof Row.Type | undefined => {
  if (!isMembers(value)) return undefined
  const cells = new Map<string, unknown>()
  for (const [name, cell] of value.members) {
    const column = name.replace(/^.*?\. /, "")
    if (cells.has(column) && column in Numbers.fields) return undefined
    cells.set(column, typeof cell === "object" && cell !== null && "literal" in cell ? cell.literal : cell)
  }
  const numbers = Schema.decodeUnknownResult(Numbers)(Object.fromEntries(cells))
  if (Result.isFailure(numbers)) return undefined
  const { close, high, low, open, volume } = numbers.success
  const row = Schema.decodeUnknownResult(Row)({
    open: Number(open),
    high: Number(high),
    low: Number(low),
    close: Number(close),
    volume: Number(volume)
  })
  return Result.isSuccess(row) ? row.success : undefined
}

/** `text` is a whole answer whose labels name the start of a bar, in a known zone. */
export const decode = (text: string, minutes: number): Answer => {
  const { members } = read(text.replace(/^\uFEFF/, "")) as Members
  const meta = members.find(([name]) => name === "Meta Data")![1] as Members
  const zone = meta.members.find(([name]) => name.endsWith(". Time Zone"))![1] as string
  const series = members.find(([name]) => name.startsWith("Time Series ("))![1] as Members
  const found = new Map<number, Bar>()
  let rejected = 0
  for (const [label, value] of series.members) {
    const ts = instantOf(label, zone === "US/Eastern" ? "America/New_York" : zone, minutes)
    const row = rowOf(value)
    if (ts === undefined || row === undefined) {
      rejected++
      continue
    }
    const bar: Bar = [ts, row.open, row.high, row.low, row.close, row.volume]
    const before = found.get(ts)
    if (before === undefined) found.set(ts, bar)
    else if (before.some((cell, at) => cell !== bar[at])) rejected++
  }
  return { bars: [...found.values()].sort((a, b) => a[0] - b[0]), rejected }
}
