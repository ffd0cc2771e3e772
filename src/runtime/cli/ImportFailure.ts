/** What went wrong while a definitions file was imported, in one sentence, and where. */
import * as Predicate from "effect/Predicate"
import * as Path from "node:path"
import * as Url from "node:url"
import { DefinitionError } from "../asset/AssetGraph.ts"
import * as CauseText from "../run/CauseText.ts"
import { configuration, type Failure } from "./Failure.ts"

/** `effect` or this package has no such module. */
export class NoSuchModule extends Error {
  readonly specifier: string
  readonly importer: string
  constructor(specifier: string, importer: string) {
    super(`There is no module "${specifier}"`)
    this.specifier = specifier
    this.importer = importer
  }
}

const text = (error: unknown, field: string): string =>
  Predicate.hasProperty(error, field) && typeof error[field] === "string" ? error[field] : ""

const asPath = (file: string): string => file.startsWith("file://") ? Url.fileURLToPath(file) : file

/** `src/` or `lib/`, wherever this runs from. */
const OURS = Url.fileURLToPath(new URL("../../", import.meta.url))

/** The first place of the stack that is neither Node's, nor a package's, nor ours: `/path/file.ts:12`. */
const place = (error: unknown): string | undefined => {
  for (const line of text(error, "stack").split("\n")) {
    const found = /^(?:\s+at (?:.* \()?)?((?:file:\/\/)?\/[^():]+:\d+)(?::\d+\)?)?$/.exec(line)?.[1]
    const path = found === undefined ? undefined : asPath(found)
    if (path !== undefined && !path.startsWith(OURS) && !path.includes("/node_modules/")) return path
  }
  return undefined
}

const oneLine = (message: string): string => message.split("\n")[0]!.replace(/\.$/, "")

const notFound = (message: string, file: string): Failure => {
  const pattern = /Cannot find (module|package) '([^']+)' imported from (.+)/
  const [, kind = "", name = "", from = file] = pattern.exec(message) ?? []
  const importer = asPath(from)
  const said = `${Path.basename(importer)} imports`
  if (kind === "package") {
    const fix = `npm install ${name} in ${Path.dirname(file)}`
    return configuration(`${said} the package "${name}", which is not installed.`, fix)
  }
  const missing = Path.relative(Path.dirname(importer), name)
  const fix = Path.extname(missing) === ""
    ? `write the import with the file's extension, as in "./${missing}.ts"`
    : `see ${importer}`
  return configuration(`${said} "${missing}", which does not exist.`, fix)
}

const byCode = (code: string, name: string, message: string, at: string): Failure | undefined => {
  switch (code) {
    case "ERR_INVALID_TYPESCRIPT_SYNTAX":
      return configuration(`${name} does not parse: ${message.split(". Expected")[0]}.`, `see ${at}`)
    case "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX":
      return configuration(
        `${name} cannot be run without a build: ${message}.`,
        `write it without syntax that needs a compiler (enum, namespace, parameter properties); see ${at}`
      )
    case "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING":
      return configuration(
        `${name} is or imports TypeScript in node_modules, where Node does not read it.`,
        "import the package's JavaScript, or move the file out of node_modules"
      )
    case "ERR_UNKNOWN_FILE_EXTENSION":
      return configuration(`${name} is no file that can be imported: ${message}.`, "use .ts, .mts, .js or .mjs")
    case "ERR_PACKAGE_PATH_NOT_EXPORTED":
      return configuration(`${name} imports what a package does not export: ${message}.`, `see ${at}`)
  }
  return undefined
}

const EARLY = /^Cannot access '(.+)' before initialization$/
const UNEXPORTED = /^The requested module '(.+)' does not provide an export named '(.+)'$/

/** Errors that Node knows by their words alone. */
const byWords = (name: string, message: string, at: string): Failure | undefined => {
  const early = EARLY.exec(message)?.[1]
  if (early !== undefined) {
    return configuration(
      `${name} uses "${early}" before it is declared: do files import each other's assets in a circle?`,
      `move what both need into a third file; see ${at}`
    )
  }
  const [, module, symbol] = UNEXPORTED.exec(message) ?? []
  return symbol === undefined
    ? undefined
    : configuration(`${name} imports "${symbol}" from "${module}", which does not export it.`, `see ${at}`)
}

/** The failure of a command, whatever the import of `file` threw. */
export const fromError = (error: unknown, file: string): Failure => {
  const at = place(error) ?? file
  if (error instanceof DefinitionError) return configuration(error.problems, `see ${at}`)
  if (error instanceof NoSuchModule) {
    const importer = asPath(error.importer)
    return configuration(
      `${Path.basename(importer)} imports "${error.specifier}", which does not exist.`,
      `see ${importer}`
    )
  }
  const name = Path.basename(at.replace(/:\d+$/, ""))
  const message = CauseText.clean(oneLine(text(error, "message") || String(error)))
  const code = text(error, "code")
  const known = code === "ERR_MODULE_NOT_FOUND" ? notFound(message, file) : byCode(code, name, message, at)
  if (known !== undefined) return known
  const kind = text(error, "name")
  const worded = byWords(name, message, at)
  if (worded !== undefined) return worded
  if (kind === "SyntaxError") return configuration(`${name} does not parse: ${message}.`, `see ${at}`)
  // A plain Error was written for people, as that of a wrong cron is; the others are Node's and want their name.
  const said = kind === "" || kind === "Error" || Predicate.isTagged(error, kind) ? message : `${kind}: ${message}`
  return configuration(`${name} ends with an error: ${said}.`, `see ${at}`)
}
