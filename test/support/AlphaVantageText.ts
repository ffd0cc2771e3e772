/** Answers as Alpha Vantage writes them, of a fixed seed: for benches, fuzzing and servers. */

/** Whole numbers from 0 up to, not including, `below`. */
export type Random = (below: number) => number

export const randomOf = (seed: number): Random => {
  let state = seed % 2_147_483_647 || 1
  return (below) => (state = (state * 48_271) % 2_147_483_647) % below
}

const two = (value: number): string => String(value).padStart(2, "0")

const price = (tenThousandths: number): string =>
  `${Math.floor(tenThousandths / 10_000)}.${String(tenThousandths % 10_000).padStart(4, "0")}`

/** One row in the vendor's layout. Prices are in ten-thousandths. */
export const row = (label: string, open: number, high: number, low: number, close: number, volume: number): string =>
  `        "${label}": {
            "1. open": "${price(open)}",
            "2. high": "${price(high)}",
            "3. low": "${price(low)}",
            "4. close": "${price(close)}",
            "5. volume": "${volume}"
        }`

export const head = (symbol: string, refreshed: string, interval = "1min"): string =>
  `{
    "Meta Data": {
        "1. Information": "Intraday (${interval}) open, high, low, close prices and volume",
        "2. Symbol": "${symbol}",
        "3. Last Refreshed": "${refreshed}",
        "4. Interval": "${interval}",
        "5. Output Size": "Full size",
        "6. Time Zone": "US/Eastern"
    },
    "Time Series (${interval})": {
`

/** Weekdays of month `index` counted from 2006-01, newest first, then minutes 19:59 down to 04:00. */
const labels = (index: number, count: number): Array<string> => {
  const year = 2006 + Math.floor(index / 12)
  const month = index % 12
  const found: Array<string> = []
  for (let day = new Date(Date.UTC(year, month + 1, 0)).getUTCDate(); day > 0 && found.length < count; day--) {
    if ([0, 6].includes(new Date(Date.UTC(year, month, day)).getUTCDay())) continue
    for (let minute = 1199; minute >= 240 && found.length < count; minute--) {
      found.push(`${year}-${two(month + 1)}-${two(day)} ${two(Math.floor(minute / 60))}:${two(minute % 60)}:00`)
    }
  }
  return found
}

export const month = (random: Random, count: number, index: number): string => {
  let close = 200_000 + random(9_000_000)
  const rows = labels(index, count).map((label) => {
    const open = Math.max(10_000, close + random(2001) - 1000)
    const next = Math.max(10_000, open + random(4001) - 2000)
    const high = Math.max(open, next) + random(500)
    const low = Math.min(open, next) - random(500)
    close = next
    return row(label, open, high, low, next, random(10) === 0 ? random(5_000_000) : random(20_000))
  })
  const newest = labels(index, 1)[0]!
  return `${head("IBM", newest)}${rows.join(",\n")}\n    }\n}`
}
