/**
 * A source for tests: answers from a map, and counts what it was asked. Bytes are intraday JSON; a reason is a failure.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Formats from "./alpha-vantage/Formats.ts"
import { InvalidRequest, MarketData, MarketDataError } from "./MarketData.ts"
import type { Reason, Request } from "./MarketData.ts"

const source = "memory"

/** By `SYMBOL/YYYY-MM`. The map may change between calls; what it lacks is an `InvalidRequest`. */
export type Answers = ReadonlyMap<string, Uint8Array | Reason>

export interface Memory {
  readonly layer: Layer.Layer<MarketData>
  /** The keys that were asked for, in that order. */
  readonly calls: ReadonlyArray<string>
}

/** The layer with a view of its calls. */
export const make = (answers: Answers): Memory => {
  const calls: Array<string> = []
  const fetchMonth = (request: Request) =>
    Effect.suspend(() => {
      const key = `${request.symbol}/${request.month}`
      calls.push(key)
      const answer = answers.get(key) ?? new InvalidRequest({ text: `no answer for ${key}` })
      return answer instanceof Uint8Array
        ? Effect.map(
          Clock.currentTimeMillis,
          (fetchedAt) => ({ bytes: answer, format: Formats.json, fetchedAt })
        )
        : Effect.fail(new MarketDataError({ source, ...request, reason: answer }))
    })
  const service = MarketData.of({
    source,
    interval: "1min",
    fingerprint: `${source} 1min raw extended`,
    fetchMonth,
    decode: Formats.decoder("1min")
  })
  return { layer: Layer.succeed(MarketData, service), calls }
}
