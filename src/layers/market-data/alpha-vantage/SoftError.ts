/**
 * What an Alpha Vantage body means when it is not a series. The vendor answers errors with status 200 and free text, so
 * sentences are matched, in an order that matters: the burst text also speaks of daily limits and premium endpoints, the
 * outage text quotes an `apikey=`. Pure. Texts may hold the key: redact them before they leave the source.
 */
import * as JsonText from "../JsonText.ts"
import * as MarketData from "../MarketData.ts"

/** The vendor names no waiting time: the next second, or the next minute. */
const SECOND = 1000
const MINUTE = 60_000
/** Of a body that nobody knows, enough to recognise it next time. */
const EXCERPT = 300

/** The reason to fail with, or undefined for a body worth keeping: a series, whole or cut, or text for the decoder. */
export const classify = (body: string): MarketData.Reason | undefined => {
  const text = body.trim().replace(/^\uFEFF\s*/, "")
  if (text === "") return new MarketData.Unavailable({ text: "the answer is empty" })
  if (text.startsWith("<")) return new MarketData.Unavailable({ text: `the answer is a web page: ${pageTitle(text)}` })
  return text.startsWith("{") ? ofObject(text) : ofOther(text)
}

const pageTitle = (page: string): string =>
  /<title[^>]*>\s*([^<]{1,200})/i.exec(page)?.[1]?.trim() ?? page.slice(0, 100)

/** A JSON value other than an object is no series; text that is no JSON at all may be a damaged one. */
const ofOther = (text: string): MarketData.Reason | undefined =>
  JsonText.parsed(text) === undefined ? undefined : unrecognised(text)

const ofObject = (text: string): MarketData.Reason | undefined => {
  const { closed, members } = JsonText.outline(text)
  const strings = new Map(members.map((member) => [member.name, JsonText.stringOf(text, member)]))
  for (const said of strings.values()) {
    if (said !== undefined && /artificial/i.test(said)) return new MarketData.Artificial({ text: said })
  }
  const error = strings.get("Error Message")
  if (error !== undefined) return ofErrorMessage(error)
  const information = strings.get("Information") ?? strings.get("Note")
  if (information !== undefined) return ofInformation(information)
  const hasSeries = members.some(({ name }) => name === "Meta Data" || name.startsWith("Time Series"))
  const empty = members.length === 0
  return hasSeries || empty || !closed ? undefined : unrecognised(text)
}

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

const unrecognised = (text: string): MarketData.Reason =>
  new MarketData.Unrecognised({ text: `neither a series nor a known message: ${text.slice(0, EXCERPT)}` })
