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
    parts.push(unit < 0 ? text : { unit, at: index, width: text.length })
  }
  return parts
}

/** Fails with a sentence. */
export const make = (pattern: string): Result.Result<KeyFormat, string> => {
  const parts = split(pattern)
  const letter = parts.find((part) => typeof part === "string" && /[^\P{L}T]/u.test(part))
  if (letter !== undefined) {
    return Result.fail(
      `The format "${pattern}" has a "${String(letter)}"; it may have ${tokens.join(", ")} and punctuation.`
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

const fieldsOf = (local: number): ReadonlyArray<number> => {
  const date = new Date(local)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
  return [year, month, day, date.getUTCHours(), date.getUTCMinutes()]
}

export const format = (self: KeyFormat, local: number): string => {
  const fields = fieldsOf(local)
  let text = ""
  for (const part of self.parts) {
    text += typeof part === "string" ? part : String(fields[part.unit]!).padStart(part.width, "0")
  }
  return text
}

/** The local times from which and up to which keys begin as this text does; undefined when none do. */
export const parse = (self: KeyFormat, key: string): { readonly from: number; readonly to: number } | undefined => {
  const fields = [0, 1, 1, 0, 0]
  for (const part of self.parts) {
    if (typeof part === "string") continue
    const digits = key.slice(part.at, part.at + part.width)
    if (!/^\d+$/.test(digits)) return undefined
    fields[part.unit] = Number(digits)
  }
  const [year, month, day, hour, minute] = fields as [number, number, number, number, number]
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const from = date.getTime() + hour * HOUR + minute * MINUTE
  return key.startsWith(format(self, from)) ? { from, to: endOfUnit(self.finest, date, from) } : undefined
}

const endOfUnit = (unit: Unit, date: Date, from: number): number => {
  if (unit === "year") return new Date(date).setUTCFullYear(date.getUTCFullYear() + 1)
  if (unit === "month") return new Date(date).setUTCMonth(date.getUTCMonth() + 1)
  return from + (unit === "day" ? DAY : unit === "hour" ? HOUR : MINUTE)
}
