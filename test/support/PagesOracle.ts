/**
 * The slow and plain way to decode a page of Alpaca or Binance: every object as a list of its members, each row through a
 * Schema. What the fast decoder says about a valid answer is compared with this.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SeriesOracle from "./SeriesOracle.ts"

type Cells = ReadonlyArray<readonly [column: string, value: SeriesOracle.Value]>

interface Vendor {
  /** What a row is made of; undefined for what is none. */
  readonly cellsOf: (row: SeriesOracle.Value) => Cells | undefined
  readonly instantOf: (value: SeriesOracle.Value) => number | undefined
  /** Parts of a share are not traded. */
  readonly wholeVolume: boolean
}

const letters: { readonly [name: string]: string } = {
  t: "ts",
  o: "open",
  h: "high",
  l: "low",
  c: "close",
  v: "volume"
}
const places = ["ts", "open", "high", "low", "close", "volume"]

const Text = Schema.String.check(Schema.isPattern(/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/))
const Texts = Schema.Struct({ open: Text, high: Text, low: Text, close: Text, volume: Text })

const textOf = (value: SeriesOracle.Value): unknown =>
  typeof value === "object" && value !== null && "literal" in value ? value.literal : value

const rowOf = (cells: Cells, wholeVolume: boolean): typeof SeriesOracle.Row.Type | undefined => {
  const columns = cells.filter(([column]) => column !== "ts")
  if (new Set(columns.map(([column]) => column)).size !== columns.length) return undefined
  const texts = Schema.decodeUnknownResult(Texts)(
    Object.fromEntries(columns.map(([column, value]) => [column, textOf(value)]))
  )
  if (Result.isFailure(texts)) return undefined
  const { close, high, low, open, volume } = texts.success
  const numbers = { open: Number(open), high: Number(high), low: Number(low), close: Number(close) }
  const row = Schema.decodeUnknownResult(SeriesOracle.Row)({
    ...numbers,
    volume: wholeVolume ? Number(volume) : Math.floor(Math.min(1, Number(volume)))
  })
  return Result.isSuccess(row) && Number.isFinite(Number(volume))
    ? { ...row.success, volume: Number(volume) }
    : undefined
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

const rfc3339 = (value: SeriesOracle.Value): number | undefined => {
  if (typeof value !== "string" || !RFC_3339.test(value)) return undefined
  const date = new Date(`${value.slice(0, 10)}T00:00:00Z`)
  const exists = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value.slice(0, 10))
  return exists ? Date.parse(value) : undefined
}

const Millis = Schema.Finite.check(Schema.isInt(), Schema.isBetween({ minimum: 0, maximum: 8_640_000_000_000_000 }))

const millis = (value: SeriesOracle.Value): number | undefined => {
  const text = Schema.decodeUnknownResult(Text)(textOf(value))
  if (Result.isFailure(text)) return undefined
  const found = Schema.decodeUnknownResult(Millis)(Number(text.success))
  return Result.isSuccess(found) ? found.success : undefined
}

export const alpaca: Vendor = {
  cellsOf: (row) =>
    SeriesOracle.isMembers(row)
      ? row.members.flatMap(([name, value]) => name in letters ? [[letters[name]!, value] as const] : [])
      : undefined,
  instantOf: rfc3339,
  wholeVolume: true
}

export const binance: Vendor = {
  cellsOf: (row) =>
    Array.isArray(row)
      ? (row as ReadonlyArray<SeriesOracle.Value>).slice(0, 6).map((value, at) => [places[at]!, value] as const)
      : undefined,
  instantOf: millis,
  wholeVolume: false
}

/** `rows` is the text of an array that `JSON.parse` accepts. The last of a row's times counts, of a time's bars the first. */
export const decode = (rows: string, { cellsOf, instantOf, wholeVolume }: Vendor) => {
  const found = new Map<number, SeriesOracle.Bar>()
  let rejected = 0
  for (const value of SeriesOracle.read(rows) as ReadonlyArray<SeriesOracle.Value>) {
    const cells = cellsOf(value)
    const ts = instantOf(cells?.findLast(([column]) => column === "ts")?.[1] ?? null)
    const row = cells === undefined ? undefined : rowOf(cells, wholeVolume)
    if (row === undefined || ts === undefined || ts % 60_000 !== 0) {
      rejected++
      continue
    }
    const bar: SeriesOracle.Bar = [ts, row.open, row.high, row.low, row.close, row.volume]
    const before = found.get(ts)
    if (before === undefined) found.set(ts, bar)
    else if (before.some((cell, at) => cell !== bar[at])) rejected++
  }
  return { bars: [...found.values()].sort((a, b) => a[0] - b[0]), rejected }
}
