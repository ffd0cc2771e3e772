/** Everything that a warehouse in PostgreSQL, or in the database behind a stand-in, holds of a symbol. */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { contentHash } from "../../src/layers/bars/Bars.ts"
import type { LoadPartition } from "../../src/layers/warehouse/Warehouse.ts"

export interface Held {
  /** Session, epoch milliseconds, then open to volume. */
  readonly bars: ReadonlyArray<readonly [string, number, number, number, number, number, number]>
  readonly ledger: ReadonlyArray<readonly [session: string, rows: number, contentHash: string]>
  /** Rows in the stage table, whoever's they are. */
  readonly staged: number
}

/** Of one moment: a load that ends meanwhile is there or is not. */
export const held = Effect.fnUntraced(function*(symbol: string) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql.withTransaction(Effect.andThen(sql`set transaction isolation level repeatable read`, read(symbol)))
}, Effect.orDie)

const read = Effect.fnUntraced(function*(symbol: string) {
  const sql = yield* SqlClient.SqlClient
  const bars = yield* sql`select session::text, extract(epoch from ts)::float8 * 1000, open, high, low, close, volume
    from warehouse.bars where symbol = ${symbol} order by ts, session`.values
  const ledger = yield* sql`select session::text, rows::int4, content_hash from warehouse.bar_loads
    where symbol = ${symbol} order by session`.values
  const [staged] = yield* sql<{ count: number }>`select count(*)::int4 as count from warehouse.bar_stage`
  return { bars, ledger, staged: staged!.count } as unknown as Held
})

/** What is to be held when exactly these were loaded. */
export const expected = (partitions: ReadonlyArray<LoadPartition>): Held => ({
  bars: partitions.flatMap(({ bars, session }) =>
    Array.from(
      bars.ts,
      (ts, at) =>
        [session, ts, bars.open[at]!, bars.high[at]!, bars.low[at]!, bars.close[at]!, bars.volume[at]!] as const
    )
  ),
  ledger: partitions.map(({ bars, session }) => [session, bars.length, contentHash(bars)] as const),
  staged: 0
})
