/**
 * The answers of SPLITS and DIVIDENDS: CSV with a header, or JSON with the same names under "data". Pure.
 *
 * A row that cannot be read is an error here, unlike with bars: a split that is left out makes every price before it
 * wrong by its factor. Dividends without an amount yet (`None`, announced only) are left out.
 */
import * as WallClock from "../../bars/WallClock.ts"

export interface Read<A> {
  readonly rows: ReadonlyArray<A>
  /** Why the answer cannot be used. */
  readonly problem: string | undefined
}

type Record = { readonly [name: string]: unknown }

/** A split is `{ date, factor }`, with `split_factor` new shares for an old one. */
export const splits = (text: string) =>
  read(text, "effective_date", "split_factor", (date, factor) => ({ date, factor }))

/** A dividend is `{ date, amount }`, by ex-date. */
export const dividends = (text: string) =>
  read(text, "ex_dividend_date", "amount", (date, amount) => ({ date, amount }))

const UNKNOWN = new Set(["None", "null", ""])

const read = <A extends { readonly date: string }>(
  text: string,
  dateName: string,
  valueName: string,
  make: (date: string, value: number) => A
): Read<A> => {
  const records = recordsOf(text)
  if (records === undefined) return { rows: [], problem: `no list of ${valueName}: ${text.slice(0, 200)}` }
  const rows: Array<A> = []
  for (const record of records) {
    const [date, value] = [String(record[dateName]), String(record[valueName])]
    if (UNKNOWN.has(value) || UNKNOWN.has(date)) continue
    const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN
    const isDate = date.length === 10 && !Number.isNaN(WallClock.parseDate(new TextEncoder().encode(date), 0))
    if (!isDate || !(number > 0)) return { rows: [], problem: `no ${valueName} with a date: ${JSON.stringify(record)}` }
    rows.push(make(date, number))
  }
  return { rows: rows.sort((a, b) => a.date < b.date ? -1 : 1), problem: undefined }
}

const recordsOf = (text: string): ReadonlyArray<Record> | undefined => {
  const trimmed = text.trim()
  return trimmed.startsWith("{") ? ofJson(trimmed) : ofCsv(trimmed)
}

const ofJson = (text: string): ReadonlyArray<Record> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== "object" || value === null || !("data" in value) || !Array.isArray(value.data)) {
      return undefined
    }
    return value.data.every((row) => typeof row === "object" && row !== null) ? value.data : undefined
  } catch {
    return undefined
  }
}

const ofCsv = (text: string): ReadonlyArray<Record> | undefined => {
  const [header = "", ...lines] = text.split(/\r?\n/)
  const names = header.split(",")
  if (!names.some((name) => name.endsWith("date"))) return undefined
  return lines.map((line) => {
    const cells = line.split(",")
    return Object.fromEntries(names.map((name, at) => [name, cells[at] ?? ""]))
  })
}
