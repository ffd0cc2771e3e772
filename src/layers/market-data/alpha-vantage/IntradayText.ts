/**
 * Writes what Alpha Vantage would have sent for rows of a sample: the "Meta Data" block and the series, newest bar
 * first, four spaces, prices as strings of four decimals.
 */
import * as Sample from "../Sample.ts"

const head = (symbol: string, newest: string): string =>
  `{
    "Meta Data": {
        "1. Information": "Intraday (1min) open, high, low, close prices and volume",
        "2. Symbol": ${JSON.stringify(symbol)},
        "3. Last Refreshed": "${newest}",
        "4. Interval": "1min",
        "5. Output Size": "Full size",
        "6. Time Zone": "US/Eastern"
    },
    "Time Series (1min)": {`

/** `spans` ascend and may be empty; `newest` holds the symbol's latest bar, in this answer or another. */
export const write = (sample: Sample.Sample, spans: ReadonlyArray<Sample.Span>, newest: Sample.Span): string => {
  const entries: Array<string> = []
  for (const span of spans.toReversed()) {
    for (let row = span.to - 1; row >= span.from; row--) entries.push(entry(sample, span.session, row))
  }
  const start = head(newest.symbol, label(newest.session, sample.minute[newest.to - 1]!))
  return entries.length === 0 ? `${start}}\n}` : `${start}\n${entries.join(",\n")}\n    }\n}`
}

const entry = ({ minute, values }: Sample.Sample, session: string, row: number): string => {
  const at = row * Sample.WIDTH
  return `        "${label(session, minute[row]!)}": {
            "1. open": "${price(values[at]!)}",
            "2. high": "${price(values[at + 1]!)}",
            "3. low": "${price(values[at + 2]!)}",
            "4. close": "${price(values[at + 3]!)}",
            "5. volume": "${values[at + 4]}"
        }`
}

const label = (session: string, minute: number): string =>
  `${session} ${padded(Math.floor(minute / 60), 2)}:${padded(minute % 60, 2)}:00`

/** From ten-thousandths, without rounding on the way. */
const price = (tenThousandths: number): string => {
  const size = Math.abs(tenThousandths)
  return `${tenThousandths < 0 ? "-" : ""}${Math.floor(size / 10_000)}.${padded(size % 10_000, 4)}`
}

const padded = (value: number, width: number): string => String(value).padStart(width, "0")
