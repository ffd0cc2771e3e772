/**
 * What an answer says about itself: the "Meta Data" block and where its series begins.
 *
 * The vendor numbers its field names differently per function ("6. Time Zone", "7. Time Zone"): names match by the text
 * after the number. The vendor's order, "Meta Data" first, is read without a look into the series.
 */
import * as Json from "../JsonBytes.ts"
import * as Outline from "../JsonOutline.ts"
import * as Interval from "./Interval.ts"

export interface Meta {
  readonly information: string | undefined
  readonly symbol: string | undefined
  readonly interval: string | undefined
  /** "Compact" or "Full size". */
  readonly outputSize: string | undefined
  readonly zone: string | undefined
}

export interface Envelope {
  readonly meta: Meta | undefined
  /** The position of the series' opening brace, when there is a series. */
  readonly seriesAt: number | undefined
  /** The interval in the series' name. */
  readonly seriesInterval: string | undefined
  /** The series' first label: the vendor sends the newest bar first. */
  readonly newest: string | undefined
  /** False when the bytes break off or are no JSON object; undefined while what follows the series is not read. */
  readonly closed: boolean | undefined
  /** `{}`, or "Meta Data" alone: how the vendor answers a month without data. */
  readonly empty: boolean
}

export const read = (bytes: Uint8Array): Envelope => {
  let hasMeta = false
  const isSeries = ({ name, start }: Outline.Member): boolean =>
    bytes[start] === Json.OPEN_OBJECT && Interval.ofSeries(name) !== undefined
  const { closed, members } = Outline.outline(bytes, (member) => {
    const stop = hasMeta && isSeries(member)
    hasMeta ||= member.name === "Meta Data"
    return stop
  })
  const meta = members.find((member) => member.name === "Meta Data" && member.end !== -1)
  const series = members.find(isSeries)
  const stopped = series !== undefined && meta !== undefined && series === members.at(-1) && series.end === -1
  return {
    meta: meta === undefined ? undefined : metaOf(Json.parsed(bytes, meta.start, meta.end)),
    seriesAt: series?.start,
    seriesInterval: series === undefined ? undefined : Interval.ofSeries(series.name),
    newest: series === undefined ? undefined : firstLabel(bytes, series.start),
    closed: stopped ? undefined : closed,
    empty: closed && members.every((member) => member.name === "Meta Data")
  }
}

const firstLabel = (bytes: Uint8Array, brace: number): string | undefined => {
  const at = Json.skipBlank(bytes, brace + 1)
  const end = Json.stringEnd(bytes, at)
  return end === -1 ? undefined : Json.text(bytes, at + 1, end - 1)
}

const metaOf = (block: unknown): Meta | undefined => {
  if (typeof block !== "object" || block === null) return undefined
  const fields = new Map(Object.entries(block).map(([name, value]) => [unnumbered(name), value]))
  const stringAt = (name: string): string | undefined => {
    const value = fields.get(name)
    return typeof value === "string" ? value : undefined
  }
  return {
    information: stringAt("Information"),
    symbol: stringAt("Symbol"),
    interval: stringAt("Interval"),
    outputSize: stringAt("Output Size"),
    zone: stringAt("Time Zone")
  }
}

const unnumbered = (name: string): string => name.replace(/^\w+\. /, "")

/** Why no row of this answer can be trusted, or undefined. `interval` is the one that the reader stores. */
export const problem = (self: Envelope, interval: string | undefined): string | undefined => {
  if (self.seriesAt === undefined) return "not a series"
  if (self.meta === undefined) return "not a series: no readable \"Meta Data\""
  // The series by date does not repeat its interval in "Meta Data".
  const named = self.seriesInterval!
  const stated = self.meta.interval ?? (Interval.isIntraday(named) ? undefined : named)
  if (stated === undefined || Interval.isIntraday(named) !== Interval.isIntraday(stated)) {
    return `interval not known: ${quoted(stated)}`
  }
  if (interval !== undefined && stated !== interval) return `the interval is not ${interval}: ${quoted(stated)}`
  return named === stated ? undefined : `"Meta Data" says ${stated}, the series says ${quoted(named)}`
}

export const quoted = (value: string | undefined): string => value === undefined ? "missing" : JSON.stringify(value)
