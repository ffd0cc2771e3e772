/**
 * Calls to Alpha Vantage: one question, one GET, bounded in time and memory, spaced, and without the key in anything that
 * leaves. Nothing is retried here: the reason says whether another try helps, the caller's policy decides.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import * as HttpBody from "../HttpBody.ts"
import * as KeyRedaction from "../KeyRedaction.ts"
import * as MarketData from "../MarketData.ts"
import * as Query from "./Query.ts"
import * as Refusal from "./Refusal.ts"

export const source = "alpha_vantage"

export interface Options {
  readonly apiKey: Redacted.Redacted<string>
  readonly baseUrl?: string
  readonly dataType?: Query.DataType
  readonly entitlement?: Query.Entitlement
  /** For a whole call, body included. A month of minute bars takes the vendor several seconds. */
  readonly timeout?: Duration.Input
  /** The least time between the starts of two calls of this process. */
  readonly spacing?: Duration.Input
}

export interface Answer {
  /** The body as it came, with the key removed where the vendor echoes it. */
  readonly bytes: Uint8Array
  /** Epoch milliseconds. */
  readonly fetchedAt: number
}

export interface Client {
  /** A failure's text holds no key. */
  readonly call: (query: Query.Query) => Effect.Effect<Answer, MarketData.Reason>
}

const defaults = {
  baseUrl: "https://www.alphavantage.co/query",
  timeout: "30 seconds",
  spacing: "1 second"
} as const

export const make = Effect.fnUntraced(function*(options: Options) {
  const settings = { ...defaults, ...options }
  const client = yield* HttpClient.HttpClient
  const turn = yield* spacing(Duration.toMillis(settings.spacing))
  const redaction = KeyRedaction.make(settings.apiKey)
  const get = (query: Query.Query) =>
    HttpBody.get({
      url: settings.baseUrl,
      urlParams: { ...Query.parameters(query, settings.dataType, settings.entitlement), apikey: settings.apiKey }
    }).pipe(
      Effect.timeoutOrElse({ duration: settings.timeout, orElse: () => Effect.fail(timeoutText(settings.timeout)) }),
      Effect.mapError((text) => new MarketData.Unavailable({ text })),
      Effect.provideService(HttpClient.HttpClient, client)
    )
  const call = Effect.fnUntraced(function*(query: Query.Query) {
    yield* turn
    const answer = yield* get(query)
    const fetchedAt = yield* Clock.currentTimeMillis
    const reason = Refusal.of(answer, query, fetchedAt)
    if (reason !== undefined) return yield* Effect.fail(reason)
    return { bytes: redaction.bytes(answer.bytes), fetchedAt } satisfies Answer
  }, Effect.mapError((reason) => redacted(reason, redaction)))
  return { call } satisfies Client
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

const redacted = (reason: MarketData.Reason, redaction: KeyRedaction.KeyRedaction): MarketData.Reason => {
  const text = redaction.text(reason.text)
  return reason._tag === "Throttled"
    ? new MarketData.Throttled({ text, retryAfterMillis: reason.retryAfterMillis })
    : MarketData.Reason.make({ _tag: reason._tag, text })
}
