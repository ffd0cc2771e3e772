/** The source of bars that the settings name: its layer, its calendar, and its words. A part of the composition. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { nyse } from "./assets/nyse.ts"
import { utcDays } from "./assets/utcDays.ts"
import * as CorporateActions from "./layers/market-data/CorporateActions.ts"
import type { MarketData } from "./layers/market-data/MarketData.ts"
import type { Quota } from "./layers/market-data/Quota.ts"
import * as Account from "./layers/market-data/quota/Account.ts"
import * as Replay from "./layers/market-data/Replay.ts"
import type { SampleError } from "./layers/market-data/Sample.ts"
import type { Source } from "./layers/settings/SourceSettings.ts"
import type { Calendar } from "./runtime/partition/Calendar.ts"

/** What a free key of Alpha Vantage may do. */
const FREE = { perSecond: 1, perDay: 25, resetZone: "America/New_York" }

const at = (url: string | undefined) => url === undefined ? {} : { baseUrl: url }

/** A vendor's client is loaded only where it is used. */
const lazily = <M>(module: () => Promise<M>, layer: (module: M) => Layer.Layer<MarketData, never, Quota>) =>
  Layer.unwrap(Effect.map(Effect.promise(module), layer))

/** `sample` is the file that is replayed. */
export const layer = (source: Source, sample: string): Layer.Layer<MarketData, SampleError, Quota> => {
  switch (source._tag) {
    case "Sample":
      return Replay.layer({ file: sample })
    case "AlphaVantage":
      return alphaVantage(source)
    case "Alpaca":
      return lazily(
        () => import("./layers/market-data/Alpaca.ts"),
        (Alpaca) =>
          Alpaca.layer({ keyId: source.keyId, secretKey: source.secretKey, feed: source.feed, ...at(source.url) })
      )
    case "Binance":
      return lazily(() => import("./layers/market-data/Binance.ts"), (Binance) => Binance.layer(at(source.url)))
  }
}

const accountOf = (apiKey: Redacted.Redacted<string>): string => Account.name("alpha_vantage", Redacted.value(apiKey))

const alphaVantage = ({ apiKey, url }: Extract<Source, { readonly _tag: "AlphaVantage" }>) =>
  lazily(
    () =>
      Promise.all([
        import("./layers/market-data/AlphaVantage.ts"),
        import("./layers/market-data/Metered.ts")
      ]),
    ([AlphaVantage, Metered]) =>
      AlphaVantage.layer({ apiKey, ...at(url) }).pipe(
        Metered.layer(accountOf(apiKey), FREE)
      )
  )

/** Splits and dividends; coins have none, and of Alpaca's nobody asked yet. */
export const actions = (source: Source): Layer.Layer<CorporateActions.CorporateActions, never, Quota> => {
  if (source._tag === "Sample") return CorporateActions.layerSample
  if (source._tag !== "AlphaVantage") return CorporateActions.layerNone
  const { apiKey, url } = source
  const loaded = Effect.promise(() => import("./layers/market-data/alpha-vantage/Actions.ts"))
  return Layer.unwrap(Effect.map(loaded, (Actions) => Actions.layer({ apiKey, ...at(url) }, accountOf(apiKey), FREE)))
}

/** Whose sessions the source's bars belong to. */
export const calendar = (source: Source): Calendar => source._tag === "Binance" ? utcDays : nyse

const names = {
  Sample: "sample",
  AlphaVantage: "Alpha Vantage with a key",
  Alpaca: "Alpaca with keys",
  Binance: "Binance"
} as const

export const describe = (source: Source): string => names[source._tag]
