/** Writes the golden file of time windows. Run it when declarations are added; a change of other lines is a bug. */
import * as Fs from "node:fs"
import { HEADER, lines } from "../test/runtime/partition/golden/Lines.ts"

const file = new URL("../test/runtime/partition/golden/windows.tsv", import.meta.url)
const text = [HEADER, ...lines()]
Fs.writeFileSync(file, `${text.join("\n")}\n`)
console.log(`${text.length - 1} windows`)
