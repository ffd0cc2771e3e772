/**
 * A project's own definitions: which file holds them, and how it is read. No build step: Node strips the types.
 *
 * There must be one copy of `effect` and of `barograph` in the process, whatever is installed where. So every import of
 * them, by whichever file, is resolved as if this module had made it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as NodeFs from "node:fs"
import * as Module from "node:module"
import * as Path from "node:path"
import * as Url from "node:url"
import * as Definitions from "../asset/Definitions.ts"
import { configuration, type Failure } from "./Failure.ts"
import * as ImportFailure from "./ImportFailure.ts"
import * as PackageField from "./PackageField.ts"

const NEW = "barograph init DIR writes a project with one"

/** The file of the flag, else of the environment, else of the package.json in the working directory. Absolute. */
export const find = (
  given: { readonly flag: string | undefined; readonly setting: string | undefined },
  cwd: string
): Effect.Effect<string | undefined, Failure> => {
  const said = given.flag ?? given.setting
  if (said !== undefined) return Effect.succeed(Path.resolve(cwd, said))
  const field = PackageField.read(cwd)
  if (field === undefined) return Effect.succeed(undefined)
  return Predicate.hasProperty(field, "definitions") && typeof field.definitions === "string"
    ? Effect.succeed(Path.resolve(cwd, field.definitions))
    : Effect.fail(configuration(
      "The field \"barograph\" of package.json does not say where the definitions are.",
      "write \"barograph\": { \"definitions\": \"definitions.ts\" }"
    ))
}

/** Names what can be imported from this package only when it runs from its sources. */
const SOURCE = "barograph-source"
const fromSource = import.meta.url.endsWith(".ts")
const SHARED = /^(effect|barograph)(\/|$)/

let shared = false

/** Files of the project that were imported, to be looked at for changes. */
const imported = new Set<string>()

/** The query that makes a file another module: Node imports each address once. What a versioned file imports is too. */
const VERSION = "version"

/** A file of the project's own, in the version of who imports it. */
const versioned = (url: string, importer: string | undefined): string => {
  if (!url.startsWith("file:") || url.includes("/node_modules/") || importer === undefined) return url
  const asked = new URL(importer)
  if (!imported.has(asked.pathname)) return url
  const found = new URL(url)
  imported.add(found.pathname)
  const version = asked.searchParams.get(VERSION)
  if (version !== null) found.searchParams.set(VERSION, version)
  return found.href
}

const resolveShared: Module.ResolveHookSync = (specifier, context, next) => {
  if (!SHARED.test(specifier)) {
    // Read before `next`, which changes the context.
    const importer = context.parentURL
    const resolved = next(specifier, context)
    return { ...resolved, url: versioned(resolved.url, importer) }
  }
  // Read before `next`, which changes the context.
  const importer = context.parentURL ?? specifier
  const conditions = fromSource ? [...context.conditions, SOURCE] : context.conditions
  try {
    return next(specifier, { ...context, parentURL: import.meta.url, conditions })
  } catch {
    throw new ImportFailure.NoSuchModule(specifier, importer)
  }
}

const shareModules = (): void => {
  if (shared) return
  shared = true
  Module.registerHooks({ resolve: resolveShared })
}

const reading = (file: string): Failure | undefined => {
  const found = NodeFs.statSync(file, { throwIfNoEntry: false })
  if (found === undefined) {
    return configuration(`There is no definitions file ${file}.`, `give --definitions the path of a file; ${NEW}`)
  }
  if (!found.isFile()) {
    return configuration(`${file} is no file.`, "give --definitions the path of a .ts file, as in definitions.ts")
  }
  if (/\.[cm]?ts$/.test(file) && process.features.typescript === false) {
    return configuration(
      `Node ${process.version} does not read TypeScript.`,
      "run it with Node 22.19 or later, without --no-experimental-strip-types"
    )
  }
  return undefined
}

const NO_EXPORT = "export default Definitions.make({ graph: AssetGraph.make(…) })"

const fromModule = (module: { readonly default?: unknown }, file: string) => {
  const name = Path.basename(file)
  if (!("default" in module)) return Effect.fail(configuration(`${name} has no default export.`, NO_EXPORT))
  const definitions = Definitions.fromExport(module.default)
  if (definitions === undefined) {
    return Effect.fail(configuration(`The default export of ${name} is neither definitions nor a graph.`, NO_EXPORT))
  }
  const problems = Definitions.problems(definitions)
  return problems.length === 0
    ? Effect.succeed(definitions)
    : Effect.fail(configuration(problems, `see ${file}`))
}

/** A file that waits at its top level for what never comes would keep the command for ever. */
const PATIENCE = Duration.seconds(60)

/** Imports the file. Whatever is wrong with it, is one sentence with what to do. */
export const load = (file: string): Effect.Effect<Definitions.Definitions, Failure> => loadVersion(file, 0)

const loadVersion = (file: string, version: number): Effect.Effect<Definitions.Definitions, Failure> =>
  Effect.gen(function*() {
    const unreadable = reading(file)
    if (unreadable !== undefined) return yield* unreadable
    shareModules()
    const url = Url.pathToFileURL(file)
    imported.add(url.pathname)
    if (version > 0) url.searchParams.set(VERSION, `${version}`)
    const module = yield* Effect.tryPromise({
      try: () => import(url.href) as Promise<{ readonly default?: unknown }>,
      catch: (error) => ImportFailure.fromError(error, file)
    }).pipe(Effect.timeoutOrElse({
      duration: PATIENCE,
      orElse: () =>
        Effect.fail(configuration(
          `${Path.basename(file)} was not loaded within ${Duration.format(PATIENCE)}.`,
          "see that nothing at its top level waits: do work in layers and assets"
        ))
    }))
    return yield* fromModule(module, file)
  })

/** How soon a change of a file is noticed: a look is one `stat` of each file. */
const LOOK = Schedule.spaced("2 seconds")

/** When the files of the project were written last. One that is gone counts too. */
const stamp = Effect.sync(() =>
  [...imported].map((path) => {
    const file = Url.fileURLToPath(`file://${path}`)
    return `${path} ${NodeFs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0}`
  }).join("\n")
)

/**
 * The definitions again whenever one of their files has changed, or why they cannot be read. Each reading keeps its
 * modules in memory for good, as Node does: some hundred kilobytes a time.
 */
export const changes = (file: string): Stream.Stream<Result.Result<Definitions.Definitions, Failure>> =>
  Stream.fromEffectSchedule(stamp, LOOK).pipe(
    Stream.changes,
    Stream.drop(1),
    Stream.mapAccum(() => 0, (version) => [version + 1, [version + 1]] as const),
    Stream.mapEffect((version) => Effect.result(loadVersion(file, version)))
  )
