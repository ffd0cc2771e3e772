/**
 * Time zone arithmetic that costs nanoseconds. The runtime is asked for a zone's offset about a hundred times per year
 * of time that is touched (1.3 us each); the stretches of constant offset found so are kept, the rest is plain numbers.
 *
 * Instants are epoch milliseconds. Local times are the wall clock as epoch milliseconds read as if it were UTC.
 * Limits: an offset that lasted less than 6 days is not seen (there is none since 1970), and before the year 1000 and
 * after 9998 the nearest known offset holds.
 */
import * as Result from "effect/Result"

const MINUTE = 60_000
const DAY = 86_400_000

/** Chunks of some 398 days, each sampled every 6.2 days: the north-east of Brazil once had a summer time of a week. */
const CHUNK = 2 ** 35
const SAMPLES = 64
const FIRST = Math.ceil(Date.UTC(1000, 0) / CHUNK)
const LAST = Math.floor(Date.UTC(9998, 0) / CHUNK) - 1

/** Offsets of one chunk, in milliseconds east of UTC; the first starts where the chunk does. */
interface Offsets {
  readonly starts: ReadonlyArray<number>
  readonly values: ReadonlyArray<number>
}

export interface Zone {
  /** As it was asked for, e.g. `Europe/Berlin`. */
  readonly name: string
  readonly format: Intl.DateTimeFormat
  /** What was found so far. */
  readonly chunks: Map<number, Offsets>
}

const zones = new Map<string, Zone>()

/** Fails with a sentence when the runtime does not know the zone. */
export const make = (name: string): Result.Result<Zone, string> => {
  const known = zones.get(name)
  if (known !== undefined) return Result.succeed(known)
  try {
    const digits = "2-digit"
    const clock = { hourCycle: "h23", hour: digits, minute: digits, second: digits } as const
    const date = { year: "numeric", month: digits, day: digits } as const
    const zone = {
      name,
      format: new Intl.DateTimeFormat("en-US", { timeZone: name, ...clock, ...date }),
      chunks: new Map()
    }
    zones.set(name, zone)
    return Result.succeed(zone)
  } catch {
    return Result.fail(`"${name}" is not a time zone; zones are named as in Europe/Berlin, America/New_York or UTC.`)
  }
}

/** From `10/27/2013, 02:30:00`, the form of the one locale that every runtime has. */
const ask = (zone: Zone, instant: number): number => {
  const text = zone.format.format(instant)
  const field = (at: number): number => Number(text.slice(at, at + 2))
  const year = Number(text.slice(6, 10))
  const local = Date.UTC(year, field(0) - 1, field(3), field(12), field(15), field(18))
  return local - Math.floor(instant / 1000) * 1000
}

/** The first second after `before` at which `changed` is true; it is true at `after`. */
const bisect = (before: number, after: number, changed: (instant: number) => boolean): number => {
  let [low, high] = [Math.floor(before / 1000), Math.floor(after / 1000)]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (changed(middle * 1000)) high = middle
    else low = middle
  }
  return high * 1000
}

const sample = (zone: Zone, chunk: number): Offsets => {
  let at = chunk * CHUNK
  let offset = ask(zone, at)
  const [starts, values] = [[at], [offset]]
  for (let i = 1; i <= SAMPLES; i++) {
    const next = chunk * CHUNK + i * (CHUNK / SAMPLES)
    const there = ask(zone, next)
    while (offset !== there) {
      const held = offset
      at = bisect(at, next, (instant) => ask(zone, instant) !== held)
      starts.push(at)
      values.push(offset = ask(zone, at))
    }
    at = next
  }
  return { starts, values }
}

/** The nearest instant between the years 1000 and 9998: where the offsets and the search for ticks end. */
export const clamp = (instant: number): number => Math.max(FIRST * CHUNK, Math.min((LAST + 1) * CHUNK, instant))

const offsetsAround = (zone: Zone, instant: number): Offsets => {
  const chunk = Math.max(FIRST, Math.min(LAST, Math.floor(instant / CHUNK)))
  let known = zone.chunks.get(chunk)
  if (known === undefined) zone.chunks.set(chunk, known = sample(zone, chunk))
  return known
}

/** Milliseconds east of UTC. */
export const offsetAt = (zone: Zone, instant: number): number => {
  const { starts, values } = offsetsAround(zone, instant)
  let i = starts.length - 1
  while (i > 0 && starts[i]! > instant) i--
  return values[i]!
}

/** An instant after this one until which the offset stays what it is. */
export const offsetHoldsUntil = (zone: Zone, instant: number): number => {
  const { starts } = offsetsAround(zone, instant)
  return starts.find((start) => start > instant) ?? (Math.floor(instant / CHUNK) + 1) * CHUNK
}

export const toLocal = (zone: Zone, instant: number): number => instant + offsetAt(zone, instant)

/**
 * The instant of a local time; of a repeated one the occurrence that is asked for. A local time that clocks jumped over
 * means the first instant after the jump.
 */
export const toInstant = (zone: Zone, local: number, occurrence: "earlier" | "later"): number => {
  const [before, after] = [offsetAt(zone, local - DAY), offsetAt(zone, local + DAY)]
  if (before === after) return local - before
  const [early, late] = [local - before, local - after]
  const isEarly = offsetAt(zone, early) === before
  const isLate = offsetAt(zone, late) === after
  if (isEarly && isLate) return occurrence === "earlier" ? early : late
  if (isEarly) return early
  return isLate ? late : bisect(late, early, (instant) => offsetAt(zone, instant) === after)
}

/** True at the second of two instants with the same local time. */
export const isRepeat = (zone: Zone, instant: number): boolean =>
  toInstant(zone, toLocal(zone, instant), "earlier") < instant

/** `+05:30`. */
export const formatOffset = (offset: number): string => {
  const minutes = Math.round(Math.abs(offset) / MINUTE)
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60]
  return `${offset < 0 ? "-" : "+"}${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`
}

/** `2013-10-04`, and a day that there is: others would take the thirtieth of February for a day in March. */
export const isDate = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text) && parseLocal(text) !== undefined

const LOCAL = /^(\d{4})-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2}))?)?$/

/** The local time of `2013-10`, `2013-10-04` or `2013-10-04T09:30`; undefined when the text is none of them. */
export const parseLocal = (text: string): number | undefined => {
  const found = LOCAL.exec(text)
  if (found === null) return undefined
  const [year, month, day, hour, minute] = found.slice(1).map((part) => Number(part ?? Number.NaN))
  const local = new Date(0)
  local.setUTCFullYear(year!, month! - 1, Number.isNaN(day) ? 1 : day)
  local.setUTCHours(Number.isNaN(hour) ? 0 : hour!, Number.isNaN(minute) ? 0 : minute!)
  return local.toISOString().startsWith(text.replace(" ", "T")) ? local.getTime() : undefined
}
