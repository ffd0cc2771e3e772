/** A million made-up minute bars, the same on every machine: 20 symbols, 50,000 bars each, prices in cents. */
import { allocate, type Bars, contentHash } from "../../../src/layers/bars/Bars.ts"
import type { StageRequest } from "../../../src/layers/staging/BarStore.ts"
import type { LoadPartition } from "../../../src/layers/warehouse/Warehouse.ts"

const SYMBOLS = 20
const PER_SYMBOL = 50_000
const PER_SESSION = 390
const DAY = 86_400_000

export interface Session {
  readonly symbol: string
  readonly session: string
  readonly bars: Bars
}

/** Marsaglia's xorshift, 32 bits. */
const seeded = (seed: number) => {
  let state = seed
  return (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

const fill = (session: string, length: number, random: () => number, nudge: number): Bars => {
  const bars = allocate(length)
  const open = Date.parse(`${session}T14:30:00Z`)
  let price = 5_000 + Math.floor(random() * 20_000)
  for (let at = 0; at < length; at++) {
    const move = Math.floor(random() * 21) - 10
    bars.ts[at] = open + at * 60_000
    bars.open[at] = price / 100
    bars.high[at] = (Math.max(price, price + move) + 3) / 100
    bars.low[at] = (Math.min(price, price + move) - 3) / 100
    bars.close[at] = (price + move + nudge) / 100
    bars.volume[at] = Math.floor(random() * 100_000)
    price += move
  }
  return bars
}

/** `nudge` cents on every close make another version of every bar. */
export const sessions = (nudge = 0): ReadonlyArray<Session> => {
  const all: Array<Session> = []
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const random = seeded(20_240_102 + symbol)
    let left = PER_SYMBOL
    for (let day = Date.parse("2024-01-02"); left > 0; day += DAY) {
      const weekday = new Date(day).getUTCDay()
      if (weekday === 0 || weekday === 6) continue
      const session = new Date(day).toISOString().slice(0, 10)
      const bars = fill(session, Math.min(left, PER_SESSION), random, nudge)
      all.push({ symbol: `SYM${String(symbol).padStart(2, "0")}`, session, bars })
      left -= bars.length
    }
  }
  return all
}

/** As the pipeline stages them: a payload is a month of a symbol. */
export const requests = (all: ReadonlyArray<Session>): ReadonlyArray<StageRequest> => {
  const months = Map.groupBy(all, ({ session, symbol }) => `${symbol}/${session.slice(0, 7)}`)
  return [...months].map(([payload, sessions]) => ({
    source: "bench",
    symbol: sessions[0]!.symbol,
    interval: "1min",
    month: sessions[0]!.session.slice(0, 7),
    payload,
    complete: true,
    sessions: sessions.map(({ bars, session }) => ({ session, bars, rejects: [] })),
    unplaced: []
  }))
}

/** As the pipeline loads them: so many sessions in a call. */
export const loads = (all: ReadonlyArray<Session>, perCall: number): ReadonlyArray<ReadonlyArray<LoadPartition>> =>
  Array.from(
    { length: Math.ceil(all.length / perCall) },
    (_, at) =>
      all.slice(at * perCall, (at + 1) * perCall).map(({ bars, session, symbol }) => ({
        source: "bench",
        interval: "1min",
        symbol,
        session,
        bars,
        contentHash: contentHash(bars)
      }))
  )
