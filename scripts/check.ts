/** Runs every static check and reports all failures, not the first one only. `npm run check -- lint knip` runs some. */
import { spawn } from "node:child_process"
import { join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "..")

const checks: ReadonlyArray<readonly [name: string, command: string, args: ReadonlyArray<string>]> = [
  ["types", "tsc", ["-p", "."]],
  ["effect", "effect-tsgo", [
    "diagnostics",
    "--project",
    join(root, "tsconfig.json"),
    "--format",
    "text",
    "--severity",
    "error,warning",
    "--strict"
  ]],
  ["lint", "oxlint", ["--deny-warnings"]],
  ["format", "dprint", ["check"]],
  ["unused", "knip", ["--no-progress"]]
]

const run = (command: string, args: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number; readonly output: string }>((done) => {
    const child = spawn(join(root, "node_modules/.bin", command), args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"]}` }
    })
    let output = ""
    child.stdout.on("data", (chunk) => (output += chunk))
    child.stderr.on("data", (chunk) => (output += chunk))
    child.on("error", (error) => done({ code: 1, output: error.message }))
    child.on("close", (code) => done({ code: code ?? 1, output }))
  })

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !checks.some((check) => check[0] === name))
if (unknown.length > 0) {
  console.error(`check: unknown: ${unknown.join(", ")}; there are ${checks.map((check) => check[0]).join(", ")}`)
  process.exit(2)
}

const failed: Array<string> = []
for (const [name, command, args] of checks) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const started = performance.now()
  const { code, output } = await run(command, args)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`)
  if (code !== 0) {
    failed.push(name)
    console.log(output.trimEnd())
  }
}
console.log(failed.length === 0 ? "check: all passed" : `check: failed: ${failed.join(", ")}`)
process.exitCode = failed.length === 0 ? 0 : 1
