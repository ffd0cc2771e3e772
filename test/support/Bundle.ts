/** A program as one bundle, for tests that start it many times: a tenth of the time to start. */
import * as Effect from "effect/Effect"
import * as Path from "node:path"
import { rolldown } from "rolldown"
import { temporaryDirectory } from "./EmbeddedDatabase.ts"

/** The path of the bundle, which is gone when the scope closes. */
export const make = Effect.fnUntraced(function*(entry: string) {
  const dir = yield* temporaryDirectory
  yield* Effect.promise(async () => {
    const bundle = await rolldown({ input: { main: entry }, platform: "node", onLog: () => {} })
    await bundle.write({ dir, format: "esm", entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" })
    await bundle.close()
  })
  return Path.join(dir, "main.mjs")
})
