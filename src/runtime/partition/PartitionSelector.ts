/**
 * The text of `--partition`: `symbol=IBM,session=2013-10-04..2013-10-11`.
 *
 * Per dimension a value, a range `a..b` (both inclusive, open ends allowed) or `*`; naming a dimension twice lists
 * values; `;` adds another selection. Dimensions left out are unrestricted. Everything is checked against the dimensions
 * and the values that exist. It also reads back what `PartitionSet.toText` writes.
 */
import * as Result from "effect/Result"
import { didYouMean } from "../asset/Suggest.ts"
import * as AxisRelation from "./AxisRelation.ts"
import * as Calendar from "./Calendar.ts"
import * as IndexSet from "./IndexSet.ts"
import { decodeValue } from "./PartitionKey.ts"
import type * as Partitions from "./Partitions.ts"
import * as PartitionSet from "./PartitionSet.ts"

type Term =
  | { readonly _tag: "any" }
  | { readonly _tag: "value"; readonly value: string }
  | { readonly _tag: "range"; readonly from: string; readonly to: string }

/** Per dimension the alternatives that were asked for. */
type Selection = ReadonlyMap<string, ReadonlyArray<Term>>

/** Any of these. */
export type PartitionSelector = ReadonlyArray<Selection>

const parseTerm = (text: string): Term => {
  if (text === "*") return { _tag: "any" }
  const at = text.indexOf("..")
  if (at < 0) return { _tag: "value", value: decodeValue(text) }
  return { _tag: "range", from: decodeValue(text.slice(0, at)), to: decodeValue(text.slice(at + 2)) }
}

/** Of blanks only: what else counts as space may belong to a value. */
const trimmed = (text: string): string => text.replace(/^ +| +$/g, "")

const parseOne = (text: string): Result.Result<Selection, string> => {
  const terms = new Map<string, Array<Term>>()
  for (const part of text.split(",")) {
    const at = part.indexOf("=")
    if (at <= 0 || at === part.length - 1) {
      return Result.fail(`"${part}" is not of the form dimension=value, as in symbol=IBM,session=2013-10-04`)
    }
    const name = part.slice(0, at).trim()
    terms.set(name, [...(terms.get(name) ?? []), parseTerm(trimmed(part.slice(at + 1)))])
  }
  return Result.succeed(terms)
}

/** Fails with a sentence. `*` alone selects everything. */
export const parse = (text: string): Result.Result<PartitionSelector, string> =>
  text.trim() === "*" ? Result.succeed([new Map()]) : Result.all(text.split(";").map(parseOne))

const nearestSessions = (calendar: Calendar.Calendar, date: string): string => {
  const before = Calendar.sessionsBetween(calendar, calendar.first, date).at(-1)
  const after = Calendar.sessionsBetween(calendar, date, calendar.last)[0]
  const near = [before, after].filter((session) => session !== undefined)
  return near.length === 0 ? "" : ` Sessions near it: ${near.join(", ")}.`
}

/** At most so many values are told in full. */
const TOLD = 12

const unknownValue = (name: string, dimension: Partitions.Dimension, value: string, axis: Partitions.Axis): string => {
  const said = `There is no partition ${name}=${value}.`
  if (dimension._tag === "time" && dimension.source._tag === "calendar" && /^\d{4}-\d{2}-\d{2}$/.test(value)) {
    const { calendar } = dimension.source
    if (!Calendar.isSession(calendar, value)) {
      return `${said} ${calendar.name} had no session then.${nearestSessions(calendar, value)}`
    }
  }
  if (axis.length === 0) return `${said} The dimension has no values yet.`
  if (dimension._tag === "time") return `${said} Values go from ${axis.keyAt(0)} to ${axis.keyAt(axis.length - 1)}.`
  const known = Array.from({ length: axis.length }, (_, index) => axis.keyAt(index))
  const shown = known.length > TOLD
    ? ` Values go from ${known[0]} to ${known.at(-1)}.`
    : ` Values: ${known.join(", ")}.`
  return `${said}${didYouMean(value, known)}${shown}`
}

/** Time keys sort like their texts, so a range may end where no window is; `2013-10` stands for all that begin so. */
const firstAtLeast = (axis: Partitions.Axis, value: string): number => {
  let [low, high] = [0, axis.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (axis.keyAt(middle) < value) low = middle + 1
    else high = middle
  }
  return low
}

const rangeEnds = (
  dimension: Partitions.Dimension,
  axis: Partitions.Axis,
  { from, to }: Term & { readonly _tag: "range" }
): readonly [number, number] => {
  const exact = [from === "" ? 0 : axis.indexOf(from), to === "" ? axis.length - 1 : axis.indexOf(to)] as const
  if (dimension._tag !== "time") return [exact[0], exact[1] + 1]
  const start = from === "" || exact[0] >= 0 ? exact[0] : firstAtLeast(axis, from)
  const end = to === "" || exact[1] >= 0 ? exact[1] + 1 : firstAtLeast(axis, `${to}\uffff`)
  return [Math.max(0, start), end]
}

const runOf = (
  name: string,
  dimension: Partitions.Dimension,
  axis: Partitions.Axis,
  term: Term
): Result.Result<readonly [number, number], string> => {
  if (term._tag === "any") return Result.succeed([0, axis.length])
  if (term._tag === "value") {
    const index = axis.indexOf(term.value)
    if (index < 0) return Result.fail(unknownValue(name, dimension, term.value, axis))
    return Result.succeed([index, index + 1])
  }
  if (dimension._tag !== "time") {
    const lost = [term.from, term.to].find((value) => value !== "" && axis.indexOf(value) < 0)
    if (lost !== undefined) return Result.fail(unknownValue(name, dimension, lost, axis))
  }
  const [from, to] = rangeEnds(dimension, axis, term)
  return dimension._tag === "time" && term.from !== "" && term.to !== "" && term.from > term.to
      || dimension._tag !== "time" && from >= to
    ? Result.fail(`The range ${name}=${term.from}..${term.to} ends before it begins.`)
    : Result.succeed([from, to])
}

const everywhere = (space: Partitions.Space): ReadonlyArray<IndexSet.IndexSet> =>
  space.axes.map(({ length }) => IndexSet.box([[0, length]]))

const select = (selection: Selection, space: Partitions.Space): Result.Result<IndexSet.IndexSet, string> => {
  const names = Object.keys(space.dimensions)
  const levels = [...everywhere(space)]
  for (const [name, terms] of selection) {
    const dimension = space.dimensions[name]
    if (dimension === undefined) {
      const has = names.length === 0 ? " The asset is not partitioned." : ` Dimensions: ${names.join(", ")}.`
      return Result.fail(`There is no partition dimension "${name}".${didYouMean(name, names)}${has}`)
    }
    const level = space.names.indexOf(name)
    const runs = Result.all(terms.map((term) => runOf(name, dimension, space.axes[level]!, term)))
    if (Result.isFailure(runs)) return Result.fail(runs.failure)
    levels[level] = IndexSet.unionAll(runs.success.map((run) => IndexSet.box([run])))
  }
  return Result.succeed(AxisRelation.product(levels.map(({ bounds }) => bounds)))
}

/** The partitions that exist and are selected, or a sentence about what does not exist. */
export const resolve = (
  self: PartitionSelector,
  space: Partitions.Space
): Result.Result<PartitionSet.PartitionSet, string> =>
  Result.map(
    Result.all(self.map((selection) => select(selection, space))),
    (sets) => PartitionSet.make(space, IndexSet.intersection(IndexSet.unionAll(sets), space.existing))
  )

/** The set that a text means: `parse` and `resolve` in one. No text is no partition, as `PartitionSet.toText` has it. */
export const toSet = (text: string, space: Partitions.Space): Result.Result<PartitionSet.PartitionSet, string> =>
  text === ""
    ? Result.succeed(PartitionSet.none(space))
    : Result.flatMap(parse(text), (selector) => resolve(selector, space))

/** Without the values that are not there any more; undefined when nothing is left of a dimension. */
const known = (selection: Selection, space: Partitions.Space): Selection | undefined => {
  const left = new Map<string, ReadonlyArray<Term>>()
  for (const [name, terms] of selection) {
    const axis = space.axes[space.names.indexOf(name)]
    const there = terms.filter((term) => term._tag !== "value" || (axis?.indexOf(term.value) ?? -1) >= 0)
    if (axis === undefined || there.length === 0) return undefined
    left.set(name, there)
  }
  return left
}

/** What still exists of the set that a text meant when it was stored, by `PartitionSet.toLastingText`. */
export const toKnown = (text: string, space: Partitions.Space): PartitionSet.PartitionSet => {
  const parsed = text === "" ? Result.succeed([]) : parse(text)
  if (Result.isFailure(parsed)) return PartitionSet.none(space)
  const selections = parsed.success.flatMap((selection) => known(selection, space) ?? [])
  return Result.getOrElse(resolve(selections, space), () => PartitionSet.none(space))
}
