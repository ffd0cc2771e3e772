/**
 * One incident from its first finding to its recovery, and what a channel is to be told of it. Pure.
 *
 *     (none) --trouble--> open --well--> resolved --trouble--> open, an episode later
 *     (none) --event--> event
 *
 * What is told is the difference between how the incident stands and what the channel was last told. So a channel that was
 * gone for an hour is told the end of that hour, once, and nothing piles up in the meantime.
 */
import * as Metadata from "../asset/Metadata.ts"
import * as Alert from "./Alert.ts"

export interface Incident {
  readonly incident: string
  readonly kind: Alert.Kind
  readonly status: "open" | "resolved" | "event"
  /** Of the episode, its worst. */
  readonly severity: Alert.Severity
  readonly title: string
  readonly lines: ReadonlyArray<string>
  readonly command: string
  /** How often it opened, or that an event happened. */
  readonly episode: number
  /** Troubles of this episode. */
  readonly count: number
  readonly patience: number
  /** Epoch milliseconds. */
  readonly openedAt: number
  /** When it became what it is: open, resolved, an event. */
  readonly changedAt: number
  readonly latestAt: number
  readonly latestKey: string
}

/** What a channel was last told of an incident. */
export interface Told {
  readonly episode: number
  readonly status: Incident["status"]
  readonly severity: Alert.Severity
  readonly count: number
  /** Epoch milliseconds. */
  readonly at: number
  /** Of the episode. */
  readonly thread: string | undefined
  /** The channel would not have it, and why. */
  readonly refused: string | undefined
}

/** Trouble that goes on is told again so often: once an hour is noticed and not yet muted. */
export const REMIND = 3_600_000

/**
 * What opens again so soon after a message is told at the end of this time, if it still stands so by then: something that
 * fails and recovers every minute costs two messages in a quarter of an hour, and a real relapse is known that much later.
 */
export const SETTLE = 900_000

/**
 * Not seen yet. What was observed before counts once, and what is older than what is known changes nothing: runs may be
 * looked at again after a takeover. A latest instant that lies in the future was written by a clock that was set back
 * since: then only the key decides.
 */
const isNew = (self: Incident, { at, key }: Alert.Finding, now: number): boolean =>
  key !== self.latestKey && (at >= self.latestAt || self.latestAt > now)

const begun = (self: Incident | undefined, finding: Alert.Finding): Incident => ({
  incident: finding.incident,
  kind: finding.kind,
  status: finding.state === "event" ? "event" : "open",
  severity: finding.severity,
  title: finding.title,
  lines: finding.lines,
  command: finding.command,
  episode: (self?.episode ?? 0) + 1,
  count: 1,
  patience: finding.patience ?? 1,
  openedAt: finding.at,
  changedAt: finding.at,
  latestAt: finding.at,
  latestKey: finding.key
})

const recovered = (self: Incident, { at, command, key, lines, title }: Alert.Finding): Incident => {
  const seen = { latestAt: at, latestKey: key }
  // Remembered even when nothing was open: an older trouble that is observed late is over.
  if (self.status !== "open") return { ...self, ...seen }
  return { ...self, ...seen, status: "resolved", changedAt: at, title, lines, command }
}

/** The incident after the finding; undefined where all was well and is. */
export const apply = (self: Incident | undefined, seen: Alert.Finding, now: number): Incident | undefined => {
  const finding = Alert.tidy(seen)
  if (self === undefined) return finding.state === "well" ? undefined : begun(self, finding)
  if (!isNew(self, finding, now)) return self
  if (finding.state === "well") return recovered(self, finding)
  if (finding.state === "event" || self.status !== "open") return begun(self, finding)
  const { at, command, key, lines, title } = finding
  const severity = Alert.worst(self.severity, finding.severity)
  return { ...self, title, lines, command, severity, count: self.count + 1, latestAt: at, latestKey: key }
}

/** What there is to tell, and from when on: epoch milliseconds, 0 for at once. */
export interface Due {
  readonly change: Alert.Notice["change"]
  readonly at: number
}

const isWorse = (self: Incident, told: Told): boolean =>
  self.severity !== told.severity && Alert.worst(self.severity, told.severity) === self.severity

/** Of an episode that the channel has not heard of. */
const unheard = (self: Incident, told: Told | undefined): Due | undefined => {
  if (told?.status === "open" && self.status === "resolved") return { change: "resolved", at: 0 }
  if (self.count < self.patience) return undefined
  const change = self.status === "open" ? "opened" : self.status
  return { change, at: told === undefined ? 0 : told.at + SETTLE }
}

/**
 * Undefined when the channel knows. `since` is when there was the channel first: what was over by then is not told.
 * Of an episode is told at most that it opened, that it got worse, once an hour that it goes on, and that it is over.
 */
export const due = (self: Incident, told: Told | undefined, since: number): Due | undefined => {
  if (told === undefined) return self.status !== "open" && self.changedAt < since ? undefined : unheard(self, told)
  if (told.episode !== self.episode) return unheard(self, told)
  if (told.status !== self.status) return { change: "resolved", at: 0 }
  if (self.status !== "open") return undefined
  if (isWorse(self, told)) return { change: "worse", at: 0 }
  return self.count > told.count ? { change: "continues", at: told.at + REMIND } : undefined
}

export const notice = (self: Incident, told: Told | undefined, change: Alert.Notice["change"]): Alert.Notice => ({
  kind: self.kind,
  incident: self.incident,
  severity: self.severity,
  change,
  title: self.title,
  lines: self.lines,
  command: self.command,
  count: self.status === "event" ? self.episode - (told?.episode ?? 0) : self.count,
  openedAt: self.openedAt,
  at: self.latestAt,
  thread: told?.episode === self.episode ? told.thread : undefined
})

/** What the channel knows once it was told. */
export const told = (self: Incident, at: number, thread: string | undefined, refused?: string): Told => ({
  episode: self.episode,
  status: self.status,
  severity: self.severity,
  count: self.count,
  at,
  thread: Metadata.cleanTexts(thread),
  refused: Metadata.cleanTexts(refused)
})
