/**
 * The SQL that the lake understands: one SELECT over `bars`, enough to look at rows, count and sum them, and compare them
 * with the other stores. Whoever needs more points DuckDB at the files.
 *
 * ```
 * select * | column | count(*) | sum|min|max|avg(column) [as name], …
 * from bars
 * [where column = <> < <= > >= literal | column between literal and literal | column in (literal, …) [and …]]
 * [group by column | position, …] [order by name | position [asc|desc], …] [limit n]
 * ```
 */
import * as Result from "effect/Result"
import { didYouMean } from "../../runtime/asset/Suggest.ts"
import * as Zone from "../../runtime/partition/Zone.ts"

export const COLUMNS = ["symbol", "date", "ts", "open", "high", "low", "close", "volume"] as const
export type Column = (typeof COLUMNS)[number]

const AGGREGATES = ["count", "sum", "min", "max", "avg"] as const
export type Aggregate = (typeof AGGREGATES)[number]

export interface Item {
  readonly name: string
  /** Undefined in `count(*)`. */
  readonly column: Column | undefined
  readonly aggregate: Aggregate | undefined
}

/** Texts for `symbol` and `date`, numbers for the others; `ts` in epoch milliseconds. */
export type Literal = string | number

export interface Condition {
  readonly column: Column
  readonly operator: "=" | "<>" | "<" | "<=" | ">" | ">=" | "in"
  readonly values: ReadonlyArray<Literal>
}

export interface Query {
  readonly items: ReadonlyArray<Item>
  readonly where: ReadonlyArray<Condition>
  /** Positions in `items`. */
  readonly groupBy: ReadonlyArray<number>
  readonly orderBy: ReadonlyArray<{ readonly item: number; readonly descending: boolean }>
  readonly limit: number | undefined
}

/** The query, or what is wrong with it. */
export const parse = (text: string): Result.Result<Query, string> => {
  try {
    return Result.succeed(new Parser(text).query())
  } catch (cause) {
    if (cause instanceof Wrong) return Result.fail(cause.message)
    throw cause
  }
}

class Wrong extends Error {}

const TOKEN =
  /\s*(?:('(?:[^']|'')*')|(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)|([a-z_][a-z0-9_]*|"[^"]*")|(<>|!=|<=|>=|[=<>(),*;.]))/iy

const tokens = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    if (match === null) throw new Wrong(`cannot read "${text.slice(at).trim().slice(0, 20)}"`)
    found.push(match[0].trim())
  }
  return found.at(-1) === ";" ? found.slice(0, -1) : found
}

class Parser {
  private readonly tokens: ReadonlyArray<string>
  private at = 0

  constructor(text: string) {
    this.tokens = tokens(text)
  }

  query(): Query {
    this.expect("select")
    const items = this.separated(() => this.item()).flat()
    this.expect("from")
    const table = this.next("a table")
    if (table.toLowerCase() !== "bars") throw new Wrong(`the lake has one table, bars, not "${table}"`)
    const where = this.accept("where") ? this.conditions() : []
    const groupBy = this.by("group") ? this.separated(() => this.position(items)) : []
    const orderBy = this.by("order") ? this.separated(() => this.order(items)) : []
    const limit = this.accept("limit") ? this.count() : undefined
    if (this.at < this.tokens.length) throw new Wrong(`"${this.tokens[this.at]}" is not understood here`)
    return checked({ items, where, groupBy, orderBy, limit })
  }

  private item(): ReadonlyArray<Item> {
    if (this.accept("*")) return COLUMNS.map((column) => ({ name: column, column, aggregate: undefined }))
    const word = this.next("a column").toLowerCase()
    if (!this.accept("(")) {
      const column = columnOf(word)
      return [{ name: this.alias(column), column, aggregate: undefined }]
    }
    const aggregate = AGGREGATES.find((one) => one === word)
    if (aggregate === undefined) throw new Wrong(`there is no function "${word}"; there are ${AGGREGATES.join(", ")}`)
    const column = this.accept("*") ? undefined : columnOf(this.next("a column"))
    if (column === undefined && aggregate !== "count") throw new Wrong(`${aggregate}(*) means nothing`)
    if ((aggregate === "sum" || aggregate === "avg") && (column === "symbol" || column === "date" || column === "ts")) {
      throw new Wrong(`${aggregate}(${column}) means nothing`)
    }
    this.expect(")")
    return [{ name: this.alias(aggregate), column, aggregate }]
  }

  private alias(otherwise: string): string {
    if (this.accept("as")) return this.next("a name").replaceAll("\"", "")
    return otherwise
  }

  private conditions(): ReadonlyArray<Condition> {
    const all: Array<Condition> = []
    do all.push(...this.condition())
    while (this.accept("and"))
    return all
  }

  private condition(): ReadonlyArray<Condition> {
    const column = columnOf(this.next("a column"))
    if (this.accept("between")) {
      const low = this.literal(column)
      this.expect("and")
      return [
        { column, operator: ">=", values: [low] },
        { column, operator: "<=", values: [this.literal(column)] }
      ]
    }
    if (this.accept("in")) {
      this.expect("(")
      const values = this.separated(() => this.literal(column))
      this.expect(")")
      return [{ column, operator: "in", values }]
    }
    const word = this.next("a comparison").replace("!=", "<>")
    const operator = (["=", "<>", "<", "<=", ">", ">="] as const).find((one) => one === word)
    if (operator === undefined) throw new Wrong(`"${word}" is no comparison; conditions are joined by "and" only`)
    return [{ column, operator, values: [this.literal(column)] }]
  }

  /** Type names before a literal, as in `date '2024-03-05'`, are allowed. */
  private literal(column: Column): Literal {
    const word = this.next("a value")
    if (/^(date|timestamp|timestamptz)$/i.test(word)) return this.literal(column)
    const isText = word.startsWith("'")
    const value = isText ? word.slice(1, -1).replaceAll("''", "'") : word
    if (column === "symbol" || column === "date") {
      if (!isText) throw new Wrong(`${column} is compared with a text, as in ${column} = '${value}'`)
      if (column === "date" && !Zone.isDate(value)) throw new Wrong(`"${value}" is no date: write it as '2024-03-05'`)
      return value
    }
    const number = column === "ts" && isText ? instant(value) : Number(value)
    if (!Number.isNaN(number)) return number
    throw new Wrong(
      column === "ts"
        ? `"${value}" is no time: write it as '2024-03-05 14:30', which is UTC`
        : `"${value}" is no number`
    )
  }

  private position(items: ReadonlyArray<Item>): number {
    const word = this.next("a column")
    const found = /^\d+$/.test(word)
      ? Number(word) - 1
      : items.findIndex(({ name }) => name.toLowerCase() === word.replaceAll("\"", "").toLowerCase())
    if (items[found] === undefined) throw new Wrong(`"${word}" is not among what is selected`)
    return found
  }

  private order(items: ReadonlyArray<Item>) {
    const item = this.position(items)
    const descending = this.accept("desc")
    if (!descending) this.accept("asc")
    return { item, descending }
  }

  private count(): number {
    const word = this.next("a number")
    if (!/^\d+$/.test(word)) throw new Wrong(`limit is a number, not "${word}"`)
    return Number(word)
  }

  private by(word: string): boolean {
    if (!this.accept(word)) return false
    this.expect("by")
    return true
  }

  private separated<A>(one: () => A): ReadonlyArray<A> {
    const all = [one()]
    while (this.accept(",")) all.push(one())
    return all
  }

  private next(what: string): string {
    const token = this.tokens[this.at++]
    if (token === undefined) throw new Wrong(`the statement ends where ${what} should be`)
    return token
  }

  private accept(word: string): boolean {
    if (this.tokens[this.at]?.toLowerCase() !== word) return false
    this.at++
    return true
  }

  private expect(word: string): void {
    if (!this.accept(word)) throw new Wrong(`"${word}" is missing before "${this.tokens[this.at] ?? "the end"}"`)
  }
}

const columnOf = (word: string): Column => {
  const name = word.replaceAll("\"", "").toLowerCase()
  const found = COLUMNS.find((column) => column === name)
  if (found === undefined) throw new Wrong(`bars has no column "${word}".${didYouMean(name, COLUMNS)}`)
  return found
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[ t](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?\s*(z|utc|([+-]\d\d):?(\d\d)?)?$/i

/**
 * UTC unless the text says otherwise; NaN where it is no time. Other texts `Date.parse` would take as the time of wherever
 * this machine is.
 */
const instant = (text: string): number => {
  const [, date = "", time = "00:00", , hours, minutes = "00"] = TIME.exec(text.trim()) ?? []
  return Zone.isDate(date)
    ? Date.parse(`${date}T${time}${hours === undefined ? "Z" : `${hours}:${minutes}`}`)
    : Number.NaN
}

const checked = (query: Query): Query => {
  const { groupBy, items } = query
  if (groupBy.some((at) => items[at]!.aggregate !== undefined)) throw new Wrong("group by takes columns")
  const aggregated = groupBy.length > 0 || items.some(({ aggregate }) => aggregate !== undefined)
  const loose = items.find(({ aggregate }, at) => aggregated && aggregate === undefined && !groupBy.includes(at))
  if (loose !== undefined) throw new Wrong(`"${loose.name}" is neither grouped by nor inside a function`)
  return query
}
