/**
 * Made-up answers of Alpha Vantage, the same on every machine: a file a month of a symbol, minute bars of extended hours
 * (960 a session) on the sessions of the exchange from 2024-01-02 on, the newest first.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { nyse } from "../../../src/assets/nyse.ts"
import * as Calendar from "../../../src/runtime/partition/Calendar.ts"
import * as AlphaVantageText from "../../support/AlphaVantageText.ts"

export const START = "2024-01-02"

export interface Payloads {
  readonly directory: string
  readonly symbols: ReadonlyArray<string>
  /** The last session. */
  readonly end: string
  readonly bars: number
  /** Of all bars. */
  readonly volume: number
  /** Sessions of all symbols: the partitions. */
  readonly sessions: number
  readonly bytes: number
}

export interface Size {
  readonly symbols: number
  readonly barsPerSymbol: number
  readonly barsPerSession: number
}

export const pathOf = (directory: string, symbol: string, month: string): string =>
  Path.join(directory, `${symbol}_${month}.json`)

const OPENS = 240

const two = (value: number): string => String(value).padStart(2, "0")

const range = (length: number): ReadonlyArray<number> => Array.from({ length }, (_, at) => at)

/** A whole session each, half days left out, and what remains for the last one. */
const plan = ({ barsPerSession, barsPerSymbol }: Size): ReadonlyArray<readonly [session: string, bars: number]> => {
  const dates = Calendar.sessionsBetween(nyse, START, "2027-12-31").filter((date) => !nyse.earlyCloses.has(date))
  return range(Math.ceil(barsPerSymbol / barsPerSession)).map((at) => [
    dates[at]!,
    Math.min(barsPerSession, barsPerSymbol - at * barsPerSession)
  ])
}

/** Prices walk in ten-thousandths from bar to bar. */
const walk = (random: AlphaVantageText.Random) => {
  let close = 500_000 + random(2_000_000)
  return (label: string) => {
    const open = Math.max(10_000, close + random(2001) - 1000)
    const next = Math.max(10_000, open + random(4001) - 2000)
    const [high, low] = [Math.max(open, next) + random(500), Math.min(open, next) - random(500)]
    const volume = 1 + random(20_000)
    close = next
    return { text: AlphaVantageText.row(label, open, high, low, next, volume), volume }
  }
}

/** Writes the files into an empty directory. */
export const write = (directory: string, size: Size): Payloads => {
  const sessions = plan(size)
  const symbols = range(size.symbols).map((at) => `SYM${two(at)}`)
  const total = { volume: 0, bytes: 0 }
  for (const [at, symbol] of symbols.entries()) {
    const next = walk(AlphaVantageText.randomOf(20_261_124 + at))
    for (const [month, days] of Map.groupBy(sessions, ([date]) => date.slice(0, 7))) {
      const rows: Array<string> = []
      for (const [date, count] of days) {
        for (let minute = OPENS; minute < OPENS + count; minute++) {
          const { text, volume } = next(`${date} ${two(Math.floor(minute / 60))}:${two(minute % 60)}:00`)
          rows.push(text)
          total.volume += volume
        }
      }
      const head = AlphaVantageText.head(symbol, `${days.at(-1)![0]} 19:59:00`)
      const text = `${head}${rows.reverse().join(",\n")}\n    }\n}`
      total.bytes += text.length
      Fs.writeFileSync(pathOf(directory, symbol, month), text)
    }
  }
  return {
    ...total,
    directory,
    symbols,
    end: sessions.at(-1)![0],
    bars: size.symbols * size.barsPerSymbol,
    sessions: size.symbols * sessions.length
  }
}
