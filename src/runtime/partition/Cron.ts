/**
 * Cron texts and their ticks in a time zone. `effect/Cron` parses; the ticks are ours, because so are the rules for the
 * two nights a year on which clocks change:
 *
 * - With fixed hours, a tick whose local time is repeated fires once, at the later occurrence. One whose local time is
 *   jumped over moves to the first instant after the jump; several that fall onto one instant are one tick.
 * - With every hour (`*`), ticks are the instants whose wall clock matches: a repeated hour ticks twice, a jump never.
 *
 * Day of month and day of week combine as in Vixie cron: either, unless one of them begins with `*`.
 */
import * as EffectCron from "effect/Cron"
import * as Result from "effect/Result"
import * as Zone from "./Zone.ts"

const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 86_400_000

/** The longest wait there can be is 40 years: from a Sunday, the 29th of February, across 2100 to the next. */
const HORIZON = 41 * 366 * DAY

export interface Cron {
  /** As it was written, single-spaced. */
  readonly text: string
  readonly minutes: ReadonlySet<number>
  readonly hours: ReadonlySet<number>
  /** Both as times of day in milliseconds, ascending. */
  readonly times: ReadonlyArray<number>
  /** True when the hour field lets every hour pass. */
  readonly isHourly: boolean
  /** Empty sets let everything pass, as do their fields' `*`. Sunday is 0. */
  readonly days: ReadonlySet<number>
  readonly months: ReadonlySet<number>
  readonly weekdays: ReadonlySet<number>
  /** When days and weekdays are both restricted: whether one of them is enough. */
  readonly either: boolean
}

const names: Readonly<Record<string, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *"
}

const fieldNames = ["minute", "hour", "day of month", "month", "day of week"]

/** The parser says what is wrong with a field but not which, so each is parsed alone. */
const wrongField = (text: string, fields: ReadonlyArray<string>): string => {
  for (const [at, field] of fields.entries()) {
    const alone = EffectCron.parse(fields.map((_, index) => index === at ? field : "*").join(" "))
    if (Result.isSuccess(alone)) continue
    const said = alone.failure.message
    return `The ${fieldNames[at]} "${field}" of the cron "${text}" is wrong: ${said[0]!.toLowerCase()}${said.slice(1)}.`
  }
  return `"${text}" is not a cron.`
}

const orAll = (values: ReadonlySet<number>, count: number): ReadonlySet<number> =>
  values.size > 0 ? values : new Set(Array.from({ length: count }, (_, index) => index))

const fromParsed = (text: string, fields: ReadonlyArray<string>, parsed: EffectCron.Cron): Cron => {
  const hours = orAll(parsed.hours, 24)
  const minutes = orAll(parsed.minutes, 60)
  return {
    text,
    minutes,
    hours,
    times: [...hours].flatMap((hour) => [...minutes].map((minute) => hour * HOUR + minute * MINUTE)),
    isHourly: hours.size === 24,
    days: parsed.days,
    months: parsed.months,
    weekdays: parsed.weekdays,
    either: !fields[2]!.startsWith("*") && !fields[4]!.startsWith("*")
  }
}

const longestMonth = (month: number): number => month === 2 ? 29 : [4, 6, 9, 11].includes(month) ? 30 : 31

const everTicks = ({ days, either, months, weekdays }: Cron): boolean =>
  days.size === 0 || months.size === 0 || (either && weekdays.size > 0) ||
  [...months].some((month) => [...days].some((day) => day <= longestMonth(month)))

/** Five fields, or a name such as `@daily`. Fails with a sentence. */
export const parse = (source: string): Result.Result<Cron, string> => {
  const text = source.trim().split(/\s+/).join(" ")
  const fields = (names[text.toLowerCase()] ?? text).split(" ")
  if (text.startsWith("@") && fields.length === 1) {
    return Result.fail(`"${text}" is not a cron; the names there are: ${Object.keys(names).join(", ")}.`)
  }
  if (fields.length !== 5) {
    const count = text === "" ? 0 : fields.length
    return Result.fail(`The cron "${text}" has ${count} fields, not five: ${fieldNames.join(", ")}.`)
  }
  const parsed = EffectCron.parse(fields.join(" "))
  if (Result.isFailure(parsed)) return Result.fail(wrongField(text, fields))
  const cron = fromParsed(text, fields, parsed.success)
  return everTicks(cron)
    ? Result.succeed(cron)
    : Result.fail(`The cron "${text}" never ticks: none of its months has such a day.`)
}

const matchesDay = (cron: Cron, day: number): boolean => {
  const { days, either, months, weekdays } = cron
  if (days.size === 0 && months.size === 0 && weekdays.size === 0) return true
  const date = new Date(day * DAY)
  if (months.size > 0 && !months.has(date.getUTCMonth() + 1)) return false
  const isDay = days.size === 0 || days.has(date.getUTCDate())
  const isWeekday = weekdays.size === 0 || weekdays.has(date.getUTCDay())
  return either ? isDay || isWeekday : isDay && isWeekday
}

/** Takes a tick's instant and the local time that the cron names for it; false ends the walk. */
export type Take = (instant: number, local: number) => boolean

/** Local times that match, in [from, to). */
const walkLocal = (cron: Cron, from: number, to: number, take: (local: number) => boolean): boolean => {
  for (let day = Math.floor(from / DAY); day * DAY < to; day++) {
    if (!matchesDay(cron, day)) continue
    for (const time of cron.times) {
      const local = day * DAY + time
      if (local >= to) break
      if (local >= from && !take(local)) return false
    }
  }
  return true
}

/** In real time, one stretch of constant offset after the other. */
const walkHourly = (cron: Cron, zone: Zone.Zone, from: number, to: number, take: Take): void => {
  let at = from
  while (at < to) {
    const offset = Zone.offsetAt(zone, at)
    const until = Math.min(to, Zone.offsetHoldsUntil(zone, at))
    if (!walkLocal(cron, at + offset, until + offset, (local) => take(local - offset, local))) return
    at = until
  }
}

/** A tick is handed on when the next one is known to be another: of several on one instant the last names it. */
const walkFixed = (cron: Cron, zone: Zone.Zone, from: number, to: number, take: Take): void => {
  let [instant, named] = [Number.NEGATIVE_INFINITY, 0]
  const handOn = (): boolean => instant < from || (instant < to && take(instant, named))
  const finished = walkLocal(cron, Zone.toLocal(zone, from) - DAY, Zone.toLocal(zone, to) + DAY, (local) => {
    const next = Zone.toInstant(zone, local, "later")
    if (next !== instant && !handOn()) return false
    instant = next
    named = local
    return true
  })
  if (finished) handOn()
}

/** Walks the ticks in [from, to), ascending. */
export const walk = (cron: Cron, zone: Zone.Zone, from: number, to: number, take: Take): void =>
  (cron.isHourly ? walkHourly : walkFixed)(cron, zone, Zone.clamp(from), Zone.clamp(to), take)

/** Instants in [from, to), ascending. */
export const ticks = (cron: Cron, zone: Zone.Zone, from: number, to: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  walk(cron, zone, from, to, (instant) => found.push(instant) > 0)
  return found
}

/** The first tick after an instant; Infinity when there is none before the year 9998. */
export const next = (cron: Cron, zone: Zone.Zone, after: number): number => {
  let found = Number.POSITIVE_INFINITY
  walk(cron, zone, after + 1, found, (instant) => {
    found = instant
    return false
  })
  return found
}

/** The last tick before an instant; -Infinity when there is none since the year 1000. */
export const previous = (cron: Cron, zone: Zone.Zone, before: number): number => {
  let [to, span] = [before, HOUR]
  while (before - to < HORIZON) {
    const last = ticks(cron, zone, to - span, to).at(-1)
    if (last !== undefined) return last
    to -= span
    span *= 2
  }
  return Number.NEGATIVE_INFINITY
}

const matches = (cron: Cron, local: number): boolean => {
  const date = new Date(local)
  return local % MINUTE === 0 && cron.minutes.has(date.getUTCMinutes()) && cron.hours.has(date.getUTCHours()) &&
    matchesDay(cron, Math.floor(local / DAY))
}

/** True when the instant is a tick. */
export const hasTick = (cron: Cron, zone: Zone.Zone, instant: number): boolean => {
  const local = Zone.toLocal(zone, instant)
  if (cron.isHourly) return matches(cron, local)
  const mayHaveMoved = Zone.offsetAt(zone, instant - 1) !== local - instant
  if (mayHaveMoved) return ticks(cron, zone, instant, instant + 1).length > 0
  return matches(cron, local) && Zone.toInstant(zone, local, "later") === instant
}
