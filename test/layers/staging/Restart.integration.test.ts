/**
 * PostgreSQL restarted in the middle of a load. A trigger holds the load at its last row, on a lock of the test's own, so
 * the restart happens while rows are written and none is committed.
 */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as SqlClient from "effect/sql/SqlClient"
import * as Pg from "pg"
import * as Database from "../../../src/layers/database/Database.ts"
import { BarStore } from "../../../src/layers/staging/BarStore.ts"
import * as StagingPostgres from "../../../src/layers/staging/Postgres.ts"
import * as WarehousePostgres from "../../../src/layers/warehouse/Postgres.ts"
import { Warehouse } from "../../../src/layers/warehouse/Warehouse.ts"
import * as RedshiftStandIn from "../../support/RedshiftStandIn.ts"
import * as TestBars from "../../support/TestBars.ts"
import * as TestServer from "../database/fixture/TestServer.ts"

const bars = TestBars.make("2024-03-05", 390)
const changed = TestBars.make("2024-03-05", 390, 200)

const request = (bars: typeof changed) => ({
  source: "test",
  symbol: "IBM",
  interval: "1min",
  month: "2024-03",
  payload: "payload",
  complete: true,
  sessions: [{ session: "2024-03-05", bars, rejects: [] }],
  unplaced: []
})

const load = (bars: typeof changed) => ({
  source: "test",
  symbol: "IBM",
  interval: "1min",
  session: "2024-03-05",
  bars,
  contentHash: `first close ${bars.close[0]}`
})

/** Whoever writes the session's last row waits for the lock. */
const trap = Effect.fnUntraced(function*(table: string) {
  const sql = yield* SqlClient.SqlClient
  const last = new Date(bars.ts[389]!).toISOString()
  yield* sql.unsafe(`create function ${table}_wait() returns trigger language plpgsql as $$ begin
    if new.ts = '${last}' then perform pg_advisory_xact_lock(1); end if;
    return new;
  end $$`)
  yield* sql.unsafe(
    `create trigger wait before insert or update on ${table} for each row execute function ${table}_wait()`
  )
})

const servers = (home: string) =>
  Layer.merge(StagingPostgres.layer, WarehousePostgres.layer("test")).pipe(
    Layer.provideMerge(Database.layer({ home, url: undefined }))
  )

/** On a connection of its own: a session does not wait for its own locks. */
const holdLock = Effect.gen(function*() {
  const { database, host, port, user } = yield* RedshiftStandIn.connection
  const client = new Pg.Client({ database, host, port, user })
  client.on("error", () => {})
  yield* Effect.promise(() => client.connect().then(() => client.query("select pg_advisory_lock(1)")))
})

/** Starts `work`, and stops the server at once when it is at the last row of `table`; answers why `work` failed. */
const stoppedIn = Effect.fnUntraced(function*<A, E, R>(home: string, table: string, work: Effect.Effect<A, E, R>) {
  const sql = yield* SqlClient.SqlClient
  yield* trap(table)
  yield* holdLock
  const fiber = yield* Effect.forkChild(Effect.flip(work), { startImmediately: true })
  yield* sql`select 1 from pg_locks where locktype = 'advisory' and objid = 1 and not granted`.pipe(
    Effect.repeat({ until: (rows) => rows.length === 1, schedule: Schedule.spaced("10 millis") })
  )
  yield* TestServer.end(TestServer.serverOf(home)!, "SIGQUIT")
  return yield* Fiber.join(fiber)
})

it.live("staging cut off by a restart has not happened, and a rerun stages every row", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    const error = yield* Effect.gen(function*() {
      const store = yield* BarStore
      yield* store.stage(request(bars))
      return yield* stoppedIn(home, "staging.bars", store.stage(request(changed)))
    }).pipe(Effect.provide(servers(home)))
    expect(error).toMatchObject({ operation: "stage", retryable: true })

    yield* Effect.gen(function*() {
      const store = yield* BarStore
      const sql = yield* SqlClient.SqlClient
      const asked = [{ symbol: "IBM", session: "2024-03-05" }]
      expect(yield* store.read(asked)).toEqual([bars])
      expect(yield* sql`select count(*)::int4 as count from staging.bar_history`).toEqual([{ count: 0 }])
      expect(yield* store.stage(request(changed))).toMatchObject([{ restated: 390, inserted: 0, removed: 0 }])
      expect(yield* store.read(asked)).toEqual([changed])
      expect(yield* sql`select count(*)::int4 as count from staging.bar_history`).toEqual([{ count: 390 }])
    }).pipe(Effect.provide(servers(home)))
  }).pipe(Effect.scoped))

it.live("a first staging cut off by a restart leaves nothing, and a rerun stages every row", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    const error = yield* Effect.flatMap(
      BarStore,
      (store) => stoppedIn(home, "staging.bars", store.stage(request(bars)))
    ).pipe(Effect.provide(servers(home)))
    expect(error).toMatchObject({ operation: "stage", retryable: true })

    yield* Effect.gen(function*() {
      const store = yield* BarStore
      const asked = [{ symbol: "IBM", session: "2024-03-05" }]
      expect((yield* store.read(asked))[0]).toHaveLength(0)
      expect(yield* store.stage(request(bars))).toMatchObject([{ inserted: 390, unchanged: 0 }])
      expect(yield* store.read(asked)).toEqual([bars])
    }).pipe(Effect.provide(servers(home)))
  }).pipe(Effect.scoped))

it.live("a warehouse load cut off by a restart has not happened, and a rerun replaces every row", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    const error = yield* Effect.gen(function*() {
      const warehouse = yield* Warehouse
      yield* warehouse.replace([load(bars)])
      return yield* stoppedIn(home, "warehouse.bars", warehouse.replace([load(changed)]))
    }).pipe(Effect.provide(servers(home)))
    expect(error).toMatchObject({ operation: "replace", retryable: true })

    yield* Effect.gen(function*() {
      const warehouse = yield* Warehouse
      const sql = yield* SqlClient.SqlClient
      const state = sql`select count(*)::int4 as rows, min(close) as close, min(content_hash) as hash
        from warehouse.bars join warehouse.bar_loads using (symbol, session)`
      const held = (of: typeof changed) => [{ rows: 390, close: Math.min(...of.close), hash: load(of).contentHash }]
      expect(yield* state).toEqual(held(bars))
      expect(yield* warehouse.replace([load(changed)])).toEqual([{ rows: 390, inserted: 390, deleted: 390 }])
      expect(yield* state).toEqual(held(changed))
    }).pipe(Effect.provide(servers(home)))
  }).pipe(Effect.scoped))
