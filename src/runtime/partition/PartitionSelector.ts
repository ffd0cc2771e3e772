/**
 * The text of `--partition`: `symbol=IBM,session=2013-10-04..2013-10-11`.
 *
 * Per dimension a value, a range `a..b` (both inclusive, open ends allowed) or `*`; naming a dimension twice lists
 * values. Dimensions left out are unrestricted. Everything is checked against the dimensions and the values that exist.
 */
import * as Result from "effect/Result"
import { didYouMean } from "../asset/Suggest.ts"
import * as Calendar from "./Calendar.ts"
import { decodeValue } from "./PartitionKey.ts"
import * as Partitions from "./Partitions.ts"

type Term =
  | { readonly _tag: "any" }
  | { readonly _tag: "value"; readonly value: string }
  | { readonly _tag: "range"; readonly from: string; readonly to: string }

/** Per dimension the alternatives that were asked for. */
export type PartitionSelector = ReadonlyMap<string, ReadonlyArray<Term>>

const parseTerm = (text: string): Term => {
  if (text === "*") return { _tag: "any" }
  const at = text.indexOf("..")
  if (at < 0) return { _tag: "value", value: decodeValue(text) }
  return { _tag: "range", from: decodeValue(text.slice(0, at)), to: decodeValue(text.slice(at + 2)) }
}

/** Fails with a sentence. */
export const parse = (text: string): Result.Result<PartitionSelector, string> => {
  const terms = new Map<string, Array<Term>>()
  for (const part of text.split(",")) {
    const at = part.indexOf("=")
    if (at <= 0 || at === part.length - 1) {
      return Result.fail(`"${part}" is not of the form dimension=value, as in symbol=IBM,session=2013-10-04`)
    }
    const name = part.slice(0, at).trim()
    terms.set(name, [...(terms.get(name) ?? []), parseTerm(part.slice(at + 1).trim())])
  }
  return Result.succeed(terms)
}

const passes = (terms: ReadonlyArray<Term>, value: string, position: (value: string) => number): boolean =>
  terms.some((term) => {
    if (term._tag === "any") return true
    if (term._tag === "value") return term.value === value
    const at = position(value)
    return (term.from === "" || at >= position(term.from)) && (term.to === "" || at <= position(term.to))
  })

const isTime = (dimension: Partitions.Dimension): boolean => dimension._tag === "month" || dimension._tag === "session"

const nearestSessions = (calendar: Calendar.Calendar, date: string): string => {
  const before = Calendar.sessionsBetween(calendar, calendar.first, date).at(-1)
  const after = Calendar.sessionsBetween(calendar, date, calendar.last)[0]
  const near = [before, after].filter((session) => session !== undefined)
  return near.length === 0 ? "" : ` Sessions near it: ${near.join(", ")}.`
}

const unknownValue = (name: string, dimension: Partitions.Dimension, value: string, known: ReadonlyArray<string>) => {
  const said = `There is no partition ${name}=${value}.`
  if (dimension._tag === "session" && /^\d{4}-\d{2}-\d{2}$/.test(value)) {
    return `${said} ${dimension.calendar.name} had no session then.${nearestSessions(dimension.calendar, value)}`
  }
  if (known.length === 0) return `${said} The dimension has no values yet.`
  const shown = isTime(dimension) || known.length > 12
    ? ` Values go from ${known[0]} to ${known.at(-1)}.`
    : ` Values: ${known.join(", ")}.`
  return `${said}${didYouMean(value, known)}${shown}`
}

const checkTerm = (
  name: string,
  dimension: Partitions.Dimension,
  term: Term,
  known: ReadonlyArray<string>
): string | undefined => {
  if (term._tag === "value" && !known.includes(term.value)) return unknownValue(name, dimension, term.value, known)
  if (term._tag !== "range" || isTime(dimension)) {
    return term._tag === "range" && term.from !== "" && term.to !== "" && term.from > term.to
      ? `The range ${name}=${term.from}..${term.to} ends before it begins.`
      : undefined
  }
  const end = [term.from, term.to].find((value) => value !== "" && !known.includes(value))
  return end === undefined ? undefined : unknownValue(name, dimension, end, known)
}

/** The filter to hand to `Partitions.keys`, or a sentence about what does not exist. */
export const toFilter = (
  self: PartitionSelector,
  dimensions: Partitions.Dimensions,
  universe: Partitions.Universe
): Result.Result<Partitions.Filter, string> => {
  const names = Object.keys(dimensions)
  const positions = new Map<string, (value: string) => number>()
  for (const [name, terms] of self) {
    const dimension = dimensions[name]
    if (dimension === undefined) {
      const has = names.length === 0 ? " The asset is not partitioned." : ` Dimensions: ${names.join(", ")}.`
      return Result.fail(`There is no partition dimension "${name}".${didYouMean(name, names)}${has}`)
    }
    const known = Partitions.valuesOf(dimension, universe)
    for (const term of terms) {
      const wrong = checkTerm(name, dimension, term, known)
      if (wrong !== undefined) return Result.fail(wrong)
    }
    const index = new Map(known.map((value, at) => [value, at]))
    positions.set(name, isTime(dimension) ? (value) => Date.parse(value) : (value) => index.get(value) ?? -1)
  }
  return Result.succeed((name, value) => {
    const terms = self.get(name)
    return terms === undefined || passes(terms, value, positions.get(name)!)
  })
}
