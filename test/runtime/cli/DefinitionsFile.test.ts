import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as DefinitionsFile from "../../../src/runtime/cli/DefinitionsFile.ts"

const LOAD = Path.join(import.meta.dirname, "fixture/load.ts")

const IMPORTS = `import * as Asset from "barograph/Asset"
import * as AssetGraph from "barograph/AssetGraph"
import * as Definitions from "barograph/Definitions"
import * as Effect from "effect/Effect"
const a = Asset.make("a", {}, () => Effect.void)
const b = Asset.make("b", { deps: { a } }, () => Effect.void)
`

const CIRCLE = "Object.assign(a.dependencies, { b: { asset: b, mapping: {} } })\n"

interface Case {
  readonly file: string
  readonly text: string
  readonly says: string
  readonly fix: string
}

/** Each file that cannot be used, its one sentence, and the fix; `$` is the directory. */
const cases: ReadonlyArray<Case> = [
  {
    file: "nothing.ts",
    text: "export const graph = 1\n",
    says: "nothing.ts has no default export.",
    fix: "export default Definitions.make({ graph: AssetGraph.make(…) })"
  },
  {
    file: "three.ts",
    text: "export default 3\n",
    says: "The default export of three.ts is neither definitions nor a graph.",
    fix: "export default Definitions.make({ graph: AssetGraph.make(…) })"
  },
  {
    file: "syntax.ts",
    text: "export const a: = 3\n",
    says: "syntax.ts does not parse: Unexpected token `=`.",
    fix: "see $/syntax.ts:1"
  },
  {
    file: "enumerated.ts",
    text: "enum A { x }\nexport default A\n",
    says: "enumerated.ts cannot be run without a build: TypeScript enum is not supported in strip-only mode.",
    fix: "write it without syntax that needs a compiler (enum, namespace, parameter properties); see $/enumerated.ts:1"
  },
  {
    file: "within.ts",
    text: "import x from \"./syntax.ts\"\nexport default x\n",
    says: "syntax.ts does not parse: Unexpected token `=`.",
    fix: "see $/syntax.ts:1"
  },
  {
    file: "unexported.ts",
    text: "import { graph } from \"./three.ts\"\nexport default graph\n",
    says: "unexported.ts imports \"graph\" from \"./three.ts\", which does not export it.",
    fix: "see $/unexported.ts:1"
  },
  {
    file: "gone.ts",
    text: "import \"./missing.ts\"\n",
    says: "gone.ts imports \"missing.ts\", which does not exist.",
    fix: "see $/gone.ts"
  },
  {
    file: "bare.ts",
    text: "import \"./three\"\n",
    says: "bare.ts imports \"three\", which does not exist.",
    fix: "write the import with the file's extension, as in \"./three.ts\""
  },
  {
    file: "package.ts",
    text: "import \"not-installed-anywhere/x\"\n",
    says: "package.ts imports the package \"not-installed-anywhere\", which is not installed.",
    fix: "npm install not-installed-anywhere in $"
  },
  {
    file: "module.ts",
    text: "import \"barograph/Nothing\"\n",
    says: "module.ts imports \"barograph/Nothing\", which does not exist.",
    fix: "see $/module.ts"
  },
  {
    file: "effect.ts",
    text: "import \"effect/Nothing\"\n",
    says: "effect.ts imports \"effect/Nothing\", which does not exist.",
    fix: "see $/effect.ts"
  },
  {
    file: "throws.ts",
    text:
      "const cron: (text: string) => never = (text) => { throw new Error(`\"${text}\" is no cron: minutes go to 59.`) }\nexport default cron(\"61 * * * *\")\n",
    says: "throws.ts ends with an error: \"61 * * * *\" is no cron: minutes go to 59.",
    fix: "see $/throws.ts:1"
  },
  {
    file: "sensor.ts",
    text:
      "import * as Sensor from \"barograph/Sensor\"\nexport default Sensor.make(\"new_files\", { every: \"soon\" }, null!)\n",
    says:
      "sensor.ts ends with an error: Sensor \"new_files\" cannot be declared so: every is \"soon\": expected a time of a millisecond or more, such as \"5 minutes\".",
    fix: "see $/sensor.ts:2"
  },
  {
    file: "secret.ts",
    text: "throw new Error(\"no answer of postgres://etl:s3cret@db/bars\")\n",
    says: "secret.ts ends with an error: no answer of postgres://etl:***@db/bars.",
    fix: "see $/secret.ts:1"
  },
  {
    file: "mistake.ts",
    text: "const nothing: { x: number } = null!\nexport default nothing.x\n",
    says: "mistake.ts ends with an error: TypeError: Cannot read properties of null (reading 'x').",
    fix: "see $/mistake.ts:2"
  },
  {
    file: "one.ts",
    text: "import { two } from \"./two.ts\"\nexport const one = [two]\nexport default one\n",
    says: "two.ts uses \"one\" before it is declared: do files import each other's assets in a circle?",
    fix: "move what both need into a third file; see $/two.ts:2"
  },
  {
    file: "circle.ts",
    text: `${IMPORTS}${CIRCLE}export default AssetGraph.make(b)\n`,
    says: "Assets depend on each other in a circle: \"b\" reads \"a\" reads \"b\". Take one of these dependencies out.",
    fix: "see $/circle.ts:8"
  },
  {
    file: "afterwards.ts",
    text: `${IMPORTS}const graph = AssetGraph.make(b)\n${CIRCLE}export default graph\n`,
    says: "Assets depend on each other in a circle: \"a\" reads \"b\" reads \"a\". Take one of these dependencies out.",
    fix: "see $/afterwards.ts"
  },
  {
    file: "several.ts",
    text:
      `${IMPORTS}export default AssetGraph.make(Asset.make("a", {}, () => Effect.void), b, Asset.make("B", {}, () => Effect.void))\n`,
    says:
      "2 problems\n  Two assets are named \"a\": rename one of them.\n  Asset name \"B\" must be lower case letters, digits and \"_\", beginning with a letter.",
    fix: "see $/several.ts:7"
  },
  {
    file: "numbers.ts",
    text: `${IMPORTS}export default Definitions.make({ graph: AssetGraph.make(b), pools: { api: 0 } })\n`,
    says: "Pool \"api\" is 0: write a whole number from 1 on.",
    fix: "see $/numbers.ts"
  }
]

const good: ReadonlyArray<readonly [file: string, text: string]> = [
  ["graph.ts", `${IMPORTS}export default AssetGraph.make(b)\n`],
  ["definitions.mts", `${IMPORTS}export default Definitions.make({ graph: AssetGraph.make(b) })\n`],
  ["plain.js", `${IMPORTS}export default AssetGraph.make(b)\n`]
]

const directory = NodeFs.mkdtempSync(Path.join(Os.tmpdir(), "barograph-definitions-"))
const at = (file: string): string => Path.join(directory, file)

type Said = { readonly exitCode?: number; readonly message?: string; readonly fix?: string; readonly assets?: unknown }
const said = new Map<string, Said>()

beforeAll(() => {
  for (const { file, text } of cases) NodeFs.writeFileSync(at(file), text)
  for (const [file, text] of good) NodeFs.writeFileSync(at(file), text)
  NodeFs.writeFileSync(at("two.ts"), "import { one } from \"./one.ts\"\nexport const two = [one]\n")
  const files = [...cases.map(({ file }) => file), ...good.map(([file]) => file), "absent.ts", "."]
  const output = ChildProcess.execFileSync(process.execPath, [LOAD, ...files.map(at)], { encoding: "utf8" })
  const found = JSON.parse(output) as ReadonlyArray<Said>
  files.forEach((file, index) => said.set(file, found[index]!))
})
afterAll(() => NodeFs.rmSync(directory, { recursive: true, force: true }))

describe("a file that cannot be used ends in one sentence with a fix", () => {
  it.each(cases)("$file: $says", ({ file, fix, says }) => {
    expect(said.get(file)).toEqual({ exitCode: 3, message: says, fix: fix.replace("$", directory) })
  })

  it("a file that is not there, and a directory", () => {
    expect(said.get("absent.ts")?.message).toBe(`There is no definitions file ${at("absent.ts")}.`)
    expect(said.get(".")?.message).toBe(`${directory} is no file.`)
  })
})

it.each(good)("%s is loaded, though neither effect nor barograph is installed beside it", (file) => {
  expect(said.get(file)).toEqual({ assets: ["a", "b"] })
})

describe("which file it is", () => {
  const find = (flag: string | undefined, setting: string | undefined, manifest: string | undefined) => {
    const place = NodeFs.mkdtempSync(Path.join(directory, "place-"))
    if (manifest !== undefined) NodeFs.writeFileSync(Path.join(place, "package.json"), manifest)
    const found = Effect.runSync(Effect.result(DefinitionsFile.find({ flag, setting }, place)))
    return found._tag === "Success" ? found.success?.replace(place, "$") : found.failure.message
  }
  const field = "{\"barograph\":{\"definitions\":\"src/graph.ts\"}}"

  it("the flag goes before the environment, and that before package.json", () => {
    expect(find("a.ts", "b.ts", field)).toBe("$/a.ts")
    expect(find(undefined, "b.ts", field)).toBe("$/b.ts")
    expect(find(undefined, undefined, field)).toBe("$/src/graph.ts")
    expect(find("/elsewhere/a.ts", undefined, field)).toBe("/elsewhere/a.ts")
  })

  it("none of them means the bundled graph", () => {
    for (const manifest of [undefined, "{}", "[]", "not json", "null"]) {
      expect(find(undefined, undefined, manifest)).toBeUndefined()
    }
  })

  it("a field that does not say where is refused", () => {
    for (
      const manifest of ["{\"barograph\":{}}", "{\"barograph\":\"graph.ts\"}", "{\"barograph\":{\"definitions\":1}}"]
    ) {
      expect(find(undefined, undefined, manifest)).toBe(
        "The field \"barograph\" of package.json does not say where the definitions are."
      )
    }
  })
})
