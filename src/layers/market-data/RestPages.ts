/**
 * Questions to a REST API that are answered in pages: every call is reserved in the quota, bounded in time and memory,
 * and tried again where that helps. What a vendor's answer means it says itself.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as HttpBody from "./HttpBody.ts"
import * as HttpStatus from "./HttpStatus.ts"
import * as KeyRedaction from "./KeyRedaction.ts"
import * as MarketData from "./MarketData.ts"
import * as Metered from "./Metered.ts"
import type * as Quota from "./Quota.ts"

export interface Call extends HttpBody.Call {
  readonly urlParams: { readonly [name: string]: string }
}

/** `Question` is what a symbol's month, or a symbol, is to the API. */
export interface RestPages<Question> {
  /** Whose quota the calls count against. See `quota/Account.ts`. */
  readonly account: string
  readonly limits: Quota.Limits
  /** What one call costs of the limits. */
  readonly cost: number
  /** Removed from whatever leaves. */
  readonly secrets: ReadonlyArray<Redacted.Redacted<string>>
  /** The call for the first page. `now` is epoch milliseconds. */
  readonly first: (question: Question, now: number) => Call
  /** The call for the page after this answer, when there is one. */
  readonly next: (call: Call, answer: HttpBody.Answer) => Call | undefined
  /** Why the answer is no page of this question, or undefined. */
  readonly refusal: (answer: HttpBody.Answer, question: Question, now: number) => MarketData.Reason | undefined
  /** Until when the answer's headers ask everybody to be silent. `Retry-After` is heeded anyway. */
  readonly pause: (answer: HttpBody.Answer, now: number) => number | undefined
}

export interface Options {
  /** For one call, its body included. */
  readonly timeout?: Duration.Input
}

/** A page is tried this often in all: a hiccup at page forty must not start the question anew. */
const TRIES = 3
/** What all pages together may take of memory. */
const LIMIT = HttpBody.BODY_LIMIT

/** All pages as they came, without the keys. A failure's text holds none either. */
export const collect = <Question>(
  self: RestPages<Question>,
  question: Question,
  { timeout = "30 seconds" }: Options
) => {
  const redactions = self.secrets.map(KeyRedaction.make)
  const clean = (text: string): string => redactions.reduce((said, redaction) => redaction.text(said), text)
  const bytes = (page: Uint8Array): Uint8Array => redactions.reduce((known, redaction) => redaction.bytes(known), page)
  return allPages(self, question, timeout).pipe(
    Effect.map((pages): ReadonlyArray<Uint8Array> => pages.map(bytes)),
    Effect.mapError((reason) => cleaned(reason, clean))
  )
}

const allPages = Effect.fnUntraced(
  function*<Question>(self: RestPages<Question>, question: Question, timeout: Duration.Input) {
    const pages: Array<Uint8Array> = []
    const asked = new Set<string>()
    let size = 0
    let call: Call | undefined = self.first(question, yield* Clock.currentTimeMillis)
    while (call !== undefined) {
      const answer: HttpBody.Answer = yield* page(self, question, call, timeout)
      size += answer.bytes.byteLength
      if (size > LIMIT) return yield* unrecognised(`an answer of more than ${LIMIT >> 20} MB`)
      pages.push(answer.bytes)
      asked.add(JSON.stringify(call.urlParams))
      call = self.next(call, answer)
      if (asked.has(JSON.stringify(call?.urlParams))) return yield* unrecognised("the pages go in a circle")
    }
    return pages
  }
)

const unrecognised = (text: string) => Effect.fail(new MarketData.Unrecognised({ text }))

const page = Effect.fnUntraced(
  function*<Question>(self: RestPages<Question>, question: Question, call: Call, timeout: Duration.Input) {
    for (let tried = 1;; tried++) {
      const found = yield* Effect.result(attempt(self, question, call, timeout))
      if (found._tag === "Success") return found.success
      const reason = found.failure
      if (tried === TRIES || reason._tag !== "Throttled" && reason._tag !== "Unavailable") {
        return yield* Effect.fail(reason)
      }
      yield* Effect.sleep(reason._tag === "Throttled" ? reason.retryAfterMillis : tried * 1000)
    }
  }
)

const attempt = <Question>(self: RestPages<Question>, question: Question, call: Call, timeout: Duration.Input) =>
  Effect.gen(function*() {
    const answer = yield* HttpBody.get(call).pipe(
      Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.fail(timeoutText(timeout)) }),
      Effect.mapError((text) => new MarketData.Unavailable({ text }))
    )
    const now = yield* Clock.currentTimeMillis
    const until = self.pause(answer, now) ?? retryAt(answer, now)
    if (until !== undefined) yield* Metered.pause(self.account, until)
    const reason = self.refusal(answer, question, now)
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
