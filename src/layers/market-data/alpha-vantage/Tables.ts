/** Decodes the vendor's lists of symbols and of markets, each row through a Schema. Pure; a row that cannot be read is kept as text. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Json from "../JsonBytes.ts"
import * as Outline from "../JsonOutline.ts"
import * as Reference from "../Reference.ts"

type Cells = { readonly [column: string]: unknown }
type Row<A> = (cells: Cells) => Result.Result<A, Schema.SchemaError>

/** The vendor writes what it does not know as `None`, `null` or nothing. */
const orNull = (cell: unknown): unknown => cell === "null" || cell === "None" || cell === "" ? null : cell

const listing = Schema.decodeUnknownResult(Reference.Listing)
const market = Schema.decodeUnknownResult(Reference.MarketStatus)

export const listings = (bytes: Uint8Array): Reference.Table<Reference.Listing> =>
  csv(
    bytes,
    (cells) => listing({ ...cells, ipoDate: orNull(cells["ipoDate"]), delistingDate: orNull(cells["delistingDate"]) })
  )

const text = (bytes: Uint8Array): string => Json.text(bytes, Outline.start(bytes), bytes.length)

const csv = <A>(bytes: Uint8Array, row: Row<A>): Reference.Table<A> => {
  const [header = "", ...lines] = text(bytes).split(/\r?\n/)
  const columns = cellsOf(header)
  return tableOf(
    lines.filter((line) => line !== "").map((line) => {
      const cells = cellsOf(line)
      return { raw: line, cells: Object.fromEntries(columns.map((column, at) => [column, cells[at]])) }
    }),
    row
  )
}

/** Cells are quoted where they hold a comma; a quote inside is doubled. */
const cellsOf = (line: string): ReadonlyArray<string> =>
  line.match(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)!.slice(0, line.endsWith(",") ? undefined : -1).map((cell) => {
    const bare = cell.replace(/,$/, "")
    return bare.startsWith("\"") ? bare.slice(1, -1).replaceAll("\"\"", "\"") : bare
  })

export const markets = (bytes: Uint8Array): Reference.Table<Reference.MarketStatus> => {
  const answer = Json.parsed(bytes, Outline.start(bytes), bytes.length) as { readonly markets?: unknown } | undefined
  const items = Array.isArray(answer?.markets) ? answer.markets as ReadonlyArray<Cells> : []
  return tableOf(
    items.map((cells) => ({ raw: JSON.stringify(cells), cells })),
    (cells) =>
      market({
        type: cells["market_type"],
        region: cells["region"],
        exchanges: cells["primary_exchanges"],
        open: cells["local_open"],
        close: cells["local_close"],
        status: cells["current_status"]
      })
  )
}

const tableOf = <A>(
  lines: ReadonlyArray<{ readonly raw: string; readonly cells: Cells }>,
  row: Row<A>
): Reference.Table<A> => {
  const rows: Array<A> = []
  const rejects: Array<{ readonly reason: string; readonly raw: string }> = []
  for (const { cells, raw } of lines) {
    const decoded = row(cells ?? {})
    if (Result.isSuccess(decoded)) rows.push(decoded.success)
    else rejects.push({ reason: decoded.failure.message, raw })
  }
  return { rows, rejects }
}
