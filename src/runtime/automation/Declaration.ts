/**
 * What people declare in their definitions, and what their functions answer. Nobody checks the types of a definitions
 * file before it runs, so both are looked at before they are used. Pure.
 */
import * as Duration from "effect/Duration"
import * as Formatter from "effect/Formatter"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { didYouMean } from "../asset/Suggest.ts"

const NAME = /^[a-z][a-z0-9_]*$/

/** As an asset may be named. */
export const name = Schema.String.check(
  Schema.isPattern(NAME, { expected: "small letters, digits and _, beginning with a letter" })
)

/** The largest integer of PostgreSQL, where both are kept. */
const MOST = 2_147_483_647

export const priority = Schema.Int.check(Schema.isBetween({ minimum: -MOST, maximum: MOST }))

export const attempts = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MOST }))

export const tags = Schema.Record(Schema.String, Schema.String)

/** Something that `Duration` reads: so many milliseconds at least, and not for ever. */
export const span = (least: 0 | 1) =>
  Schema.Unknown.check(Schema.makeFilter(
    (given) => {
      const millis = Option.map(Duration.fromInput(given as Duration.Input), Duration.toMillis)
      return Option.isSome(millis) && millis.value >= least && Number.isFinite(millis.value)
    },
    { expected: `a time ${least === 0 ? "from 0 on" : "of a millisecond or more"}, such as "5 minutes"` }
  ))

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => issue._tag === "MissingKey" ? "Expected a value" : SchemaIssue.defaultLeafHook(issue)
})

/** `runs[0].runKey`. */
const pathText = (path: ReadonlyArray<PropertyKey>): string =>
  path.map((key) => typeof key === "number" ? `[${key}]` : `.${String(key)}`).join("").replace(/^\./, "")

const LONGEST = 80

const valueText = (value: unknown): string => {
  const text = Formatter.format(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST).toWellFormed()}…` : text
}

/** The given value, or the first thing that is wrong with it, such as `cursor is 7: expected string.` */
export const check = <A>(schema: Schema.Decoder<unknown>, given: A, what = "it"): Result.Result<A, string> => {
  const decoded = Schema.decodeUnknownResult(schema)(given)
  if (Result.isSuccess(decoded)) return Result.succeed(given)
  const { message, path = [] } = issuesOf(decoded.failure.issue).issues[0]!
  const keys = path.map((part) => typeof part === "object" ? part.key : part)
  const found = keys.reduce<unknown>((value, key) => (value as { readonly [key: PropertyKey]: unknown })[key], given)
  const expected = message.replace(/^Expected/, "expected").replace(/ \| undefined$/, "")
  return Result.fail(`${pathText(keys) || what} is ${valueText(found)}: ${expected}.`)
}

/** An option that there is not would be ignored, whatever was meant by it. */
export const known = (given: unknown, options: ReadonlyArray<string>, path = ""): Result.Result<unknown, string> => {
  const stray = Object.keys(Predicate.isObject(given) ? given : {}).find((name) => !options.includes(name))
  return stray === undefined
    ? Result.succeed(given)
    : Result.fail(
      `there is no option "${path}${stray}".${didYouMean(stray, options)} Options: ${options.join(", ")}.`
    )
}
