/**
 * Why an answer cannot be kept as the answer to its question, or undefined. Pure. In this order: what the vendor says, the
 * status, whether it answers the question at all, and whether it is all of it.
 */
import type * as HttpBody from "../HttpBody.ts"
import * as HttpStatus from "../HttpStatus.ts"
import * as Json from "../JsonBytes.ts"
import * as Outline from "../JsonOutline.ts"
import * as MarketData from "../MarketData.ts"
import * as Query from "./Query.ts"
import * as SeriesCsv from "./SeriesCsv.ts"
import * as Envelope from "./SeriesEnvelope.ts"
import * as SeriesJson from "./SeriesJson.ts"
import * as SoftError from "./SoftError.ts"

/** A compact answer has so many rows. */
const COMPACT = 100

export const of = (answer: HttpBody.Answer, query: Query.Query, now: number): MarketData.Reason | undefined => {
  const said = SoftError.classify(answer.bytes)
  const status = HttpStatus.refusal(answer, now)
  if (status !== undefined) return isTelling(said) ? said : status
  if (said !== undefined) return said
  if (!Query.isSeries(query)) return otherSymbol(answer.bytes, query)
  return SeriesCsv.isCsv(answer.bytes) ? ofCsv(answer.bytes, query) : ofJson(answer.bytes, query)
}

/** A message tells more than a status; a status more than a body that nobody knows. */
const isTelling = (said: MarketData.Reason | undefined): boolean =>
  said !== undefined && said._tag !== "Unavailable" && said._tag !== "Unrecognised"

/** An answer to another question is refused, not stored: its rows would be filed under the wrong name. */
const mismatch = (
  said: ReadonlyArray<readonly [what: string, asked: string | undefined, answered: string | undefined]>
): MarketData.Reason | undefined => {
  const wrong = said.find(([, asked, answered]) => asked !== undefined && answered !== undefined && asked !== answered)
  return wrong === undefined
    ? undefined
    : new MarketData.Mismatched({ text: `asked for ${wrong[0]} ${wrong[1]}, the answer is for ${wrong[2]}` })
}

const monthOf = (query: Query.Series): string | undefined => query._tag === "Intraday" ? query.month : undefined

const ofJson = (bytes: Uint8Array, query: Query.Series): MarketData.Reason | undefined => {
  const { empty, meta, newest, seriesInterval } = Envelope.read(bytes)
  if (empty) return undefined
  return mismatch([
    ["symbol", query.symbol.toUpperCase(), meta?.symbol?.toUpperCase()],
    ["interval", Query.intervalOf(query), meta?.interval ?? seriesInterval],
    ["month", monthOf(query), newest?.slice(0, 7)]
  ]) ?? downgrade(query, meta?.outputSize, () => countOf(SeriesJson.decode(bytes)))
}

const ofCsv = (bytes: Uint8Array, query: Query.Series): MarketData.Reason | undefined =>
  mismatch([["month", monthOf(query), SeriesCsv.newest(bytes)?.slice(0, 7)]]) ??
    downgrade(query, undefined, () => countOf(SeriesCsv.decode(bytes, Query.intervalOf(query))))

/** Where the answer does not say its size, as many rows as a compact one has are taken for one. */
const downgrade = (
  query: Query.Series,
  size: string | undefined,
  count: () => number
): MarketData.Reason | undefined => {
  if (!("outputSize" in query) || query.outputSize !== "full") return undefined
  const isCompact = size === undefined ? count() === COMPACT : /^compact/i.test(size)
  return isCompact
    ? new MarketData.Downgraded({
      text: `asked for everything, the answer holds the latest ${COMPACT} rows: the key's plan gives no more`
    })
    : undefined
}

const countOf = ({ rejects, sessions }: MarketData.Decoded): number =>
  sessions.reduce((sum, { bars }) => sum + bars.length, rejects.length)

const otherSymbol = (
  bytes: Uint8Array,
  query: Exclude<Query.Query, Query.Series>
): MarketData.Reason | undefined => {
  if (!("symbol" in query)) return undefined
  const stated = Outline.outline(bytes).members.find(({ name }) => name === "symbol")
  const symbol = stated === undefined ? undefined : Json.parsed(bytes, stated.start, stated.end)
  return mismatch([[
    "symbol",
    query.symbol.toUpperCase(),
    typeof symbol === "string" ? symbol.toUpperCase() : undefined
  ]])
}
