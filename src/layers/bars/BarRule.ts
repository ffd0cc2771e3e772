/**
 * The rules of one bar: positive prices, a range that holds open and close, a volume. A bar that breaks one goes to
 * quarantine with the sentence from here; `Rule.ts` has them all by name.
 *
 * Rules about the market (sessions, gaps, jumps) are in `Quality.ts`: they need the calendar or the neighbours.
 */
import * as Rule from "./Rule.ts"

/** Whether the bar obeys every rule. */
export const holds = (open: number, high: number, low: number, close: number, volume: number): boolean =>
  low > 0 && low <= open && low <= close && high >= open && high >= close && volume >= 0 &&
  Number.isSafeInteger(volume)

/** Why the bar is refused by the rules that are on, or undefined. Arguments are finite numbers. */
export const violation = (
  open: number,
  high: number,
  low: number,
  close: number,
  volume: number,
  rules: Rule.Rules = Rule.all
): string | undefined =>
  (rules.has("price_positive") ? notPositive(open, high, low, close) : undefined) ??
    (rules.has("ohlc_order") ? outOfRange(open, high, low, close) : undefined) ??
    badVolume(volume, rules)

const badVolume = (volume: number, rules: Rule.Rules): string | undefined => {
  if (rules.has("volume") && volume < 0) return `volume must be a whole number >= 0: ${volume}`
  return rules.has("volume_whole") && !Number.isSafeInteger(volume)
    ? `volume must be a whole number >= 0: ${volume}`
    : undefined
}

const notPositive = (open: number, high: number, low: number, close: number): string | undefined => {
  if (open > 0 && high > 0 && low > 0 && close > 0) return undefined
  const [name, price] = open <= 0
    ? ["open", open]
    : high <= 0
    ? ["high", high]
    : low <= 0
    ? ["low", low]
    : ["close", close]
  return `price must be positive: ${name} is ${price}`
}

const outOfRange = (open: number, high: number, low: number, close: number): string | undefined => {
  if (high < open) return below("open", high, open)
  if (high < close) return below("close", high, close)
  if (high < low) return below("low", high, low)
  if (low > open) return above("open", low, open)
  return low > close ? above("close", low, close) : undefined
}

const below = (name: string, high: number, price: number): string => `high below ${name}: ${high} < ${price}`

const above = (name: string, low: number, price: number): string => `low above ${name}: ${low} > ${price}`
