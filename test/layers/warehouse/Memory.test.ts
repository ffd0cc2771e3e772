import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Memory from "../../../src/layers/warehouse/Memory.ts"
import { suite, Tables } from "./WarehouseSuite.ts"

const loads: Memory.Loads = new Map()

const look = Layer.succeed(Tables, {
  bars: (symbol, session) =>
    Effect.sync(() => {
      const bars = loads.get(Memory.nameOf(symbol, session))?.bars
      return { rows: bars?.length ?? 0, volume: bars?.volume.reduce((sum, one) => sum + one, 0) ?? 0 }
    }),
  ledger: (symbol) =>
    Effect.sync(() =>
      [...loads.values()].filter((load) => load.symbol === symbol).map(({ bars, contentHash, session }) => ({
        session,
        rows: bars.length,
        contentHash
      }))
    )
})

suite("a warehouse in memory", Layer.merge(Memory.layerMemory(loads), look))
