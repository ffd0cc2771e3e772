/** SPLITS and DIVIDENDS of Alpha Vantage, free with every key: two calls for a symbol's whole history. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import { CorporateActions } from "../CorporateActions.ts"
import * as MarketData from "../MarketData.ts"
import type { Quota } from "../Quota.ts"
import * as ActionsText from "./ActionsText.ts"
import * as Client from "./Client.ts"

export const layer = (options: Client.Options): Layer.Layer<CorporateActions, never, Quota> =>
  Layer.effect(
    CorporateActions,
    Effect.gen(function*() {
      const client = yield* Client.make(options)
      const ask = <A>(tag: "Splits" | "Dividends", symbol: string, read: (text: string) => ActionsText.Read<A>) =>
        client.call({ _tag: tag, symbol }).pipe(
          Effect.flatMap(({ bytes }) => {
            const { problem, rows } = read(new TextDecoder().decode(bytes))
            return problem === undefined
              ? Effect.succeed(rows)
              : Effect.fail(new MarketData.Unrecognised({ text: problem }))
          }),
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
