/**
 * What `bin/barograph` starts: chooses which build of the program runs, and turns on V8's compile cache.
 *
 * `dist/app.js` is one bundle with Effect inside: it starts at once, and serves the bundled graph. A definitions file
 * imports `effect` and `barograph/…` itself, and both sides must hold the same copies of them: then the program runs
 * from `lib/`, whose modules import `effect` from outside. In doubt, `lib/` is right; it only starts later.
 */
import * as Module from "node:module"
import * as Url from "node:url"
import * as PackageField from "./runtime/cli/PackageField.ts"

const QUICK = new Set(["--help", "-h", "--version", "-v", "--completions"])

const args = process.argv.slice(2)
const isQuick = args.length === 0 || args[0] === "init" || args.some((arg) => QUICK.has(arg))
// From Node itself: Effect, which would read the environment, is in whichever build is chosen here.
const isOwn = args.some((arg) => arg === "--definitions" || arg.startsWith("--definitions=")) ||
  (process.env["BAROGRAPH_DEFINITIONS"] ?? "") !== "" ||
  PackageField.read(process.cwd()) !== undefined

Module.enableCompileCache(Url.fileURLToPath(new URL("../dist/.cache", import.meta.url)))
await import(new URL(isOwn && !isQuick ? "../lib/main.js" : "../dist/app.js", import.meta.url).href)
