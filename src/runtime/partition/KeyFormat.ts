/**
 * The form of a time window's key: a pattern of `yyyy`, `MM`, `dd`, `HH` and `mm`, each as wide as it is written, with
 * punctuation or a `T` between. A key of such a form is read back to the local time at which its smallest unit begins.
 */
import * as Result from "effect/Result"

const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 86_400_000

/** From coarse to fine. */
export type Unit = "year" | "month" | "day" | "hour" | "minute"

const units: ReadonlyArray<Unit> = ["year", "month", "day", "hour", "minute"]
const tokens = ["yyyy", "MM", "dd", "HH", "mm"]

/** A unit's digits, or text that stands as it is. */
type Part = { readonly unit: number; readonly at: number; readonly width: number } | string

export interface KeyFormat {
  readonly pattern: string
  readonly parts: ReadonlyArray<Part>
  readonly finest: Unit
}

const split = (pattern: string): ReadonlyArray<Part> => {
  const parts: Array<Part> = []
  for (const { 0: text, index } of pattern.matchAll(/yyyy|MM|dd|HH|mm|[^]/g)) {
    const unit = tokens.indexOf(text)
    if (unit >= 0) parts.push({ unit, at: index, width: text.length })
    else if (typeof parts.at(-1) === "string") parts.push(String(parts.pop()) + text)
    else parts.push(text)
  }
  return parts
}

/** Fails with a sentence. */
export const make = (pattern: string): Result.Result<KeyFormat, string> => {
  const parts = split(pattern)
  const letter = /[^\P{L}T]/u.exec(parts.filter((part) => typeof part === "string").join(""))
  if (letter !== null) {
    return Result.fail(
      `The format "${pattern}" has a "${letter[0]}"; it may have ${tokens.join(", ")} and punctuation.`
    )
  }
  const used = tokens.map((_, unit) => parts.some((part) => typeof part !== "string" && part.unit === unit))
  const finest = used.lastIndexOf(true)
  const missing = used.indexOf(false)
  if (finest < 0 || (missing >= 0 && missing < finest)) {
    return Result.fail(`The format "${pattern}" has no ${tokens[Math.max(0, missing)]}, which its other fields need.`)
  }
  return Result.succeed({ pattern, parts, finest: units[finest]! })
}

/** True when `a` tells no less apart than `b`. */
export const isAsFineAs = (a: Unit, b: Unit): boolean => units.indexOf(a) >= units.indexOf(b)

const twoDigits = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, "0"))

const written = (date: Date, unit: number): string => {
  if (unit === 0) return String(date.getUTCFullYear()).padStart(4, "0")
  if (unit === 1) return twoDigits[date.getUTCMonth() + 1]!
  if (unit === 2) return twoDigits[date.getUTCDate()]!
  return twoDigits[unit === 3 ? date.getUTCHours() : date.getUTCMinutes()]!
}

export const format = (self: KeyFormat, local: number): string => {
  const date = new Date(local)
  let text = ""
  for (const part of self.parts) text += typeof part === "string" ? part : written(date, part.unit)
  return text
}

/** NaN where the text has anything but digits. */
const digits = (text: string, { at, width }: { readonly at: number; readonly width: number }): number => {
  let value = 0
  for (let i = at; i < at + width; i++) {
    const digit = text.charCodeAt(i) - 48
    value = digit >= 0 && digit <= 9 ? value * 10 + digit : Number.NaN
  }
  return value
}

/** The local times from which and up to which keys begin as this text does; undefined when none do. */
export const parse = (self: KeyFormat, key: string): { readonly from: number; readonly to: number } | undefined => {
  const fields = [0, 1, 1, 0, 0]
  for (const part of self.parts) if (typeof part !== "string") fields[part.unit] = digits(key, part)
  const [year, month, day, hour, minute] = fields as [number, number, number, number, number]
  const midnight = new Date(0).setUTCFullYear(year, month - 1, day)
  const from = midnight + hour * HOUR + minute * MINUTE
  if (Number.isNaN(from) || !key.startsWith(format(self, from))) return undefined
  return { from, to: endOfUnit(self.finest, from) }
}

const endOfUnit = (unit: Unit, from: number): number => {
  const date = new Date(from)
  if (unit === "year") return date.setUTCFullYear(date.getUTCFullYear() + 1)
  if (unit === "month") return date.setUTCMonth(date.getUTCMonth() + 1)
  return from + (unit === "day" ? DAY : unit === "hour" ? HOUR : MINUTE)
}
