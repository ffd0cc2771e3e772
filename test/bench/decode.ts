/**
 * `npm run bench -- decode`: from the bytes of vendors' payloads to typed, validated columns, beside the yardstick
 * `JSON.parse` alone over the same texts. 240 payloads of a fixed seed hold 1,000,000 one-minute bars; one is in memory
 * at a time. Both are timed on every payload in turns, so that a busy machine slows them alike. Memory is measured in a
 * round of its own, in which nothing is parsed and garbage is collected before each payload (needs `--expose-gc`).
 */
import * as ChildProcess from "node:child_process"
import { Worker } from "node:worker_threads"
import * as BarsJson from "../../src/layers/market-data/alpaca/BarsJson.ts"
import { decode } from "../../src/layers/market-data/alpha-vantage/SeriesJson.ts"
import * as KlinesJson from "../../src/layers/market-data/binance/KlinesJson.ts"
import type { Decoded } from "../../src/layers/market-data/MarketData.ts"
import * as PagedRows from "../../src/layers/market-data/PagedRows.ts"
import * as AlphaVantageText from "../support/AlphaVantageText.ts"
import * as PagesText from "../support/PagesText.ts"

const FILES = 240
const BARS = 1_000_000
const ROUNDS = 3

const timed = <A>(work: () => A): readonly [A, number] => {
  const startedAt = performance.now()
  const result = work()
  return [result, performance.now() - startedAt]
}

interface Vendor {
  readonly name: string
  /** The JSON documents of a payload. */
  readonly pages: (random: AlphaVantageText.Random, rows: number, index: number) => ReadonlyArray<string>
  readonly decode: (bytes: Uint8Array) => Decoded
}

const paged = (shape: PagedRows.Shape) => {
  const decoded = PagedRows.decoder(shape)
  return (bytes: Uint8Array) => decoded(shape.format, bytes)
}

const vendors: ReadonlyArray<Vendor> = [
  {
    name: "Alpha Vantage",
    pages: (random, rows, index) => [AlphaVantageText.month(random, rows, index)],
    decode: (bytes) => decode(bytes, "1min")
  },
  { name: "Alpaca", pages: PagesText.alpaca, decode: paged(BarsJson.shape("1min", 60_000)) },
  { name: "Binance", pages: PagesText.binance, decode: paged(KlinesJson.shape("1min", 60_000)) }
]

/** The payloads of a fixed seed, one after the other. */
function* payloads({ pages }: Vendor): Generator<readonly [pages: ReadonlyArray<string>, bytes: Uint8Array]> {
  const random = AlphaVantageText.randomOf(20_261_124)
  for (let file = 0; file < FILES; file++) {
    const rows = Math.floor((file + 1) * BARS / FILES) - Math.floor(file * BARS / FILES)
    const documents = pages(random, rows, file)
    yield [documents, new TextEncoder().encode(documents.join("\n"))]
  }
}

const round = (vendor: Vendor) => {
  const total = { parse: 0, text: 0, decode: 0, bytes: 0, bars: 0, rejects: 0 }
  for (const [pages, bytes] of payloads(vendor)) {
    const [, toText] = timed(() => new TextDecoder().decode(bytes))
    const [, parse] = timed(() => {
      for (const page of pages) JSON.parse(page)
    })
    const [decoded, took] = timed(() => vendor.decode(bytes))
    total.text += toText
    total.parse += parse
    total.decode += took
    total.bytes += bytes.byteLength
    for (const { bars } of decoded.sessions) total.bars += bars.length
    total.rejects += decoded.rejects.length
  }
  return total
}

const inUse = (): number => {
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

/** What decoding adds to heap and external memory beyond the payload, in bytes: at most, and for the last payload. */
const memory = (vendor: Vendor) => {
  const { gc } = globalThis
  if (gc === undefined) return undefined
  let [most, last] = [0, 0]
  for (const [, bytes] of payloads(vendor)) {
    gc()
    const before = inUse()
    const decoded = vendor.decode(bytes)
    last = inUse() - before
    most = Math.max(most, last)
    if (decoded.rejects.length > 0) throw new Error(`${vendor.name} refused a row`)
  }
  return { most, last }
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

const speed = (vendor: Vendor): void => {
  const rounds = Array.from({ length: ROUNDS }, () => round(vendor))
  const best = rounds.reduce((a, b) => a.decode / a.parse < b.decode / b.parse ? a : b)
  if (best.bars !== BARS || best.rejects !== 0) throw new Error(`${best.bars} bars, ${best.rejects} rejects`)
  const line = (name: string, millis: number) =>
    `| ${name} | ${millis.toFixed(0)} | ${(millis * 1000 / BARS).toFixed(2)} | ${
      (best.bytes / 1000 / millis).toFixed(0)
    } | ${(millis / best.parse).toFixed(2)} |`
  console.log(
    `\n| ${vendor.name}: ${BARS} bars in ${FILES} payloads, ${
      (best.bytes / 1e6).toFixed(0)
    } MB | ms | us per bar | MB/s | x JSON.parse |`
  )
  console.log("|---|---|---|---|---|")
  console.log(line("bytes to text", best.text))
  console.log(line("JSON.parse of the text", best.parse))
  console.log(line("bytes to validated columns", best.decode))
  console.log(`\nratios of all rounds: ${rounds.map((one) => (one.decode / one.parse).toFixed(3)).join(", ")}`)
}

const memories = (vendor: Vendor): void => {
  const kilobytes = (bytes: number): string => (bytes / 1000).toFixed(0)
  const measured = memory(vendor)
  if (measured === undefined) return console.log("\nmemory: start node with `--expose-gc`")
  console.log(
    `\nmemory beyond the payload: at most ${kilobytes(measured.most)} kB, with the last payload ${
      kilobytes(measured.last)
    } kB`
  )
}

/** Each vendor in a process of its own: in a heap that another one has made large `JSON.parse` collects less garbage. */
const alone = ({ name }: Vendor): void => {
  const args = [...process.execArgv, process.argv[1]!, "decode", name]
  const ended = ChildProcess.spawnSync(process.execPath, args, { stdio: "inherit" })
  if (ended.status !== 0) throw new Error(`${name} ended with ${ended.status}`)
}

/** All of it, or what one vendor's name asks for. */
export const run = async (only: string | undefined): Promise<void> => {
  const chosen = vendors.find(({ name }) => name === only)
  if (chosen === undefined) {
    for (const vendor of vendors) alone(vendor)
    return threads()
  }
  speed(chosen)
  memories(chosen)
}
