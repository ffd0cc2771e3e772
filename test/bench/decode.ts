/**
 * `npm run bench -- decode`: from the bytes of Alpha Vantage answers to typed, validated columns, beside the yardstick
 * `JSON.parse` alone over the same texts. 240 answers of a fixed seed hold 1,000,000 one-minute bars; one is in memory
 * at a time. Both are timed on every answer in turns, so that a busy machine slows them alike.
 */
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

export const run = (): void => {
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
}

run()
