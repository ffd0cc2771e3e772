import { execFile } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
import { basename, join, resolve } from "node:path"
import { describe, expect, it } from "vitest"

const folder = import.meta.dirname
const tsc = resolve(folder, "../../node_modules/.bin/tsc")

interface Diagnostic {
  readonly file: string
  readonly line: number
  /** The whole message: the first line and the indented ones that explain it. */
  readonly message: string
}

const compile = () =>
  new Promise<ReadonlyArray<Diagnostic>>((done, fail) => {
    execFile(tsc, ["-p", folder, "--pretty", "false"], { cwd: folder, maxBuffer: 1e8 }, (_, stdout, stderr) => {
      const found: Array<{ file: string; line: number; message: string }> = []
      for (const line of stdout.split("\n")) {
        const start = /^(.+)\((\d+),\d+\): error (TS\d+: .*)$/.exec(line)
        if (start !== null) {
          found.push({ file: basename(start[1]!), line: Number(start[2]), message: start[3]! })
        } else if (line.startsWith(" ") && found.length > 0) {
          found.at(-1)!.message += `\n${line}`
        } else if (line.trim() !== "") {
          return fail(new Error(`tsc: ${line}\n${stderr}`))
        }
      }
      if (stderr !== "") return fail(new Error(stderr))
      done(found)
    })
  })

const files = globSync("*.fixture.ts", { cwd: folder }).sort()

describe("type errors are the ones announced", async () => {
  const diagnostics = await compile()
  it("there are fixtures, and no error outside them", () => {
    expect(files.length).toBeGreaterThan(0)
    expect(diagnostics.filter((diagnostic) => !files.includes(diagnostic.file))).toEqual([])
  })
  it.each(files)("%s", (file) => {
    const problems: Array<string> = []
    const ours = diagnostics.filter((diagnostic) => diagnostic.file === file)
    const lines = readFileSync(join(folder, file), "utf8").split("\n")
    lines.forEach((text, index) => {
      const at = ours.filter((diagnostic) => diagnostic.line === index + 1)
      const wanted = text.split("// ~").slice(1).map((part) => part.trim())
      if (text.trimStart().startsWith("// ")) return
      for (const part of wanted) {
        if (part === "") problems.push(`${file}:${index + 1}: a "// ~" comment without text`)
        else if (!at.some((diagnostic) => diagnostic.message.includes(part))) {
          const instead = at.map((diagnostic) => diagnostic.message).join("\n") || "none"
          problems.push(`${file}:${index + 1}: no error says "${part}"; reported: ${instead}`)
        }
      }
      for (const diagnostic of at) {
        if (!wanted.some((part) => part !== "" && diagnostic.message.includes(part))) {
          problems.push(`${file}:${index + 1}: not announced: ${diagnostic.message}`)
        }
      }
    })
    expect(problems.join("\n")).toBe("")
  })
})
