/**
 * Alpaca's splits and cash dividends of a symbol, since its bars begin: `GET /v1/corporate-actions`, a thousand to a page.
 *
 * The range asked for goes on past today, because a dividend is filed under the day it is paid, weeks after its ex-date;
 * what is to come is left out until its date. A record that cannot be read is an error: a split that is left out makes
 * every price before it wrong by its factor.
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Adjustment from "../../bars/Adjustment.ts"
import { CorporateActions } from "../CorporateActions.ts"
import type * as HttpBody from "../HttpBody.ts"
import * as HttpStatus from "../HttpStatus.ts"
import * as JsonBytes from "../JsonBytes.ts"
import * as MarketData from "../MarketData.ts"
import type { Limits, Quota } from "../Quota.ts"
import * as RestPages from "../RestPages.ts"
import * as Answers from "./Answers.ts"
import * as BarsJson from "./BarsJson.ts"

export interface Options extends RestPages.Options, Answers.Keys {
  /** Any address of the vendor's host. */
  readonly baseUrl?: string
  readonly limits?: Limits
}

const PATH = "/v1/corporate-actions"
/** Bars go back to here. */
const START = "2016-01-01"
/** From the ex-date to the day of payment. */
const AHEAD = 120

const IsoDate = Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\d$/))
const Positive = Schema.Finite.check(Schema.isGreaterThan(0))
const Split = Schema.Struct({ symbol: Schema.String, ex_date: IsoDate, new_rate: Positive, old_rate: Positive })
const Dividend = Schema.Struct({ symbol: Schema.String, ex_date: IsoDate, rate: Positive })

/** Kinds without a record are absent. */
const Page = Schema.Struct({
  corporate_actions: Schema.Struct({
    forward_splits: Schema.optional(Schema.Array(Split)),
    reverse_splits: Schema.optional(Schema.Array(Split)),
    cash_dividends: Schema.optional(Schema.Array(Dividend))
  }),
  next_page_token: Schema.NullOr(Schema.String)
})

const decodePage = Schema.decodeUnknownResult(Page)

const read = (bytes: Uint8Array) => decodePage(JsonBytes.parsed(bytes, 0, bytes.length))

const recordsOf = (
  { corporate_actions: { cash_dividends = [], forward_splits = [], reverse_splits = [] } }: typeof Page.Type
) => ({
  splits: [...forward_splits, ...reverse_splits],
  dividends: cash_dividends
})

const dateIn = (instant: number): string =>
  DateTime.formatIsoDate(DateTime.makeZonedUnsafe(instant, { timeZone: BarsJson.zone }))

const byDate = (a: { readonly date: string }, b: { readonly date: string }): number => a.date < b.date ? -1 : 1

/** What has happened until `today`, from whole pages. */
const actionsOf = (pages: ReadonlyArray<typeof Page.Type>, today: string): Adjustment.Actions => {
  const records = pages.map(recordsOf)
  const past = <A extends { readonly ex_date: string }>({ ex_date }: A): boolean => ex_date <= today
  return {
    splits: records.flatMap(({ splits }) => splits).filter(past)
      .map(({ ex_date: date, new_rate, old_rate }) => ({ date, factor: new_rate / old_rate })).sort(byDate),
    dividends: records.flatMap(({ dividends }) => dividends).filter(past)
      .map(({ ex_date: date, rate: amount }) => ({ date, amount })).sort(byDate)
  }
}

const refusal = (answer: HttpBody.Answer, symbol: string, now: number): MarketData.Reason | undefined => {
  const status = HttpStatus.refusal(answer, now)
  if (status !== undefined) return Answers.refused(answer, status, now)
  const page = read(answer.bytes)
  if (Result.isFailure(page)) return Answers.broken(answer, `corporate actions (${page.failure.message})`)
  const { dividends, splits } = recordsOf(page.success)
  const other = [...splits, ...dividends].find((record) => record.symbol !== symbol)
  return other === undefined
    ? undefined
    : new MarketData.Mismatched({ text: `asked for symbol ${symbol}, the answer is for ${other.symbol}` })
}

const next = (call: RestPages.Call, { bytes }: HttpBody.Answer): RestPages.Call | undefined => {
  const token = Result.getOrUndefined(read(bytes))?.next_page_token ?? ""
  return token === "" ? undefined : { ...call, urlParams: { ...call.urlParams, page_token: token } }
}

const api = (options: Options): RestPages.RestPages<string> => ({
  ...Answers.quota(options, options.limits ?? Answers.limits),
  first: (symbol, now) => ({
    url: new URL(PATH, options.baseUrl ?? Answers.host).href,
    urlParams: {
      symbols: symbol,
      types: "forward_split,reverse_split,cash_dividend",
      start: START,
      end: dateIn(now + AHEAD * 86_400_000),
      limit: "1000",
      sort: "asc"
    },
    headers: Answers.keys(options)
  }),
  next,
  refusal,
  pause: Answers.pause
})

export const layer = (options: Options): Layer.Layer<CorporateActions, never, Quota> =>
  Layer.effect(
    CorporateActions,
    Effect.gen(function*() {
      const services = yield* Effect.context<HttpClient.HttpClient | Quota>()
      const pages = api(options)
      return CorporateActions.of({
        fingerprint: Answers.source,
        fetch: Effect.fn("Alpaca.fetchActions")((symbol) =>
          RestPages.collect(pages, symbol, options).pipe(
            Effect.flatMap((found) =>
              Effect.map(Clock.currentTimeMillis, (now) =>
                actionsOf(
                  found.flatMap((bytes) =>
                    Result.match(read(bytes), { onFailure: () => [], onSuccess: (page) => [page] })
                  ),
                  dateIn(now)
                ))
            ),
            Effect.mapError((reason) =>
              new MarketData.MarketDataError({ source: Answers.source, symbol, month: "actions", reason })
            ),
            Effect.provideContext(services)
          )
        )
      })
    })
  ).pipe(Layer.provide(FetchHttpClient.layer))
