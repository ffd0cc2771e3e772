/** The derived tables as maps, for tests. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DerivedStore, type SessionBar, type SessionCoverage, type SessionKey } from "./DerivedStore.ts"

/** By `SYMBOL/YYYY-MM-DD`. */
export interface Tables {
  readonly sessionBars: Map<string, SessionBar>
  readonly coverage: Map<string, SessionCoverage>
}

export const makeTables = (): Tables => ({ sessionBars: new Map(), coverage: new Map() })

const keyOf = ({ session, symbol }: SessionKey): string => `${symbol}/${session}`

export const layerMemory = (tables: Tables = makeTables()): Layer.Layer<DerivedStore> =>
  Layer.succeed(DerivedStore, {
    putSessionBars: (rows) =>
      Effect.sync(() => {
        for (const row of rows) {
          if (row.summary === null) tables.sessionBars.delete(keyOf(row))
          else tables.sessionBars.set(keyOf(row), row)
        }
      }),
    putCoverage: (symbol, month, rows) =>
      Effect.sync(() => {
        for (const key of tables.coverage.keys()) if (key.startsWith(`${symbol}/${month}-`)) tables.coverage.delete(key)
        for (const row of rows) tables.coverage.set(keyOf(row), row)
      })
  })
