/**
 * How Parquet files are written, as `BAROGRAPH_PARQUET` says it: `codec=snappy,prices=decimal(18,6),pages=v1`.
 *
 * | setting | |
 * |---|---|
 * | `codec` | `zstd` (smallest), `snappy` (read by everything) |
 * | `prices` | `double`, or `decimal(precision,scale)`: exact in SQL; a price with more digits is refused, not rounded |
 * | `pages` | `v2`; `v1` for old readers: data pages V1, no DELTA encodings |
 */
import * as Context from "effect/Context"
import * as Result from "effect/Result"
import { didYouMean } from "../../runtime/asset/Suggest.ts"

export interface Decimal {
  readonly precision: number
  readonly scale: number
}

export interface Format {
  readonly codec: "zstd" | "snappy"
  readonly prices: "double" | Decimal
  readonly pages: "v1" | "v2"
}

const standard: Format = { codec: "zstd", prices: "double", pages: "v2" }

/** The format of the files to be written; the standard one unless a layer says otherwise. */
export const ParquetFormat = Context.Reference<Format>("barograph/layers/lake/ParquetFormat", {
  defaultValue: () => standard
})

const SETTINGS = ["codec", "prices", "pages"]

/** The format, or what is wrong with the text. */
export const parse = (text: string): Result.Result<Format, string> => {
  let format = standard
  for (const part of text.split(/,(?![^(]*\))/)) {
    const [name, value] = part.trim().split("=", 2)
    const next = set(format, name ?? "", value ?? "")
    if (Result.isFailure(next)) return next
    format = next.success
  }
  return Result.succeed(format)
}

const set = (format: Format, name: string, value: string): Result.Result<Format, string> => {
  switch (name) {
    case "codec":
      return value === "zstd" || value === "snappy"
        ? Result.succeed({ ...format, codec: value })
        : Result.fail(`codec is zstd or snappy, not "${value}"`)
    case "pages":
      return value === "v1" || value === "v2"
        ? Result.succeed({ ...format, pages: value })
        : Result.fail(`pages is v1 or v2, not "${value}"`)
    case "prices":
      return Result.map(prices(value), (prices) => ({ ...format, prices }))
    default:
      return Result.fail(`there is no "${name}" among ${SETTINGS.join(", ")}.${didYouMean(name, SETTINGS)}`)
  }
}

const prices = (value: string): Result.Result<Format["prices"], string> => {
  if (value === "double") return Result.succeed("double")
  const [, precision, scale] = /^decimal\((\d+),(\d+)\)$/.exec(value) ?? []
  const decimal = { precision: Number(precision), scale: Number(scale) }
  return decimal.precision >= 1 && decimal.precision <= 18 && decimal.scale <= decimal.precision
    ? Result.succeed(decimal)
    : Result.fail(`prices is double or decimal(precision,scale) with at most 18 digits, not "${value}"`)
}

/** Files of another fingerprint are written anew. The number is that of the layout of the file itself. */
export const fingerprint = ({ codec, pages, prices }: Format): string =>
  `2 ${codec} ${prices === "double" ? "double" : `decimal(${prices.precision},${prices.scale})`} ${pages}`
