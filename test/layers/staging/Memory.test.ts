import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Memory from "../../../src/layers/staging/Memory.ts"
import { suite, Tables } from "./BarStoreSuite.ts"

const tables = Memory.makeTables()

const look = Layer.succeed(Tables, {
  history: (symbol) =>
    Effect.sync(() =>
      tables.history.filter((row) => row.symbol === symbol).map(({ change, close, payload, session, ts }) => ({
        ts,
        change,
        close,
        session,
        payload
      }))
    ),
  quarantined: (symbol) =>
    Effect.sync(() =>
      tables.quarantined.filter((row) => row.symbol === symbol).map(({ raw, reason, session, ts }) => ({
        session,
        ts,
        reason,
        raw
      }))
    ),
  sources: (symbol) =>
    Effect.sync(() => [
      ...new Set([...tables.bars.values()].filter((row) => row.symbol === symbol).map(({ source }) => source))
    ])
})

suite("the staging area in memory", Layer.merge(Memory.layerMemory(tables), look))
