/**
 * What may need a person, as values. A `Finding` is what somebody saw of an incident at an instant; `Incident` makes of
 * findings what is told, a `Notice`. Pure.
 */

export const KINDS = [
  "run_failed",
  "backfill_failed",
  "quarantine",
  "quota_exhausted",
  "freshness",
  "tick_failed",
  "definitions_broken",
  "takeover",
  "test"
] as const

export type Kind = (typeof KINDS)[number]

/** From least to most: `info` needs nobody. */
export const SEVERITIES = ["info", "warn", "error"] as const

export type Severity = (typeof SEVERITIES)[number]

export interface Finding {
  readonly kind: Kind
  /** What groups: all findings of one trouble have one incident, as in `run/schedule/weekly`, `freshness/redshift_bars`. */
  readonly incident: string
  /** `trouble` opens the incident or goes on with it, `well` resolves it, `event` is told and over. */
  readonly state: "trouble" | "well" | "event"
  readonly severity: Severity
  readonly title: string
  readonly lines: ReadonlyArray<string>
  /** To look closer. */
  readonly command: string
  /** When it happened, epoch milliseconds. */
  readonly at: number
  /** Says which of two findings of an incident is which: the same one may be observed twice and counts once. */
  readonly key: string
  /** So many troubles in a row are told, fewer are not; 1 when left out. */
  readonly patience?: number | undefined
}

/** A message to a person. */
export interface Notice {
  readonly kind: Kind
  readonly incident: string
  readonly severity: Severity
  readonly change: "opened" | "worse" | "continues" | "resolved" | "event"
  readonly title: string
  readonly lines: ReadonlyArray<string>
  readonly command: string
  /** Troubles of the incident since it opened; of an event, how often it happened since it was last told. */
  readonly count: number
  /** Epoch milliseconds. */
  readonly openedAt: number
  readonly at: number
  /** Of a channel with threads: that of the incident, once its first message is there. */
  readonly thread: string | undefined
}

/** Many notices at once are one message. */
export interface Flood {
  /** The most severe of them. */
  readonly notices: ReadonlyArray<Notice>
  /** How many others there are. */
  readonly more: number
  /** Of all: what goes on, and what is over. */
  readonly open: number
  readonly resolved: number
  readonly command: string
}

export type Message = { readonly _tag: "Notice"; readonly notice: Notice } | {
  readonly _tag: "Flood"
  readonly flood: Flood
}

/** A finding is a few lines: what is longer is in the run. */
const LINES = 8
const LENGTH = 400

/** No line end, no character that a database or a terminal would stumble over, and not too long. */
const tidyText = (text: string): string => {
  const line = text.toWellFormed().replace(/\p{Cc}+/gu, " ").trim()
  return line.length <= LENGTH ? line : `${line.slice(0, LENGTH - 1).toWellFormed()}…`
}

export const tidy = (self: Finding): Finding => ({
  ...self,
  title: tidyText(self.title),
  lines: [
    ...self.lines.slice(0, LINES).map(tidyText),
    ...(self.lines.length > LINES ? [`and ${self.lines.length - LINES} more lines`] : [])
  ]
})

export const worst = (a: Severity, b: Severity): Severity => SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b) ? a : b

export const time = (instant: number): string => `${new Date(instant).toISOString().slice(0, 16).replace("T", " ")}Z`

const WORDS = { opened: "", worse: "Worse: ", continues: "Still: ", resolved: "Recovered: ", event: "" } as const

/** The notice in one line. */
export const headline = ({ change, title }: Notice): string => `${WORDS[change]}${title}`

/** How long and how often, where that says something. */
export const history = ({ change, count, openedAt }: Notice): string | undefined => {
  if (change === "resolved") return `after ${count === 1 ? "1 failure" : `${count} failures`} since ${time(openedAt)}`
  if (count === 1) return undefined
  return change === "event" ? `${count} times` : `${count} times since ${time(openedAt)}`
}

/** The flood in one line. */
export const floodHeadline = ({ more, notices, open, resolved }: Flood): string => {
  const parts = [
    ...(open > 0 ? [`${open} open`] : []),
    ...(resolved > 0 ? [`${resolved} recovered`] : [])
  ]
  const all = `${notices.length + more} alerts at once`
  return parts.length === 0 ? all : `${all}: ${parts.join(", ")}`
}

/** A line for each notice that a flood names, and one for the others. */
export const floodLines = ({ more, notices }: Flood): ReadonlyArray<string> => [
  ...notices.map(headline),
  ...(more > 0 ? [`and ${more} more`] : [])
]
