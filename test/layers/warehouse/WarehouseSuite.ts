/** What every `Warehouse` does. Each test has a symbol of its own, so they share a warehouse. */
import { expect, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { type Bars, contentHash, empty } from "../../../src/layers/bars/Bars.ts"
import { type LoadPartition, Warehouse } from "../../../src/layers/warehouse/Warehouse.ts"
import * as TestBars from "../../support/TestBars.ts"

/** The tables that the service itself does not show. */
export class Tables extends Context.Service<Tables, {
  /** Rows and the sum of their volume. */
  readonly bars: (symbol: string, session: string) => Effect.Effect<{ readonly rows: number; readonly volume: number }>
  readonly ledger: (symbol: string) => Effect.Effect<
    ReadonlyArray<{ readonly session: string; readonly rows: number; readonly contentHash: string }>
  >
}>()("test/warehouse/Tables") {
  /** Looks past the service, into the PostgreSQL that the rows are in. */
  static readonly layer = Layer.effect(
    Tables,
    Effect.map(SqlClient.SqlClient, (sql) => ({
      bars: (symbol, session) =>
        sql<{ rows: number; volume: number }>`select count(*)::int4 as rows, coalesce(sum(volume), 0)::float8 as volume
          from warehouse.bars where symbol = ${symbol} and session = ${session}::date`.pipe(
          Effect.map(([row]) => row!),
          Effect.orDie
        ),
      ledger: (symbol) =>
        Effect.orDie(sql<{ session: string; rows: number; contentHash: string }>`select session, rows,
          content_hash as "contentHash" from warehouse.bar_loads where symbol = ${symbol} order by session`)
    } satisfies Tables["Service"]))
  )
}

const day = "2024-03-05"
const next = "2024-03-06"

const partition = (symbol: string, session: string, bars: Bars): LoadPartition => ({
  source: "test",
  interval: "1min",
  symbol,
  session,
  bars,
  contentHash: contentHash(bars)
})

const replace = (...partitions: ReadonlyArray<LoadPartition>) =>
  Effect.flatMap(Warehouse, (warehouse) => warehouse.replace(partitions))

const bars = (symbol: string, session: string) => Effect.flatMap(Tables, (tables) => tables.bars(symbol, session))
const ledger = (symbol: string) => Effect.flatMap(Tables, (tables) => tables.ledger(symbol))

const volume = ({ volume }: Bars): number => volume.reduce((sum, one) => sum + one, 0)

export const suite = <E>(name: string, services: Layer.Layer<Warehouse | Tables, E>): void =>
  layer(services, { timeout: "60 seconds" })(name, (it) => {
    it.effect("a partition is loaded with its row in the ledger", () =>
      Effect.gen(function*() {
        const held = TestBars.make(day, 390)
        expect(yield* replace(partition("FRESH", day, held))).toEqual([{ rows: 390, inserted: 390, deleted: 0 }])
        expect(yield* bars("FRESH", day)).toEqual({ rows: 390, volume: volume(held) })
        expect(yield* ledger("FRESH")).toEqual([{ session: day, rows: 390, contentHash: contentHash(held) }])
      }))

    it.effect("loading again replaces every row and doubles none", () =>
      Effect.gen(function*() {
        yield* replace(partition("AGAIN", day, TestBars.make(day, 10)))
        const fewer = TestBars.filter(TestBars.make(day, 10), (at) => at > 2)
        expect(yield* replace(partition("AGAIN", day, fewer))).toEqual([{ rows: 7, inserted: 7, deleted: 10 }])
        expect(yield* bars("AGAIN", day)).toEqual({ rows: 7, volume: volume(fewer) })
        expect(yield* ledger("AGAIN")).toEqual([{ session: day, rows: 7, contentHash: contentHash(fewer) }])
      }))

    it.effect("a session without bars is emptied, and the ledger says so", () =>
      Effect.gen(function*() {
        yield* replace(partition("EMPTIED", day, TestBars.make(day, 3)))
        expect(yield* replace(partition("EMPTIED", day, empty))).toEqual([{ rows: 0, inserted: 0, deleted: 3 }])
        expect(yield* ledger("EMPTIED")).toEqual([{ session: day, rows: 0, contentHash: contentHash(empty) }])
        expect(yield* replace()).toEqual([])
      }))

    it.effect("several partitions are answered in the order given", () =>
      Effect.gen(function*() {
        const loaded = yield* replace(
          partition("ORDER'; --", next, TestBars.make(next, 2)),
          partition("ORDER", day, empty),
          partition("ORDER", next, TestBars.make(next, 4))
        )
        expect(loaded.map(({ inserted }) => inserted)).toEqual([2, 0, 4])
        expect(yield* bars("ORDER'; --", next)).toMatchObject({ rows: 2 })
      }))

    it.effect("one bar of another day and nothing of the load has happened", () =>
      Effect.gen(function*() {
        yield* replace(partition("STRAY", day, TestBars.make(day, 3)))
        const error = yield* Effect.flip(
          replace(partition("STRAY", day, empty), partition("STRAY", next, TestBars.make("2024-03-09", 1)))
        )
        expect(error).toMatchObject({ operation: "replace", retryable: false })
        expect(error.message).toContain("STRAY 2024-03-06")
        expect(yield* bars("STRAY", day)).toMatchObject({ rows: 3 })
      }))

    it.effect("bars out of order, a partition given twice, and a date that is none are refused", () =>
      Effect.gen(function*() {
        const rows = TestBars.make(day, 3)
        const one = partition("BROKEN", day, rows)
        for (
          const partitions of [
            [partition("BROKEN", day, { ...rows, ts: rows.ts.toReversed() })],
            [one, one],
            [partition("BROKEN", "5 March", rows)]
          ]
        ) expect(yield* Effect.flip(replace(...partitions))).toMatchObject({ retryable: false })
        expect(yield* ledger("BROKEN")).toEqual([])
      }))

    it.effect("a bar that lies under another session moves to the one it is loaded for", () =>
      Effect.gen(function*() {
        const rows = TestBars.make(day, 4)
        yield* replace(partition("MOVED", next, rows))
        yield* replace(partition("MOVED", day, rows))
        expect(yield* bars("MOVED", next)).toEqual({ rows: 0, volume: 0 })
        expect(yield* bars("MOVED", day)).toEqual({ rows: 4, volume: volume(rows) })
      }))

    it.effect("symbols whose sessions lie far apart are loaded together, and what lies between them stays", () =>
      Effect.gen(function*() {
        const [early, between, late] = ["2023-11-06", "2024-01-10", "2024-03-05"] as const
        const rows = TestBars.make(late, 4)
        yield* replace(
          partition("FAR", early, TestBars.make(early, 5)),
          partition("FAR", between, TestBars.make(between, 6)),
          partition("AWAY", between, TestBars.make(between, 7)),
          partition("AWAY", next, rows)
        )
        expect(
          yield* replace(
            partition("FAR", early, TestBars.make(early, 3)),
            partition("AWAY", late, rows)
          )
        ).toEqual([{ rows: 3, inserted: 3, deleted: 5 }, { rows: 4, inserted: 4, deleted: 0 }])
        expect(yield* bars("FAR", early)).toMatchObject({ rows: 3 })
        expect(yield* bars("FAR", between)).toMatchObject({ rows: 6 })
        expect(yield* bars("AWAY", between)).toMatchObject({ rows: 7 })
        expect(yield* bars("AWAY", next)).toMatchObject({ rows: 0 })
        expect(yield* bars("AWAY", late)).toEqual({ rows: 4, volume: volume(rows) })
      }))

    it.effect("eight loads at once of the same partitions leave them loaded once", () =>
      Effect.gen(function*() {
        const one = partition("EIGHT", day, TestBars.make(day, 390))
        const two = partition("EIGHT", next, TestBars.make(next, 390))
        yield* Effect.all(
          Array.from({ length: 8 }, (_, at) => at % 2 === 0 ? replace(one, two) : replace(two, one)),
          { concurrency: "unbounded" }
        )
        expect(yield* bars("EIGHT", day)).toMatchObject({ rows: 390 })
        expect(yield* bars("EIGHT", next)).toMatchObject({ rows: 390 })
      }))
  })
