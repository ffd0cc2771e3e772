/**
 * The rules that every bar of every source obeys before it becomes a row: positive prices, a range that holds open and
 * close, a whole volume. A bar that breaks one goes to quarantine with the sentence from here.
 *
 * Rules about the market (sessions, gaps, jumps) are not for decoders: they need the calendar or the neighbours.
 */

/** Whether the bar obeys every rule. */
export const holds = (open: number, high: number, low: number, close: number, volume: number): boolean =>
  low > 0 && low <= open && low <= close && high >= open && high >= close && volume >= 0 &&
  Number.isSafeInteger(volume)

/** Why the bar is refused, or undefined. Arguments are finite numbers. */
export const violation = (open: number, high: number, low: number, close: number, volume: number): string | undefined =>
  notPositive(open, high, low, close) ?? outOfRange(open, high, low, close) ??
    (Number.isSafeInteger(volume) && volume >= 0 ? undefined : `volume must be a whole number >= 0: ${volume}`)

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
