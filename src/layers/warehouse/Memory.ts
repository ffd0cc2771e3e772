/** A warehouse in memory: what `Postgres.ts` does, on plain maps. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { allocate, type Bars } from "../bars/Bars.ts"
import * as Load from "./Load.ts"
import { type LoadPartition, Warehouse, WarehouseError } from "./Warehouse.ts"

/** What was loaded last, per symbol and session. */
export type Loads = Map<string, LoadPartition>

export const nameOf = (symbol: string, session: string): string => `${symbol}/${session}`

/** `loads` lets a test look inside. */
export const layerMemory = (loads: Loads = new Map()): Layer.Layer<Warehouse> =>
  Layer.sync(Warehouse, () =>
    Warehouse.of({
      location: "memory",
      replace: (partitions) =>
        Effect.suspend(() => {
          const text = Load.violation(partitions)
          if (text === undefined) return Effect.succeed(replace(loads, partitions))
          const subject = Load.subject(partitions)
          return Effect.fail(new WarehouseError({ operation: "replace", subject, reason: Load.refused(text) }))
        })
    }))

const replace = (loads: Loads, partitions: ReadonlyArray<LoadPartition>) => {
  const deleted = partitions.map(({ session, symbol }) => loads.get(nameOf(symbol, session))?.bars.length ?? 0)
  for (const partition of partitions) loads.set(nameOf(partition.symbol, partition.session), partition)
  for (const partition of partitions) takeOver(loads, partition)
  return partitions.map(({ bars: { length } }, at) => ({ rows: length, inserted: length, deleted: deleted[at]! }))
}

/** An instant that lies under another session moves to the new partition. */
const takeOver = (loads: Loads, { bars, interval, session, symbol }: LoadPartition): void => {
  const taken = new Set(bars.ts)
  for (const [name, other] of loads) {
    if (other.symbol !== symbol || other.interval !== interval || other.session === session) continue
    if (other.bars.ts.some((ts) => taken.has(ts))) loads.set(name, { ...other, bars: without(other.bars, taken) })
  }
}

const without = (bars: Bars, taken: ReadonlySet<number>): Bars => {
  const rows = [...bars.ts.keys()].filter((at) => !taken.has(bars.ts[at]!))
  const rest = allocate(rows.length)
  for (const column of ["ts", "open", "high", "low", "close", "volume"] as const) {
    for (let at = 0; at < rows.length; at++) rest[column][at] = bars[column][rows[at]!]!
  }
  return rest
}
