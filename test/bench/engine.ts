/**
 * The engine at scale: what a step costs, what a plan costs, how much is stored, whether memory stays flat.
 *
 * Every row is measured in a process of its own, so that one does not warm up or burden another. Sizes are taken three at
 * a time: growth can be read off.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as ChildProcess from "node:child_process"
import { nyse } from "../../src/assets/nyse.ts"
import * as Asset from "../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../src/runtime/asset/AssetGraph.ts"
import * as IndexSet from "../../src/runtime/partition/IndexSet.ts"
import * as Partitions from "../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../src/runtime/partition/PartitionSet.ts"
import * as Fingerprint from "../../src/runtime/plan/Fingerprint.ts"
import * as Plan from "../../src/runtime/plan/Plan.ts"
import * as Planner from "../../src/runtime/plan/Planner.ts"
import * as Staleness from "../../src/runtime/plan/Staleness.ts"
import { MaterializationStore } from "../../src/runtime/store/MaterializationStore.ts"
import type { Outcome } from "../../src/runtime/store/Outcome.ts"
import { RunStore } from "../../src/runtime/store/RunStore.ts"
import { measured, peakMegabytes, table, time } from "./Measured.ts"

const Rows = Schema.Struct({ rows: Schema.Finite })
const one = () => Effect.succeed({ rows: 1 })

const numbered = (count: number, prefix = "") => Array.from({ length: count }, (_, at) => `${prefix}${at}`)

type Row = ReadonlyArray<string>

/** Loaded where runs are measured, like `postgres`. */
const testGraph = Effect.promise(() => import("../support/TestGraph.ts"))

const inMemory = Layer.unwrap(Effect.map(testGraph, ({ layerMemory }) => layerMemory))

/** Steps that do nothing, so that what is left is the engine's own. */
const run = (steps: number, concurrency?: number) => {
  const partitions = { n: Partitions.statics(numbered(steps)) }
  const graph = AssetGraph.make(Asset.make(`trivial_${steps}`, { partitions }, () => Effect.void))
  const asked = {
    assets: [`trivial_${steps}`],
    ...(concurrency === undefined ? {} : { concurrency }),
    options: { observe: () => Effect.void }
  }
  return Effect.flatMap(testGraph, ({ materialize }) => materialize(graph, asked))
}

const stepsInMemory = (steps: number): Effect.Effect<Row> =>
  Effect.gen(function*() {
    yield* run(1_000)
    const { cpu, wall } = yield* measured(run(steps))
    return [String(steps), (wall * 1000 / steps).toFixed(0), (cpu * 1000 / steps).toFixed(0)]
  }).pipe(Effect.provide(inMemory), Effect.orDie)

/** Loaded where it is used: what a plan needs is measured without it. */
const postgres = Layer.unwrap(
  Effect.map(
    Effect.promise(() => Promise.all([import("../../src/engine.ts"), import("../support/EmbeddedDatabase.ts")])),
    ([{ engine }, EmbeddedDatabase]) => Layer.provideMerge(engine, EmbeddedDatabase.layer)
  )
)

/** The yardstick: one row, one commit, one after the other; milliseconds each. */
const commit = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const count = 500
  yield* sql`create table if not exists yardstick (n int, said jsonb)`
  const insert = (n: number) => sql`insert into yardstick values (${n}, '{}')`
  const { wall } = yield* measured(Effect.forEach(Array.from({ length: count }).keys(), insert, { discard: true }))
  return wall / count
})

const stepsInPostgres = (steps: number, concurrency: string): Effect.Effect<Row> =>
  Effect.gen(function*() {
    yield* run(200)
    const before = yield* commit
    const { cpu, wall } = yield* measured(run(steps, Number(concurrency)))
    const yardstick = (before + (yield* commit)) / 2
    const each = wall / steps
    return [concurrency, String(steps), each.toFixed(2), (cpu / steps).toFixed(2), (each / yardstick).toFixed(1)]
  }).pipe(Effect.provide(postgres), Effect.scoped, Effect.orDie)

/** An asset of symbols x sessions that reads another one like it. */
const grid = (symbols: number) => {
  const partitions = {
    symbol: Partitions.statics(numbered(symbols, "S")),
    session: Partitions.sessions(nyse, { start: "2018-01-02", end: "2025-12-16" })
  }
  const source = Asset.make("source", { partitions, output: Rows }, one)
  return AssetGraph.make(Asset.make("table", { partitions, output: Rows, deps: { source } }, one))
}

/** `half` has every other session, another one of every other symbol: as many runs as there can be. */
type Done = "none" | "half" | "all"

const materialized = (space: Partitions.Space, done: Done): PartitionSet.PartitionSet => {
  const all = PartitionSet.all(space)
  if (done === "all") return all
  if (done === "none") return PartitionSet.none(space)
  const [symbols, sessions] = space.axes
  const everyOther = (first: number) =>
    IndexSet.fromRuns(
      Array.from({ length: sessions!.length >> 1 }, (_, at) => [at * 2 + first, at * 2 + first + 1, undefined] as const)
    )
  const [even, odd] = [everyOther(0), everyOther(1)]
  const lines = Array.from({ length: symbols!.length }, (_, at) => [at, at + 1, at % 2 === 0 ? even : odd] as const)
  return PartitionSet.make(space, IndexSet.fromRuns(lines))
}

const universe: Partitions.Universe = { now: Date.parse("2025-12-20T00:00:00Z"), members: {} }

const situationOf = (graph: AssetGraph.Any, done: Done): Planner.Situation => {
  const classes = new Map([...graph.assets.values()].map((asset) => {
    const dependencies = Fingerprint.of(asset, universe)
    const standing = { asOf: 1, changed: 1, at: 0, codeVersion: "1", dependencies, failure: undefined, rejected: false }
    return [asset.name, [{ standing, set: materialized(Partitions.space(asset.dimensions, universe), done) }]]
  }))
  return {
    universe,
    codeVersions: Object.fromEntries(graph.names.map((name) => [name, "1"])),
    classes: (asset) => classes.get(asset)!,
    endOf: () => 2,
    stateOf: () => Staleness.unknown
  }
}

/** A plan from the declaration on: windows, spaces and mappings are laid out in the measured time. */
const planGrid = (symbols: number, done: Done): Row => {
  const graph = grid(symbols)
  const situation = done === "half" ? situationOf(graph, done) : undefined
  const { cpu, value, wall } = time(() => {
    const set = PartitionSet.all(Partitions.space(graph.assets.get("table")!.dimensions, universe))
    const request = { targets: [{ asset: "table", set }], ancestors: true, force: false }
    const plan = Planner.plan(graph, request, situation ?? situationOf(graph, done))
    return { set, plan, summary: Plan.summarize(plan) }
  })
  return [
    `2 assets of ${PartitionSet.size(value.set)}`,
    done,
    String(Plan.partitionCount(value.plan)),
    wall.toFixed(0),
    cpu.toFixed(0),
    peakMegabytes().toFixed(0)
  ]
}

/** Layers of ten assets; each asset reads three of the layer above. */
const planAssets = (count: number): Row => {
  const assets: Array<Asset.Any> = []
  for (let at = 0; at < count; at++) {
    const above = Math.floor(at / 10) * 10 - 10
    const deps = above < 0 ? {} : Object.fromEntries([0, 3, 7].map((by) => [`d${by}`, assets[above + (at + by) % 10]!]))
    assets.push(Asset.make(`a${at}`, { deps, output: Rows }, one as never))
  }
  const graph = AssetGraph.make(...assets)
  const { cpu, value, wall } = time(() => {
    const set = PartitionSet.all(Partitions.space({}, universe))
    const request = { targets: graph.names.map((asset) => ({ asset, set })), ancestors: true, force: false }
    const classes = new Map<string, []>()
    return Planner.plan(graph, request, {
      universe,
      codeVersions: Object.fromEntries(graph.names.map((name) => [name, "1"])),
      classes: (asset) => classes.get(asset) ?? [],
      endOf: () => 2,
      stateOf: () => Staleness.unknown
    })
  })
  return [
    `${count} assets of 1`,
    "none",
    String(Plan.partitionCount(value)),
    wall.toFixed(0),
    cpu.toFixed(0),
    peakMegabytes().toFixed(0)
  ]
}

/** As the executor records them, a transaction for every batch; then what lies in PostgreSQL. */
const recording = (symbols: number): Effect.Effect<Row> =>
  Effect.gen(function*() {
    const store = yield* MaterializationStore
    const runs = yield* RunStore
    const sql = yield* SqlClient.SqlClient
    const space = Partitions.space(grid(symbols).assets.get("source")!.dimensions, universe)
    const all = PartitionSet.all(space)
    yield* runs.enqueue({ runId: "r", request: {}, tags: {}, priority: 0 })
    const number = (yield* runs.begin("r", {}))!
    const outcome = (partitions: ReadonlyArray<string>): Outcome => ({
      asset: "source",
      space,
      codeVersion: "1",
      dependencies: "",
      succeeded: partitions.map((partition) => ({
        partition,
        dataVersion: partition,
        inputs: {},
        output: { rows: 390 },
        seconds: 0.1,
        changed: true,
        at: 0
      })),
      failed: [],
      verified: []
    })
    const batches = Math.ceil(PartitionSet.size(all) / 500)
    const { wall } = yield* measured(Effect.forEach(Array.from({ length: batches }).keys(), (at) =>
      store.apply({ runId: "r", number }, [outcome([...PartitionSet.texts(PartitionSet.slice(all, at * 500, 500))])]), {
      discard: true
    }))
    const read = yield* measured(store.classes(new Map([["source", space]])))
    yield* sql`vacuum full barograph.partition_lines`
    const [size] = yield* sql<{ state: number }>`
      select pg_total_relation_size('barograph.partition_lines')::float8 as state`
    return [
      String(PartitionSet.size(all)),
      (wall / 1000).toFixed(1),
      (size!.state / 1000).toFixed(0),
      read.wall.toFixed(0),
      String(read.value.get("source")!.length)
    ]
  }).pipe(Effect.provide(postgres), Effect.scoped, Effect.orDie)

/** Runs one after the other in one process; memory after a collection, every so often. */
const consecutive = (count: number): Effect.Effect<Row> =>
  Effect.gen(function*() {
    const { layerMemory, materialize } = yield* testGraph
    const graph = AssetGraph.make(Asset.make("again", { output: Rows }, one))
    const heap: Array<number> = []
    for (let at = 0; at <= count; at++) {
      yield* materialize(graph, { assets: ["again"], force: true }).pipe(Effect.provide(Layer.fresh(layerMemory)))
      if (at % (count / 4) !== 0) continue
      globalThis.gc!()
      heap.push(process.memoryUsage().heapUsed / 1e6)
    }
    return [String(count), ...heap.map((megabytes) => megabytes.toFixed(1)), peakMegabytes().toFixed(0)]
  }).pipe(Effect.orDie)

const cases: { readonly [name: string]: (size: number, kind: string) => Effect.Effect<Row> } = {
  memory: stepsInMemory,
  postgres: stepsInPostgres,
  grid: (size, kind) => Effect.sync(() => planGrid(size, kind as Done)),
  assets: (size) => Effect.sync(() => planAssets(size)),
  recording,
  consecutive
}

/** One row, measured in a process of its own. */
const inProcess = (...args: ReadonlyArray<string | number>): Row => {
  const flags = ["--expose-gc", import.meta.filename, ...args.map(String)]
  const { status, stderr, stdout } = ChildProcess.spawnSync(process.execPath, flags, { encoding: "utf8" })
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`)
  return JSON.parse(stdout) as Row
}

export const bench = (): void => {
  table(
    "Executor in memory, trivial steps: plan and run",
    ["steps", "wall us per step", "CPU us per step"],
    [2_000, 8_000, 32_000].map((steps) => inProcess("memory", steps))
  )
  table(
    "Executor with its log in PostgreSQL, trivial steps: plan and run",
    ["at a time", "steps", "wall ms per step", "CPU ms of the process", "x a commit of one row"],
    [4, 16].flatMap((concurrency) => [1_000, 4_000, 16_000].map((steps) => inProcess("postgres", steps, concurrency)))
  )
  table(
    "Plans, from the declaration on",
    ["graph", "materialized before", "planned", "wall ms", "CPU ms", "peak MB of the process"],
    [
      ...[100, 1_000, 10_000].map((count) => inProcess("assets", count)),
      ...(["none", "all", "half"] as const).flatMap((done) =>
        [125, 250, 500].map((symbols) => inProcess("grid", symbols, done))
      )
    ]
  )
  table(
    "Recording materializations, 500 to a transaction, and the state that plans start from",
    ["materializations", "seconds", "state kB in PostgreSQL", "read back ms", "classes"],
    [13, 50, 500].map((symbols) => inProcess("recording", symbols))
  )
  table(
    "Runs one after the other in one process: heap MB after a collection",
    ["runs", "at the start", "1/4", "1/2", "3/4", "at the end", "peak MB of the process"],
    [inProcess("consecutive", 10_000)]
  )
}

const [name, size, kind] = process.argv.slice(2)
if (name !== undefined && import.meta.filename === process.argv[1]) {
  console.log(JSON.stringify(await Effect.runPromise(cases[name]!(Number(size), kind ?? ""))))
}
