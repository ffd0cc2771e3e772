import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { allocate, type Bars } from "../../../src/layers/bars/Bars.ts"
import { BarStore } from "../../../src/layers/staging/BarStore.ts"
import * as Postgres from "../../../src/layers/staging/Postgres.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import { at, ticking } from "../../support/FixedClock.ts"

const START = Date.parse("2024-03-05T14:30:00Z")
const hour = (count: number): number => Date.parse("2024-03-06T00:00:00Z") + count * 3_600_000

/** Minute to close. */
type Known = { readonly [minute: number]: number }

const barsOf = (known: Known): Bars => {
  const minutes = Object.keys(known).map(Number).sort((a, b) => a - b)
  const bars = allocate(minutes.length)
  minutes.forEach((minute, row) => {
    bars.ts[row] = START + minute * 60_000
    bars.open[row] =
      bars.high[row] =
      bars.low[row] =
      bars.close[row] =
        known[minute]!
    bars.volume[row] = 100
  })
  return bars
}

interface Fetched {
  readonly known: Known
  readonly complete?: boolean
  readonly source?: string
}

const stageNow = (symbol: string, { complete = true, known, source = "test" }: Fetched) =>
  Effect.flatMap(BarStore, (store) =>
    store.stage({
      source,
      symbol,
      interval: "1min",
      month: "2024-03",
      payload: "raw/any",
      complete,
      sessions: [{ session: "2024-03-05", bars: barsOf(known), rejects: [] }],
      unplaced: []
    }))

const stage = (symbol: string, now: number, fetched: Fetched) => at(now)(stageNow(symbol, fetched))

/** What was known then, as a statement that names no time sees it. */
const asOf = (symbol: string, now: number) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* sql`select set_config('barograph.as_of', ${new Date(now).toISOString()}, true),
      set_config('search_path', 'staging_as_of,staging', true)`
    const rows = yield* sql<{ readonly minute: number; readonly close: number }>`
      select (extract(epoch from ts)::float8 * 1000 - ${START}::float8) / 60000 as minute, close from bars
      where symbol = ${symbol}`
    return Object.fromEntries(rows.map(({ close, minute }) => [minute, close])) as Known
  }).pipe((effect) => Effect.flatMap(SqlClient.SqlClient, (sql) => sql.withTransaction(effect)))

/** How many rows were known then, and of how many times. */
const counted = (symbol: string, now: Date) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [found] = yield* sql.withTransaction(Effect.andThen(
      sql`select set_config('barograph.as_of', ${now.toISOString()}, true)`,
      sql<{ readonly rows: number; readonly keys: number }>`select count(*)::int4 as rows,
        count(distinct ts)::int4 as keys from staging_as_of.bars where symbol = ${symbol}`
    ))
    return found
  })

const services = Postgres.layer.pipe(Layer.provideMerge(EmbeddedDatabase.layer))

layer(services, { timeout: "60 seconds", excludeTestServices: true })("bars as of a time", (it) => {
  it.effect("are those of the payload that was the latest then: restated, removed, and back again", () =>
    Effect.gen(function*() {
      const payloads: ReadonlyArray<Known> = [
        { 0: 10, 1: 11, 2: 12, 3: 13 },
        { 0: 10, 1: 11, 2: 12.5 },
        { 0: 10, 1: 11, 2: 12.75, 3: 13.5 },
        { 0: 10, 2: 12, 3: 13 }
      ]
      for (const [fetch, known] of payloads.entries()) yield* stage("STEPS", hour(fetch), { known })
      assert.deepStrictEqual(yield* asOf("STEPS", hour(0) - 1), {})
      for (const [fetch, known] of payloads.entries()) {
        assert.deepStrictEqual(yield* asOf("STEPS", hour(fetch)), known, `at fetch ${fetch}`)
        assert.deepStrictEqual(yield* asOf("STEPS", hour(fetch + 1) - 1), known, `until fetch ${fetch + 1}`)
      }
    }))

  it.effect("do not forget since when a value is known when another source gives the same", () =>
    Effect.gen(function*() {
      const known = { 0: 10, 1: 11 }
      yield* stage("SOURCES", hour(0), { known })
      yield* stage("SOURCES", hour(1), { known, source: "another" })
      assert.deepStrictEqual(yield* asOf("SOURCES", hour(0)), known)
      const sql = yield* SqlClient.SqlClient
      const rows = yield* sql`select distinct source from staging.bars where symbol = 'SOURCES'`
      assert.deepStrictEqual(rows, [{ source: "another" }])
    }))

  it.effect("agree with what a model remembers of any sequence of whole and cut-off payloads", () =>
    Effect.gen(function*() {
      let seed = 5
      const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
      for (let round = 0; round < 12; round++) {
        const symbol = `ROUND${round}`
        const models: Array<Known> = []
        for (let fetch = 0; fetch < 7; fetch++) {
          const minutes = [0, 1, 2, 3, 4].filter(() => next(3) > 0)
          const known: Known = Object.fromEntries(minutes.map((minute) => [minute, 10 + next(3)]))
          const complete = next(4) > 0
          yield* stage(symbol, hour(fetch), { known, complete })
          models.push(complete ? known : { ...models.at(-1), ...known })
        }
        for (const [fetch, model] of models.entries()) {
          assert.deepStrictEqual(yield* asOf(symbol, hour(fetch) + 1), model, `${symbol} fetch ${fetch}`)
        }
      }
    }))

  it.effect("hold every row once, also where requests waited for each other", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      for (let round = 0; round < 3; round++) {
        const symbol = `QUEUE${round}`
        yield* Effect.forEach(Array.from({ length: 12 }), (_, call) => {
          const known = { 0: 10 + call, 1: 20 + call }
          return stageNow(symbol, { known })
        }, { concurrency: "unbounded" }).pipe(ticking(hour(0)))
        const times = yield* sql<{ readonly time: Date }>`
          select staged_at as time from staging.bars where symbol = ${symbol}
          union select staged_at from staging.bar_history where symbol = ${symbol}`
        assert.isAbove(times.length, 1)
        for (const { time } of times) assert.deepStrictEqual(yield* counted(symbol, time), { rows: 2, keys: 2 })
      }
    }))

  it.effect("are found by symbol and session without reading the whole table", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const plan = yield* sql.withTransaction(Effect.gen(function*() {
        yield* sql`select set_config('barograph.as_of', '2024-03-06', true), set_config('enable_seqscan', 'off', true)`
        return yield* sql<{ readonly "QUERY PLAN": string }>`explain select * from staging_as_of.bars
          where symbol = 'STEPS' and session = '2024-03-05'`
      }))
      const text = plan.map((row) => row["QUERY PLAN"]).join("\n")
      assert.include(text, "bars_pkey")
      assert.include(text, "bar_history_by_session")
    }))
})
