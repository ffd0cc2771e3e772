import { expect, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"

const RELOAD = Path.join(import.meta.dirname, "fixture/reload.ts")

const DEFINITIONS = `import * as Asset from "barograph/Asset"
import * as AssetGraph from "barograph/AssetGraph"
import * as Effect from "effect/Effect"
import { words } from "./words.ts"
export default AssetGraph.make(Asset.make("one", { description: words }, () => Effect.void))
`

const words = (text: string): string => `export const words = "${text}"\n`

it(
  "definitions are read again when a file that they import changes; one that breaks is a sentence until it is mended",
  () => {
    const directory = NodeFs.mkdtempSync(Path.join(Os.tmpdir(), "barograph-reload-"))
    const [file, imported] = [Path.join(directory, "definitions.ts"), Path.join(directory, "words.ts")]
    NodeFs.writeFileSync(file, DEFINITIONS)
    NodeFs.writeFileSync(imported, words("first"))
    const edits = [
      { path: imported, text: words("second") },
      { path: file, text: DEFINITIONS.replace("export default", "export const graph =") },
      { path: file, text: DEFINITIONS },
      { path: imported, text: words("third") }
    ]
    try {
      const output = ChildProcess.execFileSync(process.execPath, [RELOAD, file, JSON.stringify(edits)], {
        encoding: "utf8"
      })
      expect(JSON.parse(output)).toEqual([
        "first",
        "second",
        "definitions.ts has no default export.",
        "second",
        "third"
      ])
    } finally {
      NodeFs.rmSync(directory, { recursive: true })
    }
  },
  60_000
)
