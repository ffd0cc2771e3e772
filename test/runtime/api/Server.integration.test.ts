import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as NodeFs from "node:fs/promises"
import * as Url from "node:url"
import * as Server from "../../../src/runtime/api/Server.ts"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Freshness from "../../../src/runtime/asset/Freshness.ts"
import * as Daemon from "../../../src/runtime/automation/Daemon.ts"
import type { Project } from "../../../src/runtime/automation/Project.ts"
import * as Pulse from "../../../src/runtime/automation/Pulse.ts"
import * as Automation from "../../../src/runtime/automation/Schedule.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as RunMetrics from "../../../src/runtime/run/RunMetrics.ts"
import { Leadership } from "../../../src/runtime/store/Leadership.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import { StoreError } from "../../../src/runtime/store/StoreError.ts"
import * as TestGraph from "../../support/TestGraph.ts"

const ANY = { host: "127.0.0.1", port: 0 }

/** A registry and a pulse of its own: series of other tests would be in the answers. */
const engine = Layer.mergeAll(
  TestGraph.layerMemory,
  Logger.layer([]),
  Layer.sync(Metric.MetricRegistry, () => new Map())
)

const get = (address: string, path: string) =>
  Effect.promise(async () => {
    const response = await fetch(`http://${address}${path}`)
    return { code: response.status, type: response.headers.get("content-type"), text: await response.text() }
  })

const json = (address: string, path: string) =>
  Effect.map(get(address, path), ({ code, text }) => ({ code, body: JSON.parse(text) }))

const Output = Schema.Struct({ rows: Schema.Finite, rejected: Schema.Finite, bytes: Schema.Finite })

class Unreadable extends Schema.TaggedError<Unreadable>()("Unreadable", { message: Schema.String }) {}

/** `a` is good, `b` fails twice and is good then, `c` fails. */
const letters = () => {
  let tries = 0
  return Asset.make("letters", {
    partitions: { letter: Partitions.statics(["a", "b", "c"]) },
    output: Output,
    retry: Schedule.recurs(2),
    freshness: Freshness.within("1 hour")
  }, ({ partition }) =>
    Effect.suspend(() =>
      partition.letter === "c" || (partition.letter === "b" && tries++ < 1)
        ? Effect.fail(new Unreadable({ message: partition.letter }))
        : Effect.succeed({ rows: 10, rejected: 1, bytes: 1000 })
    ))
}

const project = (asset: Asset.Any): Project<never> => ({
  graph: AssetGraph.make(asset as never),
  automations: [Automation.make("often", { cron: "* * * * *", zone: "UTC", request: { assets: ["letters"] } })],
  members: Effect.succeed({}),
  concurrency: 2,
  pools: {},
  limits: {}
})

const options = (leads: (term: number | undefined) => Effect.Effect<void>): Daemon.Options => ({
  ...Daemon.defaults,
  holder: "a test",
  leads
})

/** A daemon that leads and has ended a run which a person asked for, and where it listens. */
const daemon = Effect.gen(function*() {
  let term: number | undefined
  const leading = yield* Deferred.make<void>()
  const running = Daemon.run(
    Stream.concat(Stream.make(project(letters())), Stream.never),
    options((now) => Effect.andThen(Effect.sync(() => void (term = now)), Deferred.succeed(leading, undefined)))
  )
  const address = yield* Server.serve(ANY, () => term)
  yield* Effect.forkScoped(running)
  yield* Deferred.await(leading)
  const runs = yield* RunStore
  yield* runs.request([{
    runId: "20240101-000000-ab12",
    runKey: "a key",
    request: { assets: ["letters"], select: null, partition: null, force: false },
    tags: {},
    priority: 0,
    attempts: 1
  }])
  yield* Effect.repeat(runs.find("20240101-000000-ab12"), {
    until: (run) => run?.endedAt !== undefined,
    schedule: Schedule.spaced("10 millis")
  })
  return address
})

const sample = (text: string, series: string) =>
  Number(text.split("\n").find((line) => line.startsWith(`${series} `))?.split(" ").at(-1))

it.live("a daemon that leads is healthy and ready, and says what it does", () =>
  Effect.scoped(Effect.gen(function*() {
    const address = yield* daemon
    expect(yield* json(address, "/health")).toEqual({ code: 200, body: { status: "ok" } })
    expect(yield* json(address, "/ready")).toEqual({
      code: 200,
      body: { role: "leads", leader: { holder: "a test", term: 1 } }
    })
    expect(yield* json(address, "/status")).toMatchObject({
      code: 200,
      body: { leader: { holder: "a test", term: 1, isExpired: false }, runs: [] }
    })
    expect((yield* get(address, "/nothing")).code).toBe(404)
  })).pipe(Effect.provide(engine)))

it.live("metrics count partitions, rows, bytes, retries and runs", () =>
  Effect.scoped(Effect.gen(function*() {
    const { text, type } = yield* get(yield* daemon, "/metrics")
    expect(type).toContain("text/plain; version=0.0.4")
    expect(sample(text, "barograph_partitions_total{asset=\"letters\",outcome=\"materialized\"}")).toBe(2)
    expect(sample(text, "barograph_partitions_total{asset=\"letters\",outcome=\"failed\"}")).toBe(1)
    expect(sample(text, "barograph_rows_total{asset=\"letters\"}")).toBe(20)
    expect(sample(text, "barograph_rejected_rows_total{asset=\"letters\"}")).toBe(2)
    expect(sample(text, "barograph_bytes_total{asset=\"letters\"}")).toBe(2000)
    expect(sample(text, "barograph_step_retries_total{asset=\"letters\"}")).toBe(3)
    expect(sample(text, "barograph_runs_ended_total{status=\"failed\"}")).toBe(1)
    expect(sample(text, "barograph_run_wait_seconds_count")).toBe(1)
    expect(sample(text, "barograph_runs{status=\"running\"}")).toBe(0)
    expect(sample(text, "barograph_database_up")).toBe(1)
    expect(sample(text, "process_resident_memory_bytes")).toBeGreaterThan(10_000_000)
  })).pipe(Effect.provide(engine)))

it.live("a metric says what it is, and its name what it counts in", () =>
  Effect.scoped(Effect.gen(function*() {
    const { text } = yield* get(yield* daemon, "/metrics")
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({ name: name!, type: type! }))
    const ours = types.filter(({ name }) => /^(barograph|process)_/.test(name))
    expect(ours.length).toBeGreaterThan(15)
    for (const { name, type } of ours) {
      expect(text, name).toContain(`# HELP ${name} `)
      if (type === "counter") expect(name).toMatch(/_total$/)
      if (type === "histogram") expect(name).toMatch(/_(seconds|bytes)$/)
    }
  })).pipe(Effect.provide(engine)))

it.live("a loop that does not move is told by name, and only then", () =>
  Effect.scoped(Effect.gen(function*() {
    const address = yield* Server.serve(ANY, () => undefined)
    const pulse = yield* Pulse.Pulse
    const now = yield* Clock.currentTimeNanos
    pulse.beat("schedules", now)
    pulse.beat("hanging", now - 61_000_000_000n)
    const { body, code } = yield* json(address, "/health")
    expect({ code, loops: Object.keys(body.loops) }).toEqual({ code: 503, loops: ["hanging"] })
    pulse.forget("hanging")
    expect((yield* get(address, "/health")).code).toBe(200)
    pulse.forget("schedules")
  })).pipe(Effect.provide(engine)))

it.live("a daemon that stands by is ready, and says who leads", () =>
  Effect.scoped(Effect.gen(function*() {
    yield* (yield* Leadership).acquire("another", 60_000)
    const address = yield* Server.serve(ANY, () => undefined)
    expect(yield* json(address, "/ready")).toEqual({
      code: 200,
      body: { role: "stands by", leader: { holder: "another", term: 1 } }
    })
  })).pipe(Effect.provide(engine)))

/** What a database answers that is gone. */
const gone = Effect.fail(new StoreError({ operation: "look who leads", message: "connection refused" }))

it.live("without its database a daemon is healthy, not ready, and still tells its metrics", () =>
  Effect.scoped(Effect.gen(function*() {
    const [leadership, runs] = [yield* Leadership, yield* RunStore]
    const address = yield* Server.serve(ANY, () => undefined).pipe(
      Effect.provideService(Leadership, { ...leadership, leader: gone }),
      Effect.provideService(RunStore, { ...runs, recover: gone, waiting: gone })
    )
    expect((yield* get(address, "/health")).code).toBe(200)
    const { body, code } = yield* json(address, "/ready")
    expect({ code, body }).toMatchObject({
      code: 503,
      body: { _tag: "NotReady", message: expect.stringContaining("connection refused") }
    })
    expect((yield* get(address, "/status")).code).toBe(503)
    expect(sample((yield* get(address, "/metrics")).text, "barograph_database_up")).toBe(0)
  })).pipe(Effect.provide(engine)))

/** A statement on a connection that hangs: to give it up takes the driver seconds. */
const hangs = Effect.onInterrupt(Effect.never, () => Effect.sleep("5 seconds"))

it.live("a database that hangs keeps no probe waiting for longer than two seconds", () =>
  Effect.scoped(Effect.gen(function*() {
    const [leadership, runs] = [yield* Leadership, yield* RunStore]
    const address = yield* Server.serve(ANY, () => undefined).pipe(
      Effect.provideService(Leadership, { ...leadership, leader: hangs }),
      Effect.provideService(RunStore, { ...runs, recover: hangs, waiting: hangs })
    )
    const started = performance.now()
    const codes = yield* Effect.forEach(
      ["/ready", "/status", "/metrics"],
      (path) => Effect.map(get(address, path), ({ code }) => code),
      { concurrency: 3 }
    )
    expect(codes).toEqual([503, 503, 200])
    expect(performance.now() - started).toBeLessThan(4500)
  })).pipe(Effect.provide(engine)))

it.live("a port that is in use is said with its address", () =>
  Effect.scoped(Effect.gen(function*() {
    const address = yield* Server.serve(ANY, () => undefined)
    const port = Number(address.split(":").at(-1))
    const error = yield* Effect.flip(Server.serve({ host: "127.0.0.1", port }, () => undefined))
    expect(error.message).toBe(`cannot listen on ${address}: another process listens there`)
  })).pipe(Effect.provide(engine)))

it.live("counting a step's events costs less than a tenth of a millisecond", () =>
  Effect.gen(function*() {
    const events = [
      {
        type: "Materialized",
        step: 1,
        asset: "letters",
        seconds: 0.1,
        results: [{ partition: "a", dataVersion: "1", output: { rows: 1, bytes: 2 }, changed: true }]
      }
    ] as const
    const started = performance.now()
    for (let at = 0; at < 1000; at++) yield* RunMetrics.record(events)
    expect((performance.now() - started) / 1000).toBeLessThan(0.1)
  }).pipe(Effect.provide(engine)))

const file = (path: string) =>
  Effect.promise(() => NodeFs.readFile(Url.fileURLToPath(new URL(`../../../${path}`, import.meta.url)), "utf8"))

/** What a panel asks for, and the labels by which it sums or names its lines. */
interface Target {
  readonly expr: string
  readonly legendFormat: string
}

const labelsOf = ({ expr, legendFormat }: Target): ReadonlyArray<string> => [
  ...[...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, names]) => names!.split(/, */)),
  ...[...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name!)
]

it.live("the dashboard draws metrics that there are, by labels that they have", () =>
  Effect.scoped(Effect.gen(function*() {
    const dashboard = JSON.parse(yield* file("docker/grafana/barograph.json"))
    const targets: ReadonlyArray<Target> = dashboard.panels.flatMap((panel: { targets: unknown }) => panel.targets)
    const { text } = yield* get(yield* daemon, "/metrics")
    const given = new Map([...text.matchAll(/^(\w+)(?:\{(.*)\})? /gm)].map(([, name, labels = ""]) => [name!, labels]))
    // Those that a source with a quota, the first tick of a schedule and a channel of alerts bring about.
    const later = ["source_calls_total", "source_quota_left", "ticks_total", "alerts_undelivered"].map((name) =>
      `barograph_${name}`
    )
    const used = targets.flatMap((target) =>
      (target.expr.match(/\b(barograph|process)_\w+/g) ?? []).map((name) => ({ name, target }))
    )
    expect(new Set(used.map(({ name }) => name)).size).toBeGreaterThan(12)
    for (const { name, target } of used.filter(({ name }) => !later.includes(name))) {
      expect([...given.keys()]).toContain(name)
      // Prometheus adds the label `instance`.
      for (const label of labelsOf(target).filter((label) => label !== "instance")) {
        expect(given.get(name), target.expr).toMatch(new RegExp(`(^|,)${label}="`))
      }
    }
  })).pipe(Effect.provide(engine)))
