/**
 * A source over a REST API: what is common to all of them, so that a vendor is five answers.
 *
 * `RestSource` names the request of a month and of each further page, the decoder, the meaning of a refusal, the quota and the pause
 * that an answer's headers ask for. Here: every call is reserved in the quota, bounded in time and memory, tried again
 * where that helps, and nothing that leaves holds a key. The pages are kept as they came, a line each.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Rule from "../bars/Rule.ts"
import * as HttpBody from "./HttpBody.ts"
import * as HttpStatus from "./HttpStatus.ts"
import * as KeyRedaction from "./KeyRedaction.ts"
import * as MarketData from "./MarketData.ts"
import * as Metered from "./Metered.ts"
import * as PagedRows from "./PagedRows.ts"
import type * as Quota from "./Quota.ts"

export interface Call extends HttpBody.Call {
  readonly urlParams: { readonly [name: string]: string }
}

export interface RestSource {
  /** Goes to the `source` column. */
  readonly source: string
  /** Goes to the `interval` column: `1min`. */
  readonly interval: string
  readonly fingerprint: string
  /** How its payloads are read. */
  readonly shape: PagedRows.Shape
  /** Whose quota the calls count against. See `quota/Account.ts`. */
  readonly account: string
  readonly limits: Quota.Limits
  /** What one call costs of the limits. */
  readonly cost: number
  /** Removed from whatever leaves. */
  readonly secrets: ReadonlyArray<Redacted.Redacted<string>>
  /** The call for the month's first page. `now` is epoch milliseconds. */
  readonly first: (request: MarketData.Request, now: number) => Call
  /** The call for the page after this answer, when there is one. */
  readonly next: (call: Call, answer: HttpBody.Answer) => Call | undefined
  /** Why the answer is no page of this request, or undefined. */
  readonly refusal: (
    answer: HttpBody.Answer,
    request: MarketData.Request,
    now: number
  ) => MarketData.Reason | undefined
  /** Until when the answer's headers ask everybody to be silent. `Retry-After` is heeded anyway. */
  readonly pause: (answer: HttpBody.Answer, now: number) => number | undefined
}

export interface Options {
  /** For one call, its body included. */
  readonly timeout?: Duration.Input
}

/** A page is tried this often in all: a hiccup at page forty must not start the month anew. */
const TRIES = 3
/** What a whole month may take of memory. */
const LIMIT = HttpBody.BODY_LIMIT

export const layer = (
  self: RestSource,
  options: Options
): Layer.Layer<MarketData.MarketData, never, Quota.Quota> =>
  Layer.effect(MarketData.MarketData, make(self, options)).pipe(Layer.provide(FetchHttpClient.layer))

const make = Effect.fnUntraced(function*(self: RestSource, { timeout = "30 seconds" }: Options) {
  const services = yield* Effect.context<HttpClient.HttpClient | Quota.Quota>()
  const redactions = self.secrets.map(KeyRedaction.make)
  const clean = (text: string): string => redactions.reduce((said, redaction) => redaction.text(said), text)
  const fetchMonth = Effect.fnUntraced(function*(request: MarketData.Request) {
    const pages = yield* collect(self, request, timeout)
    const bytes = redactions.reduce((known, redaction) => redaction.bytes(known), Buffer.concat(pages) as Uint8Array)
    return { bytes, format: self.shape.format, fetchedAt: yield* Clock.currentTimeMillis }
  })
  return MarketData.MarketData.of({
    source: self.source,
    interval: self.interval,
    fingerprint: self.fingerprint,
    decode: PagedRows.decoder(self.shape, yield* Rule.Active),
    fetchMonth: Effect.fn("RestSource.fetchMonth")((request) =>
      fetchMonth(request).pipe(
        Effect.mapError((reason) =>
          new MarketData.MarketDataError({ source: self.source, ...request, reason: cleaned(reason, clean) })
        ),
        Effect.provideContext(services)
      )
    )
  })
})

const NEWLINE = new Uint8Array([10])

const collect = Effect.fnUntraced(
  function*(self: RestSource, request: MarketData.Request, timeout: Duration.Input) {
    const pages: Array<Uint8Array> = []
    const asked = new Set<string>()
    let size = 0
    let call: Call | undefined = self.first(request, yield* Clock.currentTimeMillis)
    while (call !== undefined) {
      const answer: HttpBody.Answer = yield* page(self, request, call, timeout)
      size += answer.bytes.byteLength
      if (size > LIMIT) return yield* unrecognised(`a month of more than ${LIMIT >> 20} MB`)
      pages.push(answer.bytes, NEWLINE)
      asked.add(JSON.stringify(call.urlParams))
      call = self.next(call, answer)
      if (asked.has(JSON.stringify(call?.urlParams))) return yield* unrecognised("the pages go in a circle")
    }
    return pages
  }
)

const unrecognised = (text: string) => Effect.fail(new MarketData.Unrecognised({ text }))

const page = Effect.fnUntraced(
  function*(self: RestSource, request: MarketData.Request, call: Call, timeout: Duration.Input) {
    for (let tried = 1;; tried++) {
      const found = yield* Effect.result(attempt(self, request, call, timeout))
      if (found._tag === "Success") return found.success
      const reason = found.failure
      if (tried === TRIES || reason._tag !== "Throttled" && reason._tag !== "Unavailable") {
        return yield* Effect.fail(reason)
      }
      yield* Effect.sleep(reason._tag === "Throttled" ? reason.retryAfterMillis : tried * 1000)
    }
  }
)

const attempt = (self: RestSource, request: MarketData.Request, call: Call, timeout: Duration.Input) =>
  Effect.gen(function*() {
    const answer = yield* HttpBody.get(call).pipe(
      Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.fail(timeoutText(timeout)) }),
      Effect.mapError((text) => new MarketData.Unavailable({ text }))
    )
    const now = yield* Clock.currentTimeMillis
    const until = self.pause(answer, now) ?? retryAt(answer, now)
    if (until !== undefined) yield* Metered.pause(self.account, until)
    const reason = self.refusal(answer, request, now)
    return reason === undefined ? answer : yield* Effect.fail(reason)
  }).pipe(Metered.call(self.account, self.limits, self.cost))

/** A refusal that names a time is for every call until then, however long. */
const retryAt = (answer: HttpBody.Answer, now: number): number | undefined => {
  const wait = answer.status >= 400 ? HttpStatus.waitOf(answer.headers, now) : undefined
  return wait === undefined ? undefined : now + wait
}

const timeoutText = (timeout: Duration.Input): string =>
  `no answer within ${Duration.format(Duration.fromInputUnsafe(timeout))}`

const cleaned = (reason: MarketData.Reason, clean: (text: string) => string): MarketData.Reason => {
  const text = clean(reason.text)
  return reason._tag === "Throttled"
    ? new MarketData.Throttled({ text, retryAfterMillis: reason.retryAfterMillis })
    : MarketData.Reason.make({ _tag: reason._tag, text })
}
