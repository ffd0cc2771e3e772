/**
 * A source without a key and a network: the sample file behind the face of the vendor.
 *
 * It answers with the very text that Alpha Vantage would send, so that payload, decoder and everything after them are
 * the ones that the real source uses. Each answer is written once, when it is first asked for.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Rule from "../bars/Rule.ts"
import * as Formats from "./alpha-vantage/Formats.ts"
import * as IntradayText from "./alpha-vantage/IntradayText.ts"
import { InvalidRequest, MarketData, MarketDataError } from "./MarketData.ts"
import type { Request } from "./MarketData.ts"
import * as Sample from "./Sample.ts"

const source = "replay"
const interval = "1min"

/** The words of the vendor for a symbol that it does not know. */
const unknownSymbol = "Invalid API call. Please retry or visit the documentation " +
  "(https://www.alphavantage.co/documentation/) for TIME_SERIES_INTRADAY."

/** Reads `file` once, when the layer is built. */
export const layer = (options: { readonly file: string }): Layer.Layer<MarketData, Sample.SampleError> =>
  Layer.effect(MarketData, Effect.zipWith(Sample.load(options.file), Rule.Active, make))

const make = (sample: Sample.Sample, rules: Rule.Rules): MarketData["Service"] => {
  const answers = new Map<string, Uint8Array>()
  const answer = ({ month, symbol }: Request): Uint8Array | undefined => {
    const known = answers.get(`${symbol}/${month}`)
    if (known !== undefined) return known
    const written = write(sample, symbol, month)
    if (written !== undefined) answers.set(`${symbol}/${month}`, written)
    return written
  }
  return MarketData.of({
    source,
    interval,
    // Another file is another source: what was fetched from the one before is stale.
    fingerprint: `${source} ${interval} raw extended ${sample.digest}`,
    fetchMonth: Effect.fn("Replay.fetchMonth")(function*(request: Request) {
      const bytes = answer(request)
      if (bytes === undefined) {
        return yield* new MarketDataError({ source, ...request, reason: new InvalidRequest({ text: unknownSymbol }) })
      }
      return { bytes, format: Formats.json, fetchedAt: yield* Clock.currentTimeMillis }
    }),
    decode: Formats.decoder(interval, rules)
  })
}

/** Undefined for a symbol that the sample lacks; a month that it lacks is a series without rows. */
const write = (sample: Sample.Sample, symbol: string, month: string): Uint8Array | undefined => {
  const spans = sample.spans.filter((span) => span.symbol === symbol)
  const newest = spans.at(-1)
  if (newest === undefined || !/^\d{4}-\d\d$/.test(month)) return undefined
  const asked = spans.filter((span) => span.session.startsWith(month))
  return new TextEncoder().encode(IntradayText.write(sample, asked, newest))
}

/** What a sample holds of one symbol; `from` and `to` are sessions, both inclusive. */
export interface Coverage {
  readonly symbol: string
  readonly from: string
  readonly to: string
}

/** The symbols of a sample in the order of the file. */
export const coverage = (file: string): Effect.Effect<ReadonlyArray<Coverage>, Sample.SampleError> =>
  Effect.map(Sample.load(file), ({ spans }) => {
    const found = new Map<string, Coverage>()
    for (const { session, symbol } of spans) {
      found.set(symbol, { symbol, from: found.get(symbol)?.from ?? session, to: session })
    }
    return Array.from(found.values())
  })
