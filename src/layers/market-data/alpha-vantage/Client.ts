/**
 * Calls to Alpha Vantage: one question, one GET, counted against the quota, bounded in time and memory, and without the
 * key in anything that leaves. Nothing is retried here: the reason says whether another try helps, the caller's policy decides.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import * as HttpBody from "../HttpBody.ts"
import * as HttpStatus from "../HttpStatus.ts"
import * as KeyRedaction from "../KeyRedaction.ts"
import * as MarketData from "../MarketData.ts"
import * as Metered from "../Metered.ts"
import * as Quota from "../Quota.ts"
import * as Account from "../quota/Account.ts"
import * as FreePlan from "./FreePlan.ts"
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
  /** What the plan allows; the free one without it. */
  readonly limits?: Quota.Limits
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
  limits: FreePlan.limits
} as const

export const make = Effect.fnUntraced(function*(options: Options) {
  const settings = { ...defaults, ...options }
  const client = yield* HttpClient.HttpClient
  const quota = yield* Quota.Quota
  const remembering = refusals()
  const account = Account.name(source, Redacted.value(settings.apiKey))
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
  const asked = Effect.fnUntraced(function*(query: Query.Query) {
    const answer = yield* get(query)
    const fetchedAt = yield* Clock.currentTimeMillis
    const wait = answer.status >= 400 ? HttpStatus.waitOf(answer.headers, fetchedAt) : undefined
    if (wait !== undefined) yield* Metered.pause(account, fetchedAt + wait)
    const reason = Refusal.of(answer, query, fetchedAt)
    if (reason !== undefined) return yield* Effect.fail(reason)
    return { bytes: redaction.bytes(answer.bytes), fetchedAt } satisfies Answer
  })
  const call = (query: Query.Query) =>
    remembering(
      kindOf(query),
      asked(query).pipe(Metered.call(account, settings.limits, 1))
    ).pipe(
      Effect.mapError((reason) => redacted(reason, redaction)),
      Effect.provideService(Quota.Quota, quota)
    )
  return { call } satisfies Client
})

/** What the plan decides about: everything but symbol and month. */
const kindOf = (query: Query.Query): string => {
  const { month: _month, symbol: _symbol, ...kind } = Query.parameters(query)
  return JSON.stringify(kind)
}

/** For so long a refused kind is not asked again: each time would cost one of the day's calls for the same answer. */
const REMEMBERED = 10 * 60_000

/** Fails at once where the key or its plan was refused for this kind of question a short while ago. */
const refusals = () => {
  const known = new Map<string, { readonly reason: MarketData.Reason; readonly until: number }>()
  return <A, R>(kind: string, call: Effect.Effect<A, MarketData.Reason, R>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const refusal = known.get(kind)
      if (refusal !== undefined && refusal.until > now) return Effect.fail(refusal.reason)
      return Effect.tapError(call, (reason) =>
        Effect.sync(() => {
          if (reason._tag !== "NotEntitled" && reason._tag !== "Unauthorized") return
          known.set(kind, { reason, until: now + REMEMBERED })
        }))
    })
}

const timeoutText = (timeout: Duration.Input): string =>
  `no answer within ${Duration.format(Duration.fromInputUnsafe(timeout))}`

const redacted = (reason: MarketData.Reason, redaction: KeyRedaction.KeyRedaction): MarketData.Reason => {
  const text = redaction.text(reason.text)
  return reason._tag === "Throttled"
    ? new MarketData.Throttled({ text, retryAfterMillis: reason.retryAfterMillis })
    : MarketData.Reason.make({ _tag: reason._tag, text })
}
