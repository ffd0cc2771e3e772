import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Path from "node:path"
import * as Database from "../../../src/layers/database/Database.ts"
import * as TestServer from "./fixture/TestServer.ts"

const open = (url: string) => Layer.build(Database.layer({ home: "/nowhere", url: Redacted.make(url) }))

const refusal = (url: string) =>
  Effect.flip(open(url)).pipe(
    Effect.map((error) => ({ reason: error.reason._tag, message: error.message, whole: JSON.stringify(error) })),
    Effect.scoped
  )

/** A TCP port that leads to a server's socket. */
const port = (socket: string) =>
  Effect.acquireRelease(
    Effect.callback<Net.Server>((resume) => {
      const server = Net.createServer((outer) => {
        const inner = Net.connect(socket)
        outer.on("error", () => inner.destroy()).pipe(inner)
        inner.on("error", () => outer.destroy()).pipe(outer)
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => (server.address() as Net.AddressInfo).port))

/** A server that asks user `ana` for the password `right-one`; where it listens. */
const withPassword = Effect.gen(function*() {
  const home = yield* TestServer.directory
  const context = yield* Layer.build(Database.layer({ home, url: undefined }))
  const data = TestServer.dataOf(home)
  const rules = Path.join(data, "pg_hba.conf")
  Fs.writeFileSync(rules, `local all ana scram-sha-256\n${Fs.readFileSync(rules, "utf8")}`)
  const sql = yield* Effect.provide(SqlClient.SqlClient, context)
  yield* sql.unsafe("CREATE ROLE ana LOGIN PASSWORD 'right-one'")
  yield* sql.unsafe("SELECT pg_reload_conf()")
  return `127.0.0.1:${yield* port(Path.join(data, ".s.PGSQL.5432"))}`
})

it.live("a server of one's own is used as the URL says, and its name shows no password", () =>
  Effect.gen(function*() {
    const server = yield* withPassword
    const context = yield* open(`postgres://ana:right-one@${server}/barograph?sslmode=disable`)
    const { config, describe, kind } = yield* Effect.provide(Database.Database, context)
    expect({ kind, describe }).toEqual({ kind: "external", describe: `postgres://ana@${server}/barograph` })
    expect(`${JSON.stringify(config)}${String(config.url)}`).not.toContain("right-one")
    expect(yield* Effect.provide(Database.inspect, context)).toEqual({
      kind: "external",
      version: "18.4",
      dataDirectory: undefined
    })
  }).pipe(Effect.scoped))

it.live("what a server refuses is told apart, without the password", () =>
  Effect.gen(function*() {
    const server = yield* withPassword
    const wrong = yield* refusal(`postgres://ana:secret-4711@${server}/barograph?sslmode=disable`)
    expect(wrong.reason).toBe("WrongPassword")
    expect(wrong.message).toContain("password authentication failed for user \"ana\"")
    expect(wrong.message + wrong.whole).not.toContain("secret-4711")
    const unknown = yield* refusal(`postgres://ana:right-one@${server}/nosuch?sslmode=disable`)
    expect(unknown.reason).toBe("UnknownDatabase")
    expect(unknown.message + unknown.whole).not.toContain("right-one")
    expect((yield* refusal(`postgres://ana:right-one@${server}/barograph?sslmode=require`)).reason).toBe("TlsFailed")
  }).pipe(Effect.scoped))

it.live("a server that is not there is refused with what to correct", () =>
  Effect.gen(function*() {
    const free = yield* Effect.scoped(port("/nowhere"))
    const error = yield* refusal(`postgres://ana:secret-4711@127.0.0.1:${free}/bars`)
    expect(error.reason).toBe("Refused")
    expect(error.message).toContain(`postgres://ana@127.0.0.1:${free}/bars`)
    expect(error.message + error.whole).not.toContain("secret-4711")
  }))

it.live.each([
  "",
  "mysql://ana:secret-4711@host/bars",
  "ana:secret-4711@host/bars",
  "postgres://ana:secret-4711@@@:port/bars",
  "postgres://ana:secret-4711%zz@host/bars",
  "postgres://ana:secret-4711@host/bars?sslmode=perhaps"
])("a URL that is none is named without being quoted: %s", (url) =>
  Effect.gen(function*() {
    const error = yield* refusal(url)
    expect(error.reason).toBe("BadUrl")
    expect(error.message + error.whole).not.toContain("secret-4711")
  }))
