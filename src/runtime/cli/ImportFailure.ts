/** What went wrong while a definitions file was imported, in one sentence, and where. Pure. */
import * as Predicate from "effect/Predicate"
import * as Path from "node:path"
import * as Url from "node:url"
import { DefinitionError } from "../asset/AssetGraph.ts"
import { configuration, type Failure } from "./Failure.ts"

const text = (error: unknown, field: string): string =>
  Predicate.hasProperty(error, field) && typeof error[field] === "string" ? error[field] : ""

const asPath = (file: string): string => file.startsWith("file://") ? Url.fileURLToPath(file) : file

const OURS = /\/node_modules\/|^node:|\/barograph\/(lib|dist|src)\//

/** The first place of the stack that is neither Node's, nor a package's, nor ours: `/path/file.ts:12`. */
const place = (error: unknown): string | undefined => {
  for (const line of text(error, "stack").split("\n")) {
    const found = /^(?:\s+at (?:.* \()?)?((?:file:\/\/)?\/[^():]+:\d+)(?::\d+\)?)?$/.exec(line)?.[1]
    if (found !== undefined && !OURS.test(found)) return asPath(found)
  }
  return undefined
}

const oneLine = (message: string): string => message.split("\n")[0]!.replace(/\.$/, "")

const notFound = (message: string, file: string): Failure => {
  const [, kind = "", name = "", from = file] =
    /Cannot find (module|package) '([^']+)' imported from (.+)/.exec(message)
      ?? []
  const importer = Path.relative(Path.dirname(file), asPath(from))
  if (kind === "package") {
    const directory = Path.dirname(file)
    return configuration(
      `${importer} imports the package "${name}", which is not installed.`,
      `npm install ${name} in ${directory}`
    )
  }
  const missing = Path.relative(Path.dirname(asPath(from)), name)
  const bare = Path.extname(missing) === ""
  return configuration(
    `${importer} imports "${missing}", which does not exist.`,
    bare ? `write the import with the file's extension, as in "./${missing}.ts"` : `see ${asPath(from)}`
  )
}

const byCode = (error: unknown, file: string, at: string): Failure | undefined => {
  const name = Path.basename(file)
  const message = oneLine(text(error, "message"))
  switch (text(error, "code")) {
    case "ERR_MODULE_NOT_FOUND":
      return notFound(message, file)
    case "ERR_INVALID_TYPESCRIPT_SYNTAX":
      return configuration(`${name} does not parse: ${message}.`, `see ${at}`)
    case "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX":
      return configuration(
        `${name} cannot be run without a build: ${message}.`,
        `write it without syntax that needs a compiler (enum, namespace, parameter properties); see ${at}`
      )
    case "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING":
      return configuration(
        `${name} imports TypeScript from node_modules, where Node does not read it.`,
        "import the package's JavaScript, or move the file out of node_modules"
      )
    case "ERR_UNKNOWN_FILE_EXTENSION":
      return configuration(`${name} is no file that can be imported: ${message}.`, "use .ts, .mts, .js or .mjs")
    case "ERR_PACKAGE_PATH_NOT_EXPORTED":
      return configuration(`${name} imports what a package does not export: ${message}.`, `see ${at}`)
  }
  return undefined
}

const CIRCLE = /^Cannot access '(.+)' before initialization$/

/** The failure of a command, whatever the import of `file` threw. */
export const fromError = (error: unknown, file: string): Failure => {
  const at = place(error) ?? file
  if (error instanceof DefinitionError) return configuration(error.problems, `see ${at}`)
  const known = byCode(error, file, at)
  if (known !== undefined) return known
  const name = Path.basename(file)
  const message = oneLine(text(error, "message") || String(error))
  const early = CIRCLE.exec(message)?.[1]
  if (early !== undefined) {
    return configuration(
      `"${early}" is used before it is declared: do files import each other's assets in a circle?`,
      `see ${at}; move what both need into a third file`
    )
  }
  const kind = text(error, "name")
  if (kind === "SyntaxError") return configuration(`${name} does not parse: ${message}.`, `see ${at}`)
  // A plain Error was written for people, as a wrong cron is; the others are Node's and want their name.
  const said = kind === "" || kind === "Error" || Predicate.isTagged(error, kind) ? message : `${kind}: ${message}`
  return configuration(`${name} ends with an error: ${said}.`, `see ${at}`)
}
