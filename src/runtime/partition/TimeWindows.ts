/**
 * The declaration of a time dimension: windows that follow each other by a cron in a zone, or a calendar's sessions.
 *
 * Everything that a person can get wrong is refused here, with a sentence, so that nothing fails where windows are laid
 * out (`TimeAxis`). Windows of a cron go from tick to tick, those of a calendar from open to close. Local times are as
 * in `Zone`.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Calendar from "./Calendar.ts"
import * as Cron from "./Cron.ts"
import * as KeyFormat from "./KeyFormat.ts"
import * as Zone from "./Zone.ts"

/** A declaration of partitions that cannot be; the message says why. */
export class PartitionsError extends Schema.TaggedError<PartitionsError>()("PartitionsError", {
  message: Schema.String
}) {}

const HOUR = 3_600_000

export type Source =
  | { readonly _tag: "cron"; readonly cron: Cron.Cron }
  | { readonly _tag: "calendar"; readonly calendar: Calendar.Calendar; readonly hours: Calendar.Hours }

/** Windows that are not there, by the local time at which they would start. */
export interface Exclusions {
  readonly dates: ReadonlySet<string>
  readonly times: ReadonlySet<number>
  readonly crons: ReadonlyArray<Cron.Cron>
}

/** `Grain` keeps dimensions apart for the compiler: `daily`, the text of a cron, `sessions XNYS`. */
export interface TimeDimension<out Grain extends string = string> {
  readonly _tag: "time"
  readonly grain: Grain
  readonly zone: string
  /** Windows start at or after this local time, */
  readonly start: number
  /** and end at or before this one. */
  readonly end: number | undefined
  readonly endOffset: number
  readonly format: KeyFormat.KeyFormat
  readonly exclude: Exclusions
  readonly source: Source
}

interface SpanOptions {
  /** `2013-10-04` or `2013-10-04T09:30`, local: no window ends after it. */
  readonly end?: string
  /**
   * How many windows exist beyond those that have ended: 1 has the one going on too, -1 leaves the last one out. Only
   * windows that are not excluded count.
   */
  readonly endOffset?: number
  /** Dates, date-times and crons: a window that starts on one of them does not exist. Its neighbours stay. */
  readonly exclude?: ReadonlyArray<string>
}

export interface CronOptions extends SpanOptions {
  /** `2013-10`, `2013-10-04` or `2013-10-04T09:30`, local: the first window starts at or after it. */
  readonly start: string
  /** IANA zone, `UTC` when left out. */
  readonly zone?: string
  /** The keys' form, of `yyyy`, `MM`, `dd`, `HH` and `mm`. */
  readonly format?: string
}

export interface HourlyOptions extends CronOptions {
  /** The minute at which windows begin. */
  readonly minuteOffset?: number
}

export interface DailyOptions extends HourlyOptions {
  /** The hour at which windows begin. */
  readonly hourOffset?: number
}

const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"] as const

export interface WeeklyOptions extends DailyOptions {
  /** Monday when left out. */
  readonly weekday?: (typeof weekdays)[number]
}

export interface MonthlyOptions extends DailyOptions {
  /** The day of month on which windows begin, at most 28, which every month has. */
  readonly day?: number
}

export interface SessionsOptions extends SpanOptions {
  /** The calendar's first date when left out. */
  readonly start?: string
  /** `extended` has the pre- and post-market too. */
  readonly hours?: Calendar.Hours
}

const refuse = (grain: string, why: string): never => {
  const said = why.startsWith("The ") ? `t${why.slice(1)}` : why
  throw new PartitionsError({ message: `The ${grain} partitions cannot be declared so: ${said}` })
}

const orRefuse = <A>(grain: string, result: Result.Result<A, string>): A =>
  Result.isSuccess(result) ? result.success : refuse(grain, result.failure)

const integer = (grain: string, name: string, value: number, from: number, to: number): number =>
  Number.isInteger(value) && value >= from && value <= to
    ? value
    : refuse(grain, `${name} is ${value}, which is not an integer from ${from} to ${to}.`)

const localTime = (grain: string, name: string, text: string): number =>
  Zone.parseLocal(text) ??
    refuse(grain, `${name} is "${text}", which is neither a date (2013-10-04) nor a date and time (2013-10-04T09:30).`)

const exclusions = (grain: string, texts: ReadonlyArray<string>): Exclusions => {
  const dates = new Set<string>()
  const times = new Set<number>()
  const crons: Array<Cron.Cron> = []
  for (const text of texts) {
    if (/^@|\s.*\s/.test(text.trim())) crons.push(orRefuse(grain, Cron.parse(text)))
    else if (text.length < 10) {
      refuse(grain, `an exclusion is "${text}", which is not a date, a date and time or a cron.`)
    } else {
      const local = localTime(grain, "an exclusion", text)
      if (text.length === 10) dates.add(text)
      else times.add(local)
    }
  }
  return { dates, times, crons }
}

/** True when no two windows of the cron begin in the same one of these units. */
const tellsApart = (cron: Cron.Cron, unit: KeyFormat.Unit): boolean => {
  const oneTime = cron.times.length === 1
  const oneDay = oneTime && cron.days.size === 1 && !(cron.either && cron.weekdays.size > 0)
  switch (unit) {
    case "minute":
      return true
    case "hour":
      // A tick that had to move may land in the hour of another one, unless all of them are on the hour.
      return cron.times.every((time) => time % HOUR === (cron.isHourly ? cron.times[0]! : 0))
    case "day":
      return oneTime
    case "month":
      return oneDay
    case "year":
      return oneDay && cron.months.size === 1
  }
}

const usual = (["yyyy-MM", "yyyy-MM-dd", "yyyy-MM-ddTHH:mm"] as const)
  .map((pattern) => Result.getOrThrow(KeyFormat.make(pattern)))

const keyFormat = (grain: string, cron: Cron.Cron, pattern: string | undefined): KeyFormat.KeyFormat => {
  const shortest = usual.find(({ finest }) => tellsApart(cron, finest))!
  const made = pattern === undefined ? shortest : orRefuse(grain, KeyFormat.make(pattern))
  return tellsApart(cron, made.finest)
    ? made
    : refuse(grain, `the format "${pattern}" would give two windows one key, which "${shortest.pattern}" does not.`)
}

const MOST_OFFSET = 100_000

const span = (grain: string, start: string, options: SpanOptions) => {
  const from = localTime(grain, "its start", start)
  const to = options.end === undefined ? undefined : localTime(grain, "its end", options.end)
  if (to !== undefined && to <= from) refuse(grain, `its end, ${options.end}, is not after its start, ${start}.`)
  return {
    start: from,
    end: to,
    endOffset: integer(grain, "its endOffset", options.endOffset ?? 0, -MOST_OFFSET, MOST_OFFSET),
    exclude: exclusions(grain, options.exclude ?? [])
  }
}

const fromCron = <const Grain extends string>(
  grain: Grain,
  text: string,
  options: CronOptions
): TimeDimension<Grain> => {
  const parsed = orRefuse(grain, Cron.parse(text))
  const zone = orRefuse(grain, Zone.make(options.zone ?? "UTC"))
  return {
    _tag: "time",
    grain,
    zone: zone.name,
    ...span(grain, options.start, options),
    format: keyFormat(grain, parsed, options.format),
    source: { _tag: "cron", cron: parsed }
  }
}

/** Windows of any five-field cron, or a name such as `@daily`. */
export const cron = <const Text extends string>(text: Text, options: CronOptions): TimeDimension<Text> =>
  fromCron(text, text, options)

const minuteOf = (grain: string, options: HourlyOptions): number =>
  integer(grain, "its minuteOffset", options.minuteOffset ?? 0, 0, 59)

const timeOf = (grain: string, options: DailyOptions): string =>
  `${minuteOf(grain, options)} ${integer(grain, "its hourOffset", options.hourOffset ?? 0, 0, 23)}`

export const hourly = (options: HourlyOptions): TimeDimension<"hourly"> =>
  fromCron("hourly", `${minuteOf("hourly", options)} * * * *`, options)

export const daily = (options: DailyOptions): TimeDimension<"daily"> =>
  fromCron("daily", `${timeOf("daily", options)} * * *`, options)

export const weekly = (options: WeeklyOptions): TimeDimension<"weekly"> => {
  const weekday = weekdays.indexOf(options.weekday ?? "monday")
  if (weekday < 0) refuse("weekly", `there is no weekday "${options.weekday}"; they are ${weekdays.join(", ")}.`)
  return fromCron("weekly", `${timeOf("weekly", options)} * * ${weekday}`, options)
}

export const monthly = (options: MonthlyOptions): TimeDimension<"monthly"> => {
  const day = integer("monthly", "its day", options.day ?? 1, 1, 28)
  return fromCron("monthly", `${timeOf("monthly", options)} ${day} * *`, options)
}

/** The sessions of a market, keyed by date. A session's window ends at its close, on half days too. */
export const sessions = <const Name extends string>(
  calendar: Calendar.Calendar<Name>,
  options: SessionsOptions = {}
): TimeDimension<`sessions ${Name}`> => {
  const grain = `sessions ${calendar.name}` as const
  const wrong = Calendar.problem(calendar)
  if (wrong !== undefined) refuse(grain, `the calendar is not right. ${wrong}`)
  const hours = options.hours ?? "regular"
  if (hours === "extended" && calendar.extended === undefined) refuse(grain, "the calendar has no extended hours.")
  return {
    _tag: "time",
    grain,
    zone: calendar.zone,
    ...span(grain, options.start ?? calendar.first, options),
    format: orRefuse(grain, KeyFormat.make("yyyy-MM-dd")),
    source: { _tag: "calendar", calendar, hours }
  }
}
