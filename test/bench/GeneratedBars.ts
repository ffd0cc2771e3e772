/** 1,000,000 bars that look like bars: 20 symbols, 20 sessions, prices in cents that walk, from a fixed seed. */
import { allocate, type Bars } from "../../src/layers/bars/Bars.ts"

export const SYMBOLS = 20
export const SESSIONS = 20
export const ROWS = 2500

export const symbolOf = (symbol: number): string => `SYM${String(symbol).padStart(2, "0")}`

export const dateOf = (session: number): string => new Date(Date.UTC(2024, 0, 1 + session)).toISOString().slice(0, 10)

/** The same for the same numbers, whatever was generated before. */
export const session = (symbol: number, session: number): Bars => {
  let state = (symbol * SESSIONS + session + 1) * 2654435761 | 1
  const random = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  for (let warm = 0; warm < 8; warm++) random()
  const bars = allocate(ROWS)
  const start = Date.parse(dateOf(session))
  let cents = Math.round(2000 + random() * 30_000)
  for (let at = 0; at < ROWS; at++) {
    const close = Math.max(100, cents + Math.round((random() - 0.5) * 12))
    bars.ts[at] = start + at * 30_000
    bars.open[at] = cents / 100
    bars.high[at] = (Math.max(cents, close) + Math.floor(random() * 5)) / 100
    bars.low[at] = (Math.min(cents, close) - Math.floor(random() * 5)) / 100
    bars.close[at] = close / 100
    bars.volume[at] = Math.floor(random() * random() * 50_000)
    cents = close
  }
  return bars
}
