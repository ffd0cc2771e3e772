/**
 * Alpha Vantage's TIME_SERIES_INTRADAY: one call is one month of one symbol, raw prices, extended hours.
 *
 * Calls start at least a second apart within this process (the vendor's burst limit); quotas per day are the engine's
 * pools. Nothing is retried here: a failure says whether it is worth another try. The key is only in the request.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import * as Envelope from "./alpha-vantage/IntradayEnvelope.ts"
import * as IntradayJson from "./alpha-vantage/IntradayJson.ts"
import * as SoftError from "./alpha-vantage/SoftError.ts"
import * as HttpBody from "./HttpBody.ts"
import * as HttpStatus from "./HttpStatus.ts"
import * as KeyRedaction from "./KeyRedaction.ts"
import * as MarketData from "./MarketData.ts"

export interface Options {
  readonly apiKey: Redacted.Redacted<string>
  readonly baseUrl?: string
  readonly interval?: Envelope.Interval
  /** For a whole call, body included. A month of minute bars takes the vendor several seconds. */
  readonly timeout?: Duration.Input
  /** The least time between the starts of two calls. */
  readonly spacing?: Duration.Input
}

const source = "alpha_vantage"

const defaults = {
  baseUrl: "https://www.alphavantage.co/query",
  interval: "1min",
  timeout: "30 seconds",
  spacing: "1 second"
} as const

export const layer = (options: Options): Layer.Layer<MarketData.MarketData> =>
  Layer.effect(MarketData.MarketData, make(options)).pipe(Layer.provide(FetchHttpClient.layer))

const make = Effect.fnUntraced(function*(options: Options) {
  const settings = { ...defaults, ...options }
  const client = yield* HttpClient.HttpClient
  const turn = yield* spacing(Duration.toMillis(settings.spacing))
  const redaction = KeyRedaction.make(settings.apiKey)
  const fetch = (request: MarketData.Request) =>
    HttpBody.get({ url: settings.baseUrl, urlParams: parameters(settings, request) }).pipe(
      Effect.timeoutOrElse({ duration: settings.timeout, orElse: () => Effect.fail(timeoutText(settings.timeout)) }),
      Effect.mapError((text) => new MarketData.Unavailable({ text })),
      Effect.provideService(HttpClient.HttpClient, client)
    )
  const fetchMonth = Effect.fn("AlphaVantage.fetchMonth")(function*(request: MarketData.Request) {
    yield* turn
    const fail = (reason: MarketData.Reason) =>
      new MarketData.MarketDataError({ source, ...request, reason: redacted(reason, redaction) })
    const answer = yield* Effect.mapError(fetch(request), fail)
    const fetchedAt = yield* Clock.currentTimeMillis
    const reason = refusal(answer, request, settings.interval, fetchedAt)
    if (reason !== undefined) return yield* fail(reason)
    return { bytes: redaction.bytes(answer.bytes), format: IntradayJson.format, fetchedAt }
  })
  return MarketData.MarketData.of({
    source,
    interval: settings.interval,
    fingerprint: `${source} ${settings.interval} raw extended`,
    fetchMonth,
    decode: IntradayJson.decoder(settings.interval)
  })
})

const parameters = (settings: Options & { readonly interval: string }, request: MarketData.Request) => ({
  function: "TIME_SERIES_INTRADAY",
  symbol: request.symbol,
  month: request.month,
  interval: settings.interval,
  adjusted: "false",
  extended_hours: "true",
  outputsize: "full",
  datatype: "json",
  apikey: settings.apiKey
})

const timeoutText = (timeout: Duration.Input): string =>
  `no answer within ${Duration.format(Duration.fromInputUnsafe(timeout))}`

/** Waits for the caller's turn: starts are `gap` milliseconds apart, in the order of asking. */
const spacing = (gap: number): Effect.Effect<Effect.Effect<void>> =>
  Effect.map(Semaphore.make(1), (semaphore) => {
    let next = 0
    return semaphore.withPermits(1)(Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      if (next > now) yield* Effect.sleep(next - now)
      next = (yield* Clock.currentTimeMillis) + gap
    }))
  })

/** A message tells more than a status; a status more than a body that nobody knows. */
const refusal = (answer: HttpBody.Answer, request: MarketData.Request, interval: string, now: number) => {
  const text = new TextDecoder().decode(answer.bytes)
  const reason = SoftError.classify(text)
  const status = HttpStatus.refusal(answer, now)
  if (status === undefined) return reason ?? mismatch(text, request, interval)
  return reason === undefined || reason._tag === "Unavailable" || reason._tag === "Unrecognised" ? status : reason
}

/** An answer to another question is refused, not stored: its rows would be filed under the wrong name. */
const mismatch = (text: string, { month, symbol }: MarketData.Request, interval: string) => {
  const { meta, newest } = Envelope.read(text)
  const said = [
    ["symbol", symbol.toUpperCase(), meta?.symbol?.toUpperCase()],
    ["interval", interval, meta?.interval],
    ["month", month, newest?.slice(0, 7)]
  ] as const
  const wrong = said.find(([, asked, answered]) => answered !== undefined && answered !== asked)
  return wrong === undefined
    ? undefined
    : new MarketData.Mismatched({ text: `asked for ${wrong[0]} ${wrong[1]}, the answer is for ${wrong[2]}` })
}

const redacted = (reason: MarketData.Reason, redaction: KeyRedaction.KeyRedaction): MarketData.Reason => {
  const text = redaction.text(reason.text)
  return reason._tag === "Throttled"
    ? new MarketData.Throttled({ text, retryAfterMillis: reason.retryAfterMillis })
    : MarketData.Reason.make({ _tag: reason._tag, text })
}
