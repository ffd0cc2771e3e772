import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Path from "node:path"
import * as Process from "node:process"
import * as TestServer from "./fixture/TestServer.ts"

/** A state directory whose server has run and was stopped. */
const used = Effect.gen(function*() {
  const home = yield* TestServer.directory
  yield* (yield* TestServer.client(home)).leave
  return home
})

/** As `used`, but the server was killed, and so was its client: its pid file and its socket are still there. */
const crashed = Effect.gen(function*() {
  const home = yield* TestServer.directory
  const client = yield* TestServer.client(home)
  yield* client.kill
  yield* TestServer.end(TestServer.serverOf(home) ?? 0, "SIGKILL")
  return home
})

it.live("what was committed is there after the server was killed", () =>
  Effect.gen(function*() {
    const home = yield* crashed
    expect(Fs.existsSync(Path.join(TestServer.dataOf(home), "postmaster.pid"))).toBe(true)
    const client = yield* TestServer.client(home)
    expect(client.said.visits).toBe(2)
    expect(yield* client.leave).toBe(0)
  }).pipe(Effect.scoped))

it.live("a pid file that names a process of someone else's does not stop a start", () =>
  Effect.gen(function*() {
    const home = yield* crashed
    const file = Path.join(TestServer.dataOf(home), "postmaster.pid")
    const [, ...rest] = Fs.readFileSync(file, "utf8").split("\n")
    Fs.writeFileSync(file, [Process.pid, ...rest].join("\n"))
    const client = yield* TestServer.client(home)
    expect(client.said.visits).toBe(2)
    expect(yield* client.leave).toBe(0)
  }).pipe(Effect.scoped))

it.live("a torn pid file does not stop a start", () =>
  Effect.gen(function*() {
    const home = yield* used
    const { gid, uid } = Fs.statSync(TestServer.dataOf(home))
    const file = Path.join(TestServer.dataOf(home), "postmaster.pid")
    Fs.writeFileSync(file, "", { mode: 0o600 })
    Fs.chownSync(file, uid, gid)
    const client = yield* TestServer.client(home)
    expect(client.said.visits).toBe(2)
    yield* client.leave
  }).pipe(Effect.scoped))

it.live("a server that ends under its clients is started again", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    const client = yield* TestServer.client(home)
    const server = TestServer.serverOf(home) ?? 0
    yield* TestServer.end(server, "SIGKILL")
    while (TestServer.serverOf(home) === undefined) yield* Effect.sleep(5)
    const next = yield* TestServer.client(home)
    expect(next.said.visits).toBe(2)
    yield* next.leave
    yield* client.leave
    expect(TestServer.serverOf(home)).toBeUndefined()
  }).pipe(Effect.scoped))

it.live("a data directory that was half made is made anew", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    const half = Path.join(home, "postgres", "data-unfinished-abc")
    Fs.mkdirSync(Path.join(half, "base"), { recursive: true })
    const client = yield* TestServer.client(home)
    expect(client.said.visits).toBe(1)
    expect(Fs.readdirSync(Path.join(home, "postgres")).filter((name) => name.startsWith("data-"))).toEqual([])
    yield* client.leave
  }).pipe(Effect.scoped))

it.live("a process that is killed while it makes the data directory is no hindrance", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    const directory = Path.join(home, "postgres")
    const parts = () => Fs.existsSync(directory) ? Fs.readdirSync(directory) : []
    const unfinished = () => parts().filter((name) => name.startsWith("data-"))
    yield* Effect.scoped(Effect.gen(function*() {
      yield* Effect.forkScoped(TestServer.client(home))
      while (!unfinished().some((name) => Fs.existsSync(Path.join(directory, name, "base")))) yield* Effect.sleep(2)
    }))
    expect(unfinished()).not.toEqual([])
    const client = yield* TestServer.client(home)
    expect(client.said.visits).toBe(1)
    yield* client.leave
    yield* (yield* TestServer.client(home)).leave
    expect(unfinished()).toEqual([])
  }).pipe(Effect.scoped))

it.live("a server that shuts down is waited for", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    yield* (yield* TestServer.client(home)).kill
    const server = TestServer.serverOf(home) ?? 0
    Process.kill(server, "SIGINT")
    const client = yield* TestServer.client(home)
    expect(client.said.visits).toBe(2)
    expect(TestServer.serverOf(home)).not.toBe(server)
    yield* client.leave
  }).pipe(Effect.scoped))

it.live("a data directory of another version is named with the way out", () =>
  Effect.gen(function*() {
    const home = yield* used
    const data = TestServer.dataOf(home)
    Fs.writeFileSync(Path.join(data, "PG_VERSION"), "15\n")
    const { said } = yield* TestServer.client(home)
    expect(said.reason).toBe("OtherVersion")
    expect(said.fix).toContain(`mv ${data} ${data}-15`)
  }).pipe(Effect.scoped))

it.live("a server that does not start says so with the last lines of its log", () =>
  Effect.gen(function*() {
    const home = yield* used
    Fs.appendFileSync(Path.join(TestServer.dataOf(home), "postgresql.conf"), "no_such_setting = 1\n")
    const { said } = yield* TestServer.client(home)
    expect(said.reason).toBe("DidNotStart")
    expect(said.message).toContain("no_such_setting")
    expect(TestServer.serverOf(home)).toBeUndefined()
  }).pipe(Effect.scoped))

it.live("a data directory that is not whole is refused and left as it is", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    const data = TestServer.dataOf(home)
    Fs.mkdirSync(data, { recursive: true })
    Fs.writeFileSync(Path.join(data, "precious"), "")
    expect((yield* TestServer.client(home)).said.reason).toBe("DataDamaged")
    expect(Fs.readdirSync(data)).toEqual(["precious"])
  }).pipe(Effect.scoped))

it.live("a socket that something else listens on is named", () =>
  Effect.gen(function*() {
    const home = yield* used
    const socket = Path.join(TestServer.dataOf(home), ".s.PGSQL.5432")
    yield* Effect.acquireRelease(
      Effect.callback<Net.Server>((resume) => {
        const server = Net.createServer().listen(socket, () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => server.close())
    )
    const { said } = yield* TestServer.client(home)
    expect(said.reason).toBe("SocketTaken")
    expect(said.message).toContain(socket)
  }).pipe(Effect.scoped))

it.live("a data directory with a broken control file is refused", () =>
  Effect.gen(function*() {
    const home = yield* used
    Fs.truncateSync(Path.join(TestServer.dataOf(home), "global", "pg_control"), 10)
    const { said } = yield* TestServer.client(home)
    expect(said.reason).toBe("DataDamaged")
    expect(said.message).toContain("pg_control")
  }).pipe(Effect.scoped))
