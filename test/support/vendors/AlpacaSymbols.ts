/** Alpaca's `GET /v2/stocks/bars` asked for several symbols: pages are filled symbol by symbol, in alphabetical order. */
import type * as HttpServer from "../HttpServer.ts"

/** Each page takes so many bars, of however many symbols. */
export const answer = (
  url: URL,
  held: ReadonlyMap<string, ReadonlyArray<{ readonly ts: number; readonly close: number }>>,
  size: number
): HttpServer.Answer => {
  const symbols = url.searchParams.get("symbols")!.split(",").sort()
  const unknown = symbols.find((symbol) => !held.has(symbol))
  if (unknown !== undefined) return { status: 400, body: JSON.stringify({ message: `invalid symbol: ${unknown}` }) }
  const [start, end] = ["start", "end"].map((name) => Date.parse(url.searchParams.get(name)!)) as [number, number]
  const rows = symbols.flatMap((symbol) => held.get(symbol)!.map((bar) => ({ symbol, ...bar })))
    .filter(({ ts }) => ts >= start && ts <= end)
  const from = Number(url.searchParams.get("page_token") ?? "0")
  const bars: { [symbol: string]: Array<unknown> } = {}
  for (const { close, symbol, ts } of rows.slice(from, from + size)) {
    const t = new Date(ts).toISOString().replace(".000Z", "Z")
    ;(bars[symbol] ??= []).push({ t, o: close, h: close, l: close, c: close, v: 100, n: 1, vw: close })
  }
  const token = from + size < rows.length ? String(from + size) : null
  return { body: JSON.stringify({ bars, next_page_token: token }) }
}
