import * as PgClient from "@effect/sql-pg/PgClient"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Process from "node:process"
import * as Database from "../../../src/layers/database/Database.ts"
import * as TestServer from "./fixture/TestServer.ts"

const open = (home: string) => Layer.build(Layer.fresh(Database.layer({ home, url: undefined })))
const until = (seen: () => boolean) => Effect.repeat(Effect.sleep(1), { until: seen })
const halfMade = (home: string) => {
  const directory = Path.join(home, "postgres")
  return Fs.existsSync(directory) ? Fs.readdirSync(directory).filter((name) => name.startsWith("data-")) : []
}

it.live("the server is a UTF-8 one that writes every commit to disk and listens on no port", () =>
  Effect.gen(function*() {
    const context = yield* open(yield* TestServer.directory)
    const sql = yield* Effect.provide(SqlClient.SqlClient, context)
    const [row] = yield* sql`SELECT current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync,
      current_setting('synchronous_commit') AS commit, current_setting('listen_addresses') AS addresses,
      current_setting('application_name') AS application, current_database() AS database`
    expect(row).toEqual({
      encoding: "UTF8",
      fsync: "on",
      commit: "on",
      addresses: "",
      application: "barograph",
      database: "barograph"
    })
  }).pipe(Effect.scoped))

it.effect("real servers start and stop under a clock that stands still", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    yield* Effect.scoped(open(home))
    expect(TestServer.serverOf(home)).toBeUndefined()
  }).pipe(Effect.scoped))

it.live("two layers of one process share a server, and the last to close stops it", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    yield* Effect.gen(function*() {
      yield* open(home)
      const server = TestServer.serverOf(home)
      yield* Effect.scoped(open(home))
      expect(TestServer.serverOf(home)).toBe(server)
    }).pipe(Effect.scoped)
    expect(TestServer.serverOf(home)).toBeUndefined()
  }).pipe(Effect.scoped))

it.live("the configuration opens a second pool on the same server", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    const { config } = yield* Effect.provide(Database.Database, yield* open(home))
    const second = yield* Layer.build(PgClient.layer({ ...config, startupParameters: { search_path: "warehouse" } }))
    const sql = yield* Effect.provide(SqlClient.SqlClient, second)
    expect(yield* sql`SHOW search_path`).toEqual([{ search_path: "warehouse" }])
  }).pipe(Effect.scoped))

it.live("a client whose server is killed gets the next one, with every committed row", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    const sql = yield* Effect.provide(SqlClient.SqlClient, yield* open(home))
    yield* sql`CREATE TABLE t (n int)`
    yield* sql`INSERT INTO t VALUES (1)`
    yield* TestServer.end(TestServer.serverOf(home) ?? 0, "SIGKILL")
    yield* until(() => TestServer.serverOf(home) !== undefined)
    const rows = yield* Effect.retry(sql`SELECT n FROM t`, { while: () => Effect.as(Effect.sleep(20), true) })
    expect(rows).toEqual([{ n: 1 }])
  }).pipe(Effect.scoped))

it.live("a layer that is built while someone stops the server gets a new one", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    yield* (yield* TestServer.client(home)).kill
    for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT"] as const) {
      yield* Effect.scoped(Effect.gen(function*() {
        yield* open(home)
        Process.kill(TestServer.serverOf(home) ?? 0, signal)
        yield* open(home)
      }))
    }
    expect(TestServer.serverOf(home)).toBeUndefined()
  }).pipe(Effect.scoped))

it.live("a first start that is interrupted leaves neither a process nor a half-made directory", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    const fiber = yield* Effect.forkChild(Effect.scoped(open(home)))
    yield* until(() => halfMade(home).length > 0)
    yield* Fiber.interrupt(fiber)
    expect(halfMade(home)).toEqual([])
    yield* Effect.scoped(open(home))
  }).pipe(Effect.scoped))

it.live("a start that is interrupted while the server comes up stops it", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    yield* Effect.scoped(open(home))
    const pidFile = Path.join(TestServer.dataOf(home), "postmaster.pid")
    for (let round = 0; round < 5; round++) {
      const fiber = yield* Effect.forkChild(Effect.scoped(open(home)))
      yield* until(() => Fs.existsSync(pidFile))
      yield* Fiber.interrupt(fiber)
      expect(TestServer.serverOf(home)).toBeUndefined()
    }
  }).pipe(Effect.scoped))
