import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Memory from "../../../src/layers/derived/Memory.ts"
import { suite, Tables } from "./DerivedStoreSuite.ts"

const tables = Memory.makeTables()

const look = Layer.succeed(Tables, {
  sessionBars: Effect.sync(() =>
    [...tables.sessionBars.values()].map(({ session, summary }) => ({ session, vwap: summary!.vwap }))
      .sort((a, b) => a.session < b.session ? -1 : 1)
  ),
  coverage: Effect.sync(() =>
    [...tables.coverage.values()].map(({ longestFrom, present, session }) => ({ session, present, longestFrom }))
      .sort((a, b) => a.session < b.session ? -1 : 1)
  )
})

suite("derived tables in memory", Layer.merge(Memory.layerMemory(tables), look))
