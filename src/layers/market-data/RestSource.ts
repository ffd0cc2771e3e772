/**
 * A source over a REST API: what is common to all of them, so that a vendor is five answers.
 *
 * `RestSource` names the request of a month and of each further page, the decoder, the meaning of a refusal, the quota and the pause
 * that an answer's headers ask for. Here: every call is reserved in the quota, bounded in time and memory, tried again
 * where that helps, and nothing that leaves holds a key. The pages are kept as they came, a line each.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Rule from "../bars/Rule.ts"
import * as MarketData from "./MarketData.ts"
import * as PagedRows from "./PagedRows.ts"
import type * as Quota from "./Quota.ts"
import * as RestPages from "./RestPages.ts"

export interface RestSource extends RestPages.RestPages<MarketData.Request> {
  /** Goes to the `source` column. */
  readonly source: string
  /** Goes to the `interval` column: `1min`. */
  readonly interval: string
  readonly fingerprint: string
  /** How its payloads are read. */
  readonly shape: PagedRows.Shape
  readonly together?: Together
}

/** A month of several symbols, by the same call. */
export interface Months {
  readonly symbols: ReadonlyArray<string>
  readonly month: string
}

/** How a source asks for several symbols at once. */
export interface Together {
  readonly pages: RestPages.RestPages<Months>
  /** Every symbol's own part of the pages, as a payload that its decoder reads; of a symbol without bars too. */
  readonly parts: (pages: ReadonlyArray<Uint8Array>, symbols: ReadonlyArray<string>) => ReadonlyMap<string, Uint8Array>
  /** Whose symbol made the vendor refuse, where it says so. */
  readonly culprit: (reason: MarketData.Reason, symbols: ReadonlyArray<string>) => string | undefined
}

export const layer = (
  self: RestSource,
  options: RestPages.Options
): Layer.Layer<MarketData.MarketData, never, Quota.Quota> =>
  Layer.effect(MarketData.MarketData, make(self, options)).pipe(Layer.provide(FetchHttpClient.layer))

const NEWLINE = new Uint8Array([10])

const make = Effect.fnUntraced(function*(self: RestSource, options: RestPages.Options) {
  const services = yield* Effect.context<HttpClient.HttpClient | Quota.Quota>()
  const { together } = self
  return MarketData.MarketData.of({
    source: self.source,
    interval: self.interval,
    fingerprint: self.fingerprint,
    decode: PagedRows.decoder(self.shape, yield* Rule.Active),
    fetchMonth: Effect.fn("RestSource.fetchMonth")((request) =>
      RestPages.collect(self, request, options).pipe(
        Effect.flatMap((pages) =>
          Effect.map(Clock.currentTimeMillis, (fetchedAt) => ({
            bytes: Buffer.concat(pages.flatMap((page) => [page, NEWLINE])) as Uint8Array,
            format: self.shape.format,
            fetchedAt
          }))
        ),
        Effect.mapError((reason) => new MarketData.MarketDataError({ source: self.source, ...request, reason })),
        Effect.provideContext(services)
      )
    ),
    ...(together === undefined ? {} : {
      fetchMonths: Effect.fn("RestSource.fetchMonths")((symbols, month) =>
        fetchTogether(self, together, symbols, month, options).pipe(Effect.provideContext(services))
      )
    })
  })
})

type Fetched = Result.Result<MarketData.Payload, MarketData.MarketDataError>

/** A refusal that names a symbol is that symbol's; the others are asked for again without it. */
const fetchTogether = Effect.fnUntraced(function*(
  self: RestSource,
  { culprit, pages, parts }: Together,
  asked: ReadonlyArray<string>,
  month: string,
  options: RestPages.Options
) {
  const found = new Map<string, Fetched>()
  const failure = (symbol: string, reason: MarketData.Reason) =>
    new MarketData.MarketDataError({ source: self.source, symbol, month, reason })
  for (let symbols = asked; symbols.length > 0;) {
    const answer = yield* Effect.result(RestPages.collect(pages, { symbols, month }, options))
    if (Result.isFailure(answer)) {
      const refused = culprit(answer.failure, symbols)
      if (refused === undefined) return yield* failure(symbols.join(","), answer.failure)
      found.set(refused, Result.fail(failure(refused, answer.failure)))
      symbols = symbols.filter((symbol) => symbol !== refused)
      continue
    }
    const fetchedAt = yield* Clock.currentTimeMillis
    for (const [symbol, bytes] of parts(answer.success, symbols)) {
      found.set(symbol, Result.succeed({ bytes, format: self.shape.format, fetchedAt }))
    }
    symbols = []
  }
  return found
})
