/** A throw-away embedded PostgreSQL in a temporary state directory, removed when the scope closes. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NodeFs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Database from "../../src/layers/database/Database.ts"

/** A directory of its own under the system's temporary one. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.promise(() => NodeFs.mkdtemp(Path.join(Os.tmpdir(), "barograph-test-"))),
  (directory) => Effect.promise(() => NodeFs.rm(directory, { recursive: true, force: true }))
)

export const layer = Layer.unwrap(Effect.map(temporaryDirectory, (home) => Database.layer({ home, url: undefined })))
