/**
 * Which source is asked: `BAROGRAPH_SOURCE`, or what the keys say that are set. Each source's own settings, and what is
 * missing among them. Keys have the names that the vendors' own clients read.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/** A setting of the source that cannot be used. Never holds a secret's value. */
export class SourceSettingsError extends Schema.TaggedError<SourceSettingsError>()("SourceSettingsError", {
  setting: Schema.String,
  message: Schema.String,
  fix: Schema.String
}) {}

export type Source =
  | { readonly _tag: "Sample" }
  | { readonly _tag: "AlphaVantage"; readonly apiKey: Redacted.Redacted<string>; readonly url: string | undefined }
  | {
    readonly _tag: "Alpaca"
    readonly keyId: Redacted.Redacted<string>
    readonly secretKey: Redacted.Redacted<string>
    readonly feed: "sip" | "iex"
    readonly url: string | undefined
  }
  | { readonly _tag: "Binance"; readonly url: string | undefined }

const NAMES = ["sample", "alpha-vantage", "alpaca", "binance"]

const text = (name: string): Config.Config<string | undefined> =>
  Config.String(name).pipe(
    Config.option,
    Config.map((found) => Option.getOrUndefined(Option.filter(found, (value) => value.trim() !== "")))
  )

const secret = (name: string): Config.Config<Redacted.Redacted<string> | undefined> =>
  Config.Redacted(name).pipe(Config.option, Config.map(Option.getOrUndefined))

const raw = Config.all({
  source: text("BAROGRAPH_SOURCE"),
  url: text("BAROGRAPH_SOURCE_URL"),
  alphaVantageKey: secret("ALPHA_VANTAGE_API_KEY"),
  alphaVantageUrl: text("ALPHA_VANTAGE_URL"),
  alpacaKeyId: secret("APCA_API_KEY_ID"),
  alpacaSecretKey: secret("APCA_API_SECRET_KEY"),
  alpacaFeed: text("ALPACA_FEED")
})

type Raw = Config.Success<typeof raw>

const problem = (setting: string, message: string, fix: string) =>
  Effect.fail(new SourceSettingsError({ setting, message, fix }))

export const load: Effect.Effect<Source, SourceSettingsError> = Effect.gen(function*() {
  const given = yield* Effect.mapError(
    raw,
    (error) =>
      new SourceSettingsError({
        setting: "environment",
        message: error.message,
        fix: "see the configuration table of the README"
      })
  )
  switch (given.source ?? (given.alphaVantageKey === undefined ? "sample" : "alpha-vantage")) {
    case "sample":
      return { _tag: "Sample" } as const
    case "alpha-vantage":
      return yield* alphaVantage(given)
    case "alpaca":
      return yield* alpaca(given)
    case "binance":
      return { _tag: "Binance", url: given.url } as const
  }
  return yield* problem(
    "BAROGRAPH_SOURCE",
    `BAROGRAPH_SOURCE is "${given.source}", which is no source`,
    `use one of ${NAMES.join(", ")}`
  )
})

const alphaVantage = ({ alphaVantageKey, alphaVantageUrl, url }: Raw) =>
  alphaVantageKey === undefined
    ? problem(
      "ALPHA_VANTAGE_API_KEY",
      "BAROGRAPH_SOURCE is alpha-vantage, but there is no key",
      "set ALPHA_VANTAGE_API_KEY; a free one is at https://www.alphavantage.co/support/#api-key"
    )
    : Effect.succeed<Source>({ _tag: "AlphaVantage", apiKey: alphaVantageKey, url: url ?? alphaVantageUrl })

const alpaca = Effect.fnUntraced(function*({ alpacaFeed, alpacaKeyId, alpacaSecretKey, url }: Raw) {
  if (alpacaKeyId === undefined || alpacaSecretKey === undefined) {
    return yield* problem(
      alpacaKeyId === undefined ? "APCA_API_KEY_ID" : "APCA_API_SECRET_KEY",
      "BAROGRAPH_SOURCE is alpaca, but its keys are not set",
      "set APCA_API_KEY_ID and APCA_API_SECRET_KEY; a free account at https://alpaca.markets has them"
    )
  }
  if (alpacaFeed !== undefined && alpacaFeed !== "sip" && alpacaFeed !== "iex") {
    return yield* problem("ALPACA_FEED", `ALPACA_FEED is "${alpacaFeed}"`, "use sip (all exchanges) or iex")
  }
  return { _tag: "Alpaca", keyId: alpacaKeyId, secretKey: alpacaSecretKey, feed: alpacaFeed ?? "sip", url } as const
})
