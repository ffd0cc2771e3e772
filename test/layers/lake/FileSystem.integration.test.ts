import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Process from "node:process"
import * as FileSystem from "../../../src/layers/lake/FileSystem.ts"
import { ObjectStore } from "../../../src/layers/lake/ObjectStore.ts"
import { temporaryDirectory } from "../../support/EmbeddedDatabase.ts"
import { suite } from "./ObjectStoreSuite.ts"
import { suite as publicationSuite } from "./PublicationSuite.ts"

const layer = Layer.unwrap(Effect.map(temporaryDirectory, FileSystem.layer))

suite("objects as files", layer)
publicationSuite("published as files", layer)

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const inTemporary = <A, E>(
  use: (store: ObjectStore["Service"], root: string) => Effect.Effect<A, E>
) =>
  Effect.gen(function*() {
    const root = yield* temporaryDirectory
    const store = yield* Effect.provide(Effect.service(ObjectStore), FileSystem.layer(root))
    return yield* use(store, root)
  })

it.effect("the location is a URL", () =>
  inTemporary((store, root) => Effect.sync(() => expect(store.location).toBe(`file://${root}`))))

it.effect("removing the last file removes the directories, never the root", () =>
  inTemporary((store, root) =>
    Effect.gen(function*() {
      yield* store.put("a/b/c/x", bytes("x"))
      yield* store.put("a/y", bytes("y"))
      yield* store.remove("a/b/c/x")
      expect(Fs.readdirSync(Path.join(root, "a"))).toEqual(["y"])
      yield* store.remove("a/y")
      expect(Fs.readdirSync(root)).toEqual([])
    })
  ))

it.effect("what crashed writers left is not listed and goes away with the next put", () =>
  inTemporary((store, root) =>
    Effect.gen(function*() {
      const host = encodeURIComponent(Os.hostname())
      const dead = `.${host}.999999999.1.tmp`
      const earlier = `.${host}.${Process.pid}.987654321.tmp`
      const alive = `.${host}.${Process.ppid}.1.tmp`
      const elsewhere = `.other-host.1.1.tmp`
      yield* store.put("a/x", bytes("x"))
      for (const name of [dead, earlier, alive, elsewhere]) Fs.writeFileSync(Path.join(root, "a", name), "half")
      expect(yield* store.list("")).toEqual(["a/x"])
      yield* store.put("a/x", bytes("x"))
      expect(Fs.readdirSync(Path.join(root, "a")).sort()).toEqual([alive, elsewhere, "x"].sort())
    })
  ))

it.effect("what lies behind a link is listed, and a link that leads nowhere or back is not followed", () =>
  inTemporary((store, root) =>
    Effect.gen(function*() {
      const elsewhere = yield* temporaryDirectory
      Fs.mkdirSync(Path.join(elsewhere, "b"))
      yield* store.put("a/x", bytes("x"))
      Fs.symlinkSync(elsewhere, Path.join(root, "a", "linked"))
      yield* store.put("a/linked/b/y", bytes("y"))
      Fs.symlinkSync(Path.join(elsewhere, "b", "y"), Path.join(root, "a", "z"))
      Fs.symlinkSync(Path.join(root, "nowhere"), Path.join(root, "a", "nowhere"))
      Fs.symlinkSync(root, Path.join(elsewhere, "back"))
      expect(yield* store.list("a/")).toEqual(["a/linked/b/y", "a/x", "a/z"])
    }).pipe(Effect.scoped)
  ))

it.effect("a file where a directory should be is said with its path", () =>
  inTemporary((store, root) =>
    Effect.gen(function*() {
      yield* store.put("a", bytes("x"))
      const error = yield* Effect.flip(store.put("a/b", bytes("y")))
      expect(error.reason._tag).toBe("Failed")
      expect(error.message).toContain(Path.join(root, "a"))
      const lacking = yield* Effect.flip(store.get("a/b"))
      expect(lacking.reason._tag).toBe("NotFound")
      yield* store.remove("a/b")
    })
  ))

it.effect.skipIf(Process.geteuid?.() === 0)(
  "a directory that must not be written is said to be so",
  () =>
    inTemporary((store, root) =>
      Effect.gen(function*() {
        Fs.chmodSync(root, 0o555)
        const error = yield* Effect.flip(store.put("a/x", bytes("x")))
        Fs.chmodSync(root, 0o755)
        expect(error.reason._tag).toBe("Denied")
        expect(error.message).toContain(root)
      })
    )
)

it.effect("a root that cannot be made is an error of the layer", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Effect.scoped(Layer.build(FileSystem.layer("/dev/null/lake"))))
    expect(error).toMatchObject({ operation: "open" })
    expect(error.message).toContain("/dev/null")
  }))
