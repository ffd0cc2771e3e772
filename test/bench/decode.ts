/**
 * `npm run bench -- decode`: from the bytes of Alpha Vantage answers to typed, validated columns, beside the yardstick
 * `JSON.parse` alone over the same texts. 240 answers of a fixed seed hold 1,000,000 one-minute bars; one is in memory
 * at a time. Both are timed on every answer in turns, so that a busy machine slows them alike.
 */
import { Worker } from "node:worker_threads"
import { decode } from "../../src/layers/market-data/alpha-vantage/SeriesJson.ts"
import * as AlphaVantageText from "../support/AlphaVantageText.ts"

const FILES = 240
const BARS = 1_000_000
const ROUNDS = 3

const timed = <A>(work: () => A): readonly [A, number] => {
  const startedAt = performance.now()
  const result = work()
  return [result, performance.now() - startedAt]
}

const round = () => {
  const total = { parse: 0, text: 0, decode: 0, bytes: 0, bars: 0, rejects: 0, peak: 0 }
  const random = AlphaVantageText.randomOf(20_261_124)
  for (let file = 0; file < FILES; file++) {
    const rows = Math.floor((file + 1) * BARS / FILES) - Math.floor(file * BARS / FILES)
    const bytes = new TextEncoder().encode(AlphaVantageText.month(random, rows, file))
    const [text, toText] = timed(() => new TextDecoder().decode(bytes))
    const [, parse] = timed(() => JSON.parse(text) as unknown)
    const [decoded, took] = timed(() => decode(bytes, "1min"))
    total.text += toText
    total.parse += parse
    total.decode += took
    total.bytes += bytes.byteLength
    for (const { bars } of decoded.sessions) total.bars += bars.length
    total.rejects += decoded.rejects.length
    total.peak = Math.max(total.peak, process.memoryUsage().rss)
  }
  return total
}

const MONTHS = 60
const WORKER = new URL("./decodeWorker.ts", import.meta.url)

const wholeMonth = (at: number): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(AlphaVantageText.month(AlphaVantageText.randomOf(at + 1), 16_000, at))

/** Months of 16,000 bars one after the other, here and in a worker whose bytes and columns are transferred, not copied. */
const threads = async (): Promise<void> => {
  const distinct = Array.from({ length: 6 }, (_, at) => wholeMonth(at))
  const next = (at: number) => distinct[at % distinct.length]!.slice()
  const startedAt = performance.now()
  const worker = new Worker(WORKER)
  const answer = (bytes: Uint8Array<ArrayBuffer>) =>
    new Promise((resolve) => {
      worker.once("message", resolve)
      worker.postMessage(bytes, [bytes.buffer])
    })
  await answer(next(0))
  const started = performance.now() - startedAt
  let [here, there] = [Infinity, Infinity]
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now()
    for (let at = 0; at < MONTHS; at++) decode(next(at), "1min")
    const turned = performance.now()
    for (let at = 0; at < MONTHS; at++) await answer(next(at))
    here = Math.min(here, turned - began)
    there = Math.min(there, performance.now() - turned)
  }
  await worker.terminate()
  console.log(`\n| ${MONTHS} months of 16,000 bars | ms | ms per month |\n|---|---|---|`)
  console.log(`| on the main thread | ${here.toFixed(0)} | ${(here / MONTHS).toFixed(1)} |`)
  console.log(`| in a worker, beside an idle main thread | ${there.toFixed(0)} | ${(there / MONTHS).toFixed(1)} |`)
  console.log(`| starting the worker | ${started.toFixed(0)} | |`)
}

export const run = async (): Promise<void> => {
  const rounds = Array.from({ length: ROUNDS }, round)
  const best = rounds.reduce((a, b) => a.decode / a.parse < b.decode / b.parse ? a : b)
  if (best.bars !== BARS || best.rejects !== 0) throw new Error(`${best.bars} bars, ${best.rejects} rejects`)
  const line = (name: string, millis: number) =>
    `| ${name} | ${millis.toFixed(0)} | ${(millis * 1000 / BARS).toFixed(2)} | ${
      (best.bytes / 1000 / millis).toFixed(0)
    } | ${(millis / best.parse).toFixed(2)} |`
  console.log(
    `| ${BARS} bars in ${FILES} answers, ${(best.bytes / 1e6).toFixed(0)} MB | ms | us per bar | MB/s | x JSON.parse |`
  )
  console.log("|---|---|---|---|---|")
  console.log(line("bytes to text", best.text))
  console.log(line("JSON.parse of the text", best.parse))
  console.log(line("bytes to validated columns", best.decode))
  console.log(`\nratios of all rounds: ${rounds.map((one) => (one.decode / one.parse).toFixed(3)).join(", ")}`)
  console.log(`peak RSS: ${(Math.max(...rounds.map(({ peak }) => peak)) / 1e6).toFixed(0)} MB`)
  await threads()
}
