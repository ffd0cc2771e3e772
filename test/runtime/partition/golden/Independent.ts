/**
 * The golden file's lines once more, by libraries that share no code with the modules under test: temporal-polyfill for
 * zones and croner for crons.
 *
 * Croner's own policy for changes of clocks is another one (a repeated time fires at its earlier occurrence), so it is
 * asked in UTC for the local times alone, and ours is spelt out here in Temporal's terms.
 */
import { Cron } from "croner"
import * as Fs from "node:fs"
import { Temporal } from "temporal-polyfill"
import { type Declaration, declarations } from "./Declarations.ts"
import { toLine } from "./Lines.ts"

const DAY = 86_400_000
const HOUR = 3_600_000
const MINUTE = 60_000

const plain = (local: number): Temporal.PlainDateTime =>
  Temporal.Instant.fromEpochMilliseconds(local).toZonedDateTimeISO("UTC").toPlainDateTime()

const asUtc = (local: Temporal.PlainDateTime): Date => new Date(local.toZonedDateTime("UTC").epochMilliseconds)

/** Fixed hours: each local time once, the later of two, the end of the jump for one that there is not. */
const fixedTick = (local: Temporal.PlainDateTime, zone: string): Temporal.ZonedDateTime => {
  const later = local.toZonedDateTime(zone, { disambiguation: "later" })
  if (later.toPlainDateTime().equals(local)) return later
  return local.toZonedDateTime(zone, { disambiguation: "earlier" }).getTimeZoneTransition("next")!
}

interface Tick {
  readonly at: Temporal.ZonedDateTime
  /** The local time that the cron names. */
  readonly named: Temporal.PlainDateTime
}

const fixedTicks = (cron: Cron, zone: string, from: number, to: number): ReadonlyArray<Tick> => {
  const ticks: Array<Tick> = []
  for (let local = cron.nextRun(new Date(from)); local !== null && local.getTime() < to; local = cron.nextRun(local)) {
    const named = plain(local.getTime())
    const at = fixedTick(named, zone)
    if (ticks.at(-1)?.at.equals(at) === true) ticks.pop()
    ticks.push({ at, named })
  }
  return ticks
}

/** Every hour: each instant whose wall clock matches; the crons' minutes and the offsets are multiples of five. */
const hourlyTicks = (cron: Cron, zone: string, from: number, to: number): ReadonlyArray<Tick> => {
  const ticks: Array<Tick> = []
  for (let instant = from; instant < to; instant += 5 * MINUTE) {
    const at = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone)
    const named = at.toPlainDateTime()
    if (cron.match(asUtc(named))) ticks.push({ at, named })
  }
  return ticks
}

const keyOf = ({ at, named }: Tick, declaration: Declaration, isHourly: boolean): string => {
  const { pattern } = declaration.dimension.format
  if (pattern === "yyyy-MM") return named.toPlainDate().toPlainYearMonth().toString()
  if (pattern === "yyyy-MM-dd") return named.toPlainDate().toString()
  const wall = at.toPlainDateTime()
  const first = wall.toZonedDateTime(at.timeZoneId, { disambiguation: "earlier" })
  const suffix = isHourly && !first.equals(at) ? at.offset : ""
  return wall.toString({ smallestUnit: "minute" }) + suffix
}

const ofCron = (declaration: Declaration, text: string): ReadonlyArray<string> => {
  const cron = new Cron(text, { timezone: "UTC", paused: true })
  const isHourly = text.split(" ")[1] === "*"
  const { zone } = declaration
  const start = Temporal.PlainDateTime.from(declaration.start).toZonedDateTime(zone).epochMilliseconds
  const end = Temporal.PlainDateTime.from(declaration.end).toZonedDateTime(zone).epochMilliseconds
  const ticks = isHourly
    ? hourlyTicks(cron, zone, start - HOUR, end + 2 * HOUR)
    : fixedTicks(cron, zone, start - DAY, end + 2 * DAY)
  return ticks.slice(0, -1).flatMap((tick, index) => {
    const [from, to] = [tick.at.epochMilliseconds, ticks[index + 1]!.at.epochMilliseconds]
    return from < start || to > end ? [] : [toLine(declaration, keyOf(tick, declaration, isHourly), from, to)]
  })
}

/** From the published sessions. */
const ofSessions = (declaration: Declaration): ReadonlyArray<string> => {
  const published = Fs.readFileSync(new URL("../../../fixtures/calendar/xnys-1998-2023.csv", import.meta.url), "utf8")
  const at = (date: string, time: string): number =>
    Temporal.PlainDateTime.from(`${date}T${time}`).toZonedDateTime(declaration.zone).epochMilliseconds
  return published.trim().split("\n").slice(1).map((line) => line.split(",") as [string, string])
    .filter(([session]) => session >= declaration.start && session < declaration.end)
    .map(([session, close]) => toLine(declaration, session, at(session, "09:30"), at(session, close)))
}

export const lines = (): ReadonlyArray<string> =>
  declarations.flatMap((declaration) =>
    declaration.cron === undefined ? ofSessions(declaration) : ofCron(declaration, declaration.cron)
  )
