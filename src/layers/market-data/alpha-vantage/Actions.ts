/** SPLITS and DIVIDENDS of Alpha Vantage, free with every key: two calls for a symbol's whole history. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import { CorporateActions } from "../CorporateActions.ts"
import * as MarketData from "../MarketData.ts"
import * as Metered from "../Metered.ts"
import { type Limits, Quota } from "../Quota.ts"
import * as ActionsText from "./ActionsText.ts"
import * as Client from "./Client.ts"

/** `account` and `limits` are those of the bars: it is one key. */
export const layer = (
  options: Client.Options,
  account: string,
  limits: Limits
): Layer.Layer<CorporateActions, never, Quota> =>
  Layer.effect(
    CorporateActions,
    Effect.gen(function*() {
      const client = yield* Client.make(options)
      const quota = yield* Quota
      const ask = <A>(tag: "Splits" | "Dividends", symbol: string, read: (text: string) => ActionsText.Read<A>) =>
        Metered.call(account, limits, 1)(client.call({ _tag: tag, symbol })).pipe(
          Effect.flatMap(({ bytes }) => {
            const { problem, rows } = read(new TextDecoder().decode(bytes))
            return problem === undefined
              ? Effect.succeed(rows)
              : Effect.fail(new MarketData.Unrecognised({ text: problem }))
          }),
          Effect.provideService(Quota, quota),
          Effect.mapError((reason) =>
            new MarketData.MarketDataError({ source: Client.source, symbol, month: tag.toLowerCase(), reason })
          )
        )
      return CorporateActions.of({
        fingerprint: Client.source,
        fetch: Effect.fn("AlphaVantage.fetchActions")(function*(symbol: string) {
          const splits = yield* ask("Splits", symbol, ActionsText.splits)
          return { splits, dividends: yield* ask("Dividends", symbol, ActionsText.dividends) }
        })
      })
    })
  ).pipe(Layer.provide(FetchHttpClient.layer))
