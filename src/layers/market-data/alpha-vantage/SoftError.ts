/**
 * What an Alpha Vantage body means when it is not what was asked for. The vendor answers errors with status 200 and free
 * text, in JSON even where CSV was asked for, so sentences are matched, in an order that matters: the burst text also
 * speaks of daily limits and premium endpoints, the outage text quotes an `apikey=`.
 *
 * Pure. Texts may hold the key: redact them before they leave the source.
 */
import * as Json from "../JsonBytes.ts"
import * as Outline from "../JsonOutline.ts"
import * as MarketData from "../MarketData.ts"
import * as Interval from "./Interval.ts"

/** The vendor names no waiting time: the next second, or the next minute. */
const SECOND = 1000
const MINUTE = 60_000
/** Of a body that nobody knows, enough to recognise it next time. */
const EXCERPT = 300
const LESS_THAN = 60

/** The beginnings of the vendor's CSV. */
const csvHeader = /^(timestamp|time|symbol|ex_dividend_date|effective_date),/

/** The reason to fail with, or undefined for a body worth keeping: data, also empty or damaged inside. */
export const classify = (bytes: Uint8Array): MarketData.Reason | undefined => {
  const at = Json.skipBlank(bytes, Outline.start(bytes))
  if (at >= bytes.length) return new MarketData.Unavailable({ text: "the answer is empty" })
  if (bytes[at] === LESS_THAN) {
    return new MarketData.Unavailable({ text: `the answer is a web page: ${pageTitle(bytes)}` })
  }
  if (bytes[at] === Json.OPEN_OBJECT) return ofObject(bytes)
  return csvHeader.test(excerpt(bytes, at)) ? ofCsv(bytes) : ofOther(bytes, at)
}

const excerpt = (bytes: Uint8Array, at: number): string => Json.text(bytes, at, at + EXCERPT)

const pageTitle = (bytes: Uint8Array): string => {
  const page = Json.text(bytes, 0, 10_000)
  return /<title[^>]*>\s*([^<]{1,200})/i.exec(page)?.[1]?.trim() ?? page.slice(0, 100)
}

/** A JSON value other than an object is no data; what is no JSON at all comes from something on the way. */
const ofOther = (bytes: Uint8Array, at: number): MarketData.Reason =>
  Json.parsed(bytes, at, bytes.length) === undefined
    ? new MarketData.Unavailable({ text: `the answer is neither JSON nor CSV: ${excerpt(bytes, at)}` })
    : unrecognised(bytes)

/** The last line has as many cells as the first, or the answer broke off inside it. */
const ofCsv = (bytes: Uint8Array): MarketData.Reason | undefined => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const cells = (line: string): number => line.split(",").length
  const lastStart = Math.max(text.subarray(0, -1).lastIndexOf("\n"), 0)
  const header = Json.text(bytes, 0, 1000).split("\n")[0]!
  return cells(Json.text(bytes, lastStart, bytes.length)) >= cells(header) ? undefined : cutOff()
}

const cutOff = (): MarketData.Reason => new MarketData.Unavailable({ text: "the answer is cut off" })

/** Members under which data is sent, beside the series. */
const dataNames = ["Meta Data", "data", "markets"]

const isSeries = (name: string): boolean => Interval.ofSeries(name) !== undefined

const ofObject = (bytes: Uint8Array): MarketData.Reason | undefined => {
  // Nothing is said inside a series, and it may be long.
  const { members } = Outline.outline(bytes, ({ name }) => isSeries(name))
  const strings = new Map(members.map((member) => [member.name, Outline.stringOf(bytes, member)]))
  if (isArtificial(bytes)) return new MarketData.Artificial({ text: strings.get("message") ?? excerpt(bytes, 0) })
  const error = strings.get("Error Message")
  if (error !== undefined) return ofErrorMessage(error)
  const information = strings.get("Information") ?? strings.get("Note")
  if (information !== undefined) return ofInformation(information)
  if (!isWhole(bytes)) return cutOff()
  const isKnown = members.some(({ name }) => isSeries(name) || dataNames.includes(name))
  return isKnown || members.every(({ start }) => isEmptyObject(bytes, start)) ? undefined : unrecognised(bytes)
}

/** The vendor marks its sample data in capitals. */
const isArtificial = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes("ARTIFICIAL")

/** `"Global Quote": {}`: no data. */
const isEmptyObject = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === Json.OPEN_OBJECT && bytes[Json.skipBlank(bytes, at + 1)] === Json.CLOSE_OBJECT

/**
 * Whether the object is closed. Three braces in a row close a row, its series and the answer, and stand nowhere else, so
 * that most answers need no look into them. Damage inside a closed answer is the decoder's: a new try would not mend it.
 */
const isWhole = (bytes: Uint8Array): boolean =>
  /[{}]\s*\}\s*\}\s*$/.test(Json.text(bytes, Math.max(0, bytes.length - 200), bytes.length)) ||
  Outline.outline(bytes).closed

const ofErrorMessage = (text: string): MarketData.Reason => {
  if (/internal or external error/i.test(text)) return new MarketData.Unavailable({ text })
  if (/apikey/i.test(text)) return new MarketData.Unauthorized({ text })
  return new MarketData.InvalidRequest({ text })
}

const ofInformation = (text: string): MarketData.Reason => {
  if (/per second|sparingly/i.test(text)) return new MarketData.Throttled({ text, retryAfterMillis: SECOND })
  if (/per minute|call frequency|call volume/i.test(text)) {
    return new MarketData.Throttled({ text, retryAfterMillis: MINUTE })
  }
  if (/requests per day|calls per day/i.test(text)) return new MarketData.QuotaExhausted({ text })
  if (/premium (endpoint|feature)/i.test(text)) return new MarketData.NotEntitled({ text })
  return /\bdemo\b/i.test(text) ? new MarketData.Unauthorized({ text }) : new MarketData.Unrecognised({ text })
}

const unrecognised = (bytes: Uint8Array): MarketData.Reason =>
  new MarketData.Unrecognised({ text: `neither data nor a known message: ${excerpt(bytes, 0)}` })
