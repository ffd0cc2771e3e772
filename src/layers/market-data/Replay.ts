/**
 * The bundled bars as a source: answers with Alpha Vantage's own JSON, so that the same decoder runs as with a key.
 *
 * A sample is a gzip of CSV: `symbol,session,minute,open,high,low,close,volume`, minutes from midnight New York time,
 * prices x 10000. It is read once, when something is first asked for.
 */
import * as Effect from "effect/Effect"
import * as Clock from "effect/Clock"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as NodeFs from "node:fs/promises"
import * as Zlib from "node:zlib"
import * as IntradayJson from "./IntradayJson.ts"
import { InvalidRequest, MarketData, MarketDataError } from "./MarketData.ts"

const SOURCE = "replay"
const HEADER = "symbol,session,minute,open,high,low,close,volume"

/** The sample cannot be read; `message` names the file and the line. */
export class SampleError extends Schema.TaggedError<SampleError>()("SampleError", {
  file: Schema.String,
  message: Schema.String,
  fix: Schema.String
}) {}

/** The lines of each symbol and month, in the file's order. */
type Sample = ReadonlyMap<string, ReadonlyMap<string, ReadonlyArray<string>>>

const LINE = /^([^,]+),(\d{4}-\d{2}-\d{2}),(\d{1,4}),\d+,\d+,\d+,\d+,\d+$/

const FIX = "give a gzip of CSV as src/layers/market-data/sample/README.md says, or unset BAROGRAPH_SAMPLE"

const wrong = (file: string, why: string): SampleError =>
  new SampleError({ file, message: `the sample ${file} cannot be used: ${why}`, fix: FIX })

const parse = (file: string, text: string): Sample | SampleError => {
  const lines = text.split("\n")
  if (lines[0]?.trimEnd() !== HEADER) return wrong(file, `line 1 is not "${HEADER}"`)
  const sample = new Map<string, Map<string, Array<string>>>()
  for (let at = 1; at < lines.length; at++) {
    const line = lines[at]!.trimEnd()
    if (line === "") continue
    const match = LINE.exec(line)
    if (match === null) return wrong(file, `line ${at + 1} is "${line.slice(0, 80)}"`)
    const [, symbol, session] = match
    const months = sample.get(symbol!) ?? new Map<string, Array<string>>()
    sample.set(symbol!, months)
    const month = session!.slice(0, 7)
    const rows = months.get(month)
    if (rows === undefined) months.set(month, [line])
    else rows.push(line)
  }
  return sample
}

const read = (file: string): Effect.Effect<Sample, SampleError> =>
  Effect.tryPromise({
    try: () => NodeFs.readFile(file).then((bytes) => Zlib.gunzipSync(bytes).toString("utf8")),
    catch: (cause) => wrong(file, cause instanceof Error ? cause.message : String(cause))
  }).pipe(Effect.flatMap((text) => {
    const sample = parse(file, text)
    return sample instanceof SampleError ? Effect.fail(sample) : Effect.succeed(sample)
  }))

const two = (value: number): string => String(value).padStart(2, "0")

const price = (scaled: string): string => {
  const digits = scaled.padStart(5, "0")
  return `${digits.slice(0, -4)}.${digits.slice(-4)}`
}

const entry = (line: string): readonly [label: string, text: string] => {
  const [, session, minute, open, high, low, close, volume] = line.split(",")
  const label = `${session} ${two(Math.floor(Number(minute) / 60))}:${two(Number(minute) % 60)}:00`
  const fields = [["1. open", price(open!)], ["2. high", price(high!)], ["3. low", price(low!)], ["4. close", price(close!)], ["5. volume", volume!]]
  const body = fields.map(([name, value]) => `            "${name}": "${value}"`).join(",\n")
  return [label, `        "${label}": {\n${body}\n        }`]
}

/** The answer to TIME_SERIES_INTRADAY for one month: newest first, strings, four spaces. */
const answer = (symbol: string, lines: ReadonlyArray<string>): string => {
  const entries = lines.map(entry).sort(([a], [b]) => a < b ? 1 : a > b ? -1 : 0)
  const meta = [
    ["1. Information", "Intraday (1min) open, high, low, close prices and volume"],
    ["2. Symbol", symbol],
    ["3. Last Refreshed", entries[0]?.[0] ?? ""],
    ["4. Interval", "1min"],
    ["5. Output Size", "Full size"],
    ["6. Time Zone", "US/Eastern"]
  ].map(([name, value]) => `        ${JSON.stringify(name)}: ${JSON.stringify(value)}`).join(",\n")
  const series = entries.length === 0 ? "" : `\n${entries.map(([, text]) => text).join(",\n")}\n    `
  return `{\n    "Meta Data": {\n${meta}\n    },\n    "Time Series (1min)": {${series}}\n}`
}

const unknownSymbol = "Invalid API call. Please retry or visit the documentation " +
  "(https://www.alphavantage.co/documentation/) for TIME_SERIES_INTRADAY."

/** `file`: the sample. It is read when the layer is built. */
export const layer = (options: { readonly file: string }): Layer.Layer<MarketData, SampleError> =>
  Layer.effect(
    MarketData,
    Effect.map(read(options.file), (sample) => ({
      source: SOURCE,
      interval: "1min",
      fingerprint: `${SOURCE} 1min raw extended`,
      decode: IntradayJson.decoder("1min"),
      fetchMonth: Effect.fn("Replay.fetchMonth")(function*({ month, symbol }) {
        const months = sample.get(symbol)
        if (months === undefined) {
          const reason = new InvalidRequest({ text: unknownSymbol })
          return yield* new MarketDataError({ source: SOURCE, symbol, month, reason })
        }
        const bytes = new TextEncoder().encode(answer(symbol, months.get(month) ?? []))
        return { bytes, format: IntradayJson.format, fetchedAt: yield* Clock.currentTimeMillis }
      })
    }))
  )

/** What the sample covers: each symbol with its first and last session, in the file's order. */
export const coverage = (file: string) =>
  Effect.map(read(file), (sample) =>
    [...sample].map(([symbol, months]) => {
      const sessions = [...months.values()].flat().map((line) => line.slice(symbol.length + 1, symbol.length + 11))
      const [from, to] = sessions.reduce(([least, most], one) => [one < least ? one : least, one > most ? one : most], [
        sessions[0]!,
        sessions[0]!
      ])
      return { symbol, from, to }
    }))
