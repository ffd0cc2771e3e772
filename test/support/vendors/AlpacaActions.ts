/** Alpaca's `GET /v1/corporate-actions`, as its documentation shows it: records by kind, page after page. */
import type * as HttpServer from "../HttpServer.ts"

/** What the vendor holds; a record has more members than are read. */
export interface Held {
  readonly forward_splits: ReadonlyArray<Entry>
  readonly reverse_splits: ReadonlyArray<Entry>
  readonly cash_dividends: ReadonlyArray<Entry>
}

type Entry = { readonly symbol: string; readonly ex_date: string; readonly [name: string]: unknown }

export const none: Held = { forward_splits: [], reverse_splits: [], cash_dividends: [] }

/** The server may send less than was asked for. */
const PAGE = 2

const kinds = ["forward_splits", "reverse_splits", "cash_dividends"] as const

/** The keys are not looked at here. */
export const answer = (url: URL, held: Held): HttpServer.Answer => {
  const asked = url.searchParams
  const known = { types: "forward_split,reverse_split,cash_dividend", start: "2016-01-01", sort: "asc", limit: "1000" }
  for (const [name, value] of Object.entries(known)) {
    if (asked.get(name) !== value) return { status: 400, body: JSON.stringify({ message: `invalid ${name}` }) }
  }
  const entries = kinds.flatMap((kind) => held[kind].map((entry) => ({ kind, entry })))
    .filter(({ entry }) => entry.symbol === asked.get("symbols") && entry.ex_date <= asked.get("end")!)
  const from = Number(asked.get("page_token") ?? "0")
  const page = entries.slice(from, from + PAGE)
  const actions = Object.fromEntries(
    kinds.map((kind) => [kind, page.filter((one) => one.kind === kind).map(({ entry }) => entry)] as const)
      .filter(([, found]) => found.length > 0)
  )
  const token = from + PAGE < entries.length ? String(from + PAGE) : null
  return { body: JSON.stringify({ corporate_actions: actions, next_page_token: token }) }
}

/** One of the documented kind. */
export const split = (symbol: string, ex_date: string, new_rate: number, old_rate: number): Entry => ({
  symbol,
  cusip: "037833100",
  new_rate,
  old_rate,
  process_date: ex_date,
  ex_date,
  record_date: ex_date,
  payable_date: ex_date
})

export const dividend = (symbol: string, ex_date: string, rate: number): Entry => ({
  symbol,
  cusip: "037833100",
  rate,
  special: false,
  foreign: false,
  process_date: ex_date,
  ex_date,
  record_date: ex_date,
  payable_date: ex_date
})
