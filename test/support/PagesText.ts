/** Payloads of pages as Alpaca and Binance write them, of a fixed seed: for benches and fuzzing. */
import type { Random } from "./AlphaVantageText.ts"

const MINUTE = 60_000
const DAY = 1440 * MINUTE

/** One bar; prices are whole numbers of the vendor's least step. */
interface Bar {
  readonly ts: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
}

/** A walk of `count` bars; `first` is the instant of a day's first one, `perDay` what a day holds of them. */
const walk = (random: Random, count: number, first: number, perDay: number): ReadonlyArray<Bar> => {
  let close = 1_000_000 + random(9_000_000)
  return Array.from({ length: count }, (_, at) => {
    const open = Math.max(10_000, close + random(2001) - 1000)
    close = Math.max(10_000, open + random(4001) - 2000)
    return {
      ts: first + Math.floor(at / perDay) * DAY + (at % perDay) * MINUTE,
      open,
      high: Math.max(open, close) + random(500),
      low: Math.min(open, close) - random(500),
      close,
      volume: random(10) === 0 ? random(5_000_000) : random(20_000)
    }
  })
}

const monthStart = (index: number): number => Date.UTC(2016 + Math.floor(index / 12), index % 12, 2)

const pagesOf = <A>(rows: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.max(1, Math.ceil(rows.length / size)) }, (_, at) => rows.slice(at * size, (at + 1) * size))

/** JSON as Go's encoder prints it, which leaves out trailing zeros. */
const alpacaRow = (random: Random, { close, high, low, open, ts, volume }: Bar): string => {
  const t = `${new Date(ts).toISOString().slice(0, 19)}Z`
  const vw = ((open + close) / 20_000 + random(1000) / 1e6).toFixed(6)
  return `{"t":"${t}","o":${open / 10_000},"h":${high / 10_000},"l":${low / 10_000},"c":${close / 10_000},` +
    `"v":${volume},"n":${1 + random(900)},"vw":${Number(vw)}}`
}

/** A month's pages of 10,000 bars, extended hours. */
export const alpaca = (random: Random, count: number, index: number): ReadonlyArray<string> => {
  const rows = walk(random, count, monthStart(index) + 9 * 60 * MINUTE, 960).map((bar) => alpacaRow(random, bar))
  const pages = pagesOf(rows, 10_000)
  return pages.map((page, at) =>
    `{"bars":{"IBM":[${page.join(",")}]},"next_page_token":${at + 1 < pages.length ? `"SUJNfE18${at}"` : "null"}}`
  )
}

const binanceRow = (random: Random, { close, high, low, open, ts, volume }: Bar): string => {
  const price = (hundredths: number): string => `"${(hundredths / 100).toFixed(8)}"`
  const amount = (): string => `"${(random(200_000_000) / 100 + random(1_000_000) / 1e8).toFixed(8)}"`
  const lots = `"${(volume / 1000 + random(1000) / 1e8).toFixed(8)}"`
  return `[${ts},${price(open)},${price(high)},${price(low)},${price(close)},${lots},${ts + MINUTE - 1},${amount()},` +
    `${random(5000)},${amount()},${amount()},"0"]`
}

/** A month's pages of 1000 klines, around the clock; the last one is not full. */
export const binance = (random: Random, count: number, index: number): ReadonlyArray<string> => {
  const rows = walk(random, count, monthStart(index), 1440).map((bar) => binanceRow(random, bar))
  const pages = pagesOf(rows, 1000).map((page) => `[${page.join(",")}]`)
  return rows.length % 1000 === 0 ? [...pages, "[]"] : pages
}
