/**
 * What the configuration file and the environment give, checked field by field; the environment wins. A field that cannot
 * be used is a sentence with the place, the field, and what was expected; a secret's value is never in it.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { didYouMean } from "../../runtime/asset/Suggest.ts"
import * as CauseText from "../../runtime/run/CauseText.ts"
import * as Location from "../lake/Location.ts"
import * as Fields from "./Fields.ts"

/** A setting that cannot be used: which, why, and what to write instead. Never holds a secret's value. */
export class SettingsError extends Schema.TaggedError<SettingsError>()("SettingsError", {
  setting: Schema.String,
  message: Schema.String,
  fix: Schema.String
}) {}

const FILE = "barograph.config.json"
const PATH = "BAROGRAPH_CONFIG"

interface File {
  /** As the person named it. */
  readonly name: string
  readonly directory: string
  readonly values: { readonly [field: string]: unknown }
}

/** `names`: which value came from where is asked by whoever has to say how to mend a combination. */
export interface Given {
  readonly values: Fields.Values
  /** Where the field is written, or may be written: the file's name and the field, or the environment variable. */
  readonly placeOf: (name: Fields.Name) => string
}

/** `cwd` is where the file is looked for. */
export const read = Effect.fnUntraced(function*(cwd: string) {
  const file = yield* readFile(cwd)
  const values: { [name: string]: unknown } = {}
  const places = new Map<Fields.Name, string>()
  for (const name of Fields.names) {
    const found = yield* valueOf(name, file)
    if (found === undefined) continue
    values[name] = yield* checked(name, found)
    places.set(name, found.place)
  }
  return {
    values: { ...absent, ...values } as Fields.Values,
    placeOf: (name) => places.get(name) ?? Fields.fields[name].env[0]
  } satisfies Given
})

const absent = Object.fromEntries(Fields.names.map((name) => [name, undefined]))

const variable = (name: string) =>
  Config.String(name).pipe(
    Config.option,
    Effect.map((found) => Option.getOrUndefined(Option.filter(found, (value) => value.trim() !== ""))),
    Effect.mapError(({ message }) =>
      new SettingsError({ setting: name, message, fix: "see the configuration table of the README" })
    )
  )

const readFile = Effect.fnUntraced(function*(cwd: string) {
  const named = yield* variable(PATH)
  const path = Path.resolve(cwd, named ?? FILE)
  const name = named ?? FILE
  if (named === undefined && !Fs.existsSync(path)) return undefined
  const source = yield* Effect.try({
    try: () => Fs.readFileSync(path, "utf8"),
    catch: (cause) => unreadable(name, codeOf(cause))
  })
  const values = yield* Effect.try({
    try: () => JSON.parse(source.replace(/^\uFEFF/, "")) as unknown,
    // What the runtime says quotes the text around the damage, which may be a secret: only the place is told.
    catch: (cause) => notJson(name, /\(line \d+ column \d+\)/.exec(String(cause))?.[0] ?? "at its end")
  })
  if (typeof values !== "object" || values === null || Array.isArray(values)) return yield* notJson(name, "as a whole")
  const file: File = { name, directory: Path.dirname(path), values: values as File["values"] }
  const unknown = Object.keys(values).find((field) => field !== "$schema" && !Object.hasOwn(Fields.fields, field))
  if (unknown === undefined) return file
  return yield* new SettingsError({
    setting: unknown,
    message: `${name} has a field "${unknown}" that there is not.${didYouMean(unknown, Fields.names)}`,
    fix: `the fields are ${Fields.names.join(", ")}`
  })
})

const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : String(cause)

const unreadable = (name: string, code: string): SettingsError =>
  new SettingsError({
    setting: PATH,
    message: `${name} cannot be read (${code})`,
    fix: `unset ${PATH}, or write the file`
  })

const notJson = (name: string, where: string): SettingsError =>
  new SettingsError({
    setting: name,
    message: `${name} is no JSON object ${where}`,
    fix: "write it as { \"symbols\": [\"IBM\"] }"
  })

interface Found {
  readonly place: string
  readonly value: unknown
}

const valueOf = Effect.fnUntraced(function*(name: Fields.Name, file: File | undefined) {
  const { env, parse, ...field } = Fields.fields[name]
  for (const variableName of env) {
    const text = yield* variable(variableName)
    if (text !== undefined) return { place: variableName, value: parse(text) } satisfies Found
  }
  const value = file?.values[name]
  if (file === undefined || value === undefined || value === null) return undefined
  const place = `"${name}" of ${file.name}`
  // What is no path stays as it is, for whoever says so.
  const isRelative = "path" in field && typeof value === "string" && !/^\s*~/.test(value) &&
    !Location.isAddress(value.trim())
  return { place, value: isRelative ? Path.resolve(file.directory, value) : value } satisfies Found
})

const checked = (name: Fields.Name, { place, value }: Found): Effect.Effect<unknown, SettingsError> => {
  const { expected, schema, ...field } = Fields.fields[name]
  const decoded = Schema.decodeUnknownResult(schema as Schema.Decoder<unknown>)(value)
  if (Result.isSuccess(decoded)) return Effect.succeed(decoded.success)
  const shown = "secret" in field ? "not usable" : CauseText.clean(JSON.stringify(value))
  return Effect.fail(
    new SettingsError({ setting: place, message: `${place} is ${shown}`, fix: `expected ${expected}` })
  )
}
