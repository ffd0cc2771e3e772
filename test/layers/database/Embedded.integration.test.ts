import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as TestServer from "./fixture/TestServer.ts"

const passwd = () => Fs.readFileSync("/etc/passwd", "utf8")

it.live("a first start makes the database, and the last one out stops it", () =>
  Effect.gen(function*() {
    const before = passwd()
    const home = yield* TestServer.directory
    const client = yield* TestServer.client(home)
    const data = TestServer.dataOf(home)
    expect(client.said).toEqual({ kind: "embedded", version: "18.4", dataDirectory: data, visits: 1 })
    const server = TestServer.serverOf(home) ?? 0
    expect(yield* client.leave).toBe(0)
    expect(TestServer.isRunning(server)).toBe(false)
    expect(Fs.existsSync(Path.join(data, "postmaster.pid"))).toBe(false)
    expect(client.complaints()).toBe("")
    expect(passwd()).toBe(before)
  }).pipe(Effect.scoped))

it.live("a second process shares the server, which outlives the one that started it", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    const first = yield* TestServer.client(home)
    const server = TestServer.serverOf(home) ?? 0
    const second = yield* TestServer.client(home)
    expect(second.said.visits).toBe(2)
    expect(yield* first.leave).toBe(0)
    expect(TestServer.serverOf(home)).toBe(server)
    expect(yield* second.leave).toBe(0)
    expect(TestServer.isRunning(server)).toBe(false)
  }).pipe(Effect.scoped))

it.live("processes that start at once in an empty directory share one server", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    const all = { concurrency: "unbounded" } as const
    const clients = yield* Effect.all(Array.from({ length: 8 }, () => TestServer.client(home)), all)
    expect(clients.map(({ said }) => said.kind)).toEqual(clients.map(() => "embedded"))
    expect(Math.max(...clients.map(({ said }) => said.visits ?? 0))).toBe(8)
    const server = TestServer.serverOf(home) ?? 0
    const codes = yield* Effect.all(clients.map((client) => client.leave), all)
    expect(codes).toEqual(clients.map(() => 0))
    expect(TestServer.isRunning(server)).toBe(false)
  }).pipe(Effect.scoped))

it.live("a killed process leaves the server to the next one, which stops it", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    yield* (yield* TestServer.client(home)).kill
    const server = TestServer.serverOf(home)
    const next = yield* TestServer.client(home)
    expect(server).toBeDefined()
    expect(TestServer.serverOf(home)).toBe(server)
    expect(next.said.visits).toBe(2)
    yield* next.leave
    expect(TestServer.isRunning(server ?? 0)).toBe(false)
  }).pipe(Effect.scoped))

it.live("the server has a session of its own, which a terminal's Ctrl-C does not reach", () =>
  Effect.gen(function*() {
    const home = yield* TestServer.directory
    const client = yield* TestServer.client(home)
    const server = TestServer.serverOf(home) ?? 0
    const stat = Fs.readFileSync(`/proc/${server}/stat`, "utf8")
    const [session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(3)
    expect(Number(session)).toBe(server)
    yield* client.leave
  }).pipe(Effect.scoped))
