/**
 * What an intraday answer says about itself: the "Meta Data" block and where its series begins.
 *
 * The vendor numbers its field names differently per function ("6. Time Zone", "7. Time Zone"): names match by the text
 * after the number.
 */
import * as JsonText from "../JsonText.ts"

/** The intervals that the vendor serves, in minutes. */
export const minutesOf = { "1min": 1, "5min": 5, "15min": 15, "30min": 30, "60min": 60 } as const
export type Interval = keyof typeof minutesOf

export interface Meta {
  readonly symbol: string | undefined
  readonly interval: string | undefined
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
  /** False when the text breaks off or is no JSON object. */
  readonly closed: boolean
  /** `{}`, or "Meta Data" alone: how the vendor answers a month without data. */
  readonly empty: boolean
}

const seriesName = /^Time Series \((.+)\)$/

export const read = (text: string): Envelope => {
  const { closed, members } = JsonText.outline(text)
  const meta = members.find((member) => member.name === "Meta Data" && member.end !== -1)
  const series = members.find((member) => seriesName.test(member.name) && text[member.start] === "{")
  return {
    meta: meta === undefined ? undefined : metaOf(JsonText.parsed(text.slice(meta.start, meta.end))),
    seriesAt: series?.start,
    seriesInterval: series === undefined ? undefined : seriesName.exec(series.name)?.[1],
    newest: series === undefined ? undefined : firstLabel(text, series.start),
    closed,
    empty: closed && members.every((member) => member.name === "Meta Data")
  }
}

const firstLabel = (text: string, brace: number): string | undefined => {
  const at = JsonText.skipBlank(text, brace + 1)
  const end = JsonText.stringEnd(text, at)
  return end === -1 ? undefined : text.slice(at + 1, end - 1)
}

const metaOf = (block: unknown): Meta | undefined => {
  if (typeof block !== "object" || block === null) return undefined
  const fields = new Map(Object.entries(block).map(([name, value]) => [unnumbered(name), value]))
  const stringAt = (name: string): string | undefined => {
    const value = fields.get(name)
    return typeof value === "string" ? value : undefined
  }
  return { symbol: stringAt("Symbol"), interval: stringAt("Interval"), zone: stringAt("Time Zone") }
}

const unnumbered = (name: string): string => name.replace(/^\w+\. /, "")

/** Why no row of this answer can be trusted, or undefined. `interval` is the one that the reader stores. */
export const problem = (self: Envelope, interval: string | undefined): string | undefined => {
  if (self.seriesAt === undefined) return "not a series"
  if (self.meta === undefined) return "not a series: no readable \"Meta Data\""
  const stated = self.meta.interval
  if (stated === undefined || !Object.hasOwn(minutesOf, stated)) return `interval not known: ${quoted(stated)}`
  if (interval !== undefined && stated !== interval) return `the interval is not ${interval}: ${quoted(stated)}`
  return self.seriesInterval === stated
    ? undefined
    : `"Meta Data" says ${stated}, the series says ${quoted(self.seriesInterval)}`
}

export const quoted = (value: string | undefined): string => value === undefined ? "missing" : JSON.stringify(value)
