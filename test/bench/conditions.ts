/**
 * Conditions at scale: what the first evaluation of all costs, and what one changed asset costs when nobody else changed.
 *
 * Every asset is `eager` and has two readers. Each row is measured in a process of its own.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as ChildProcess from "node:child_process"
import * as Asset from "../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../src/runtime/asset/AssetGraph.ts"
import * as Condition from "../../src/runtime/asset/Condition.ts"
import * as Conditions from "../../src/runtime/automation/Conditions.ts"
import { RunStore } from "../../src/runtime/store/RunStore.ts"
import { type Signal, Signals } from "../../src/runtime/store/Signals.ts"
import * as TestGraph from "../support/TestGraph.ts"
import { measured, table } from "./Measured.ts"

const Content = Schema.Struct({ v: Schema.Finite })

type Row = ReadonlyArray<string>

const grown = (count: number) => {
  const content = { v: 0 }
  const assets: Array<Asset.Any> = []
  for (let at = 0; at < count; at++) {
    const deps = at === 0 ? {} : { upstream: assets[(at - 1) >> 1]! }
    const options = { deps, output: Content, dataVersion: "v", automation: Condition.eager }
    assets.push(
      Asset.make(`asset_${at}`, options as {}, () => Effect.sync(() => ({ v: content.v } as never))) as Asset.Any
    )
  }
  return { content, graph: AssetGraph.make(...assets) as AssetGraph.AssetGraph<string, never> }
}

const conditions = (count: number) =>
  Effect.gen(function*() {
    const { content, graph } = grown(count)
    yield* TestGraph.materialize(graph, { assets: [...graph.assets.keys()], options: { observe: () => Effect.void } })
    const signals = yield* Signals
    let looked = yield* Deferred.make<Conditions.Looked>()
    const concern = Conditions.run(
      graph,
      (effect) => effect,
      (found) => Effect.asVoid(Deferred.succeed(looked, found))
    )
    // Hears what the test says, and of nothing else; what is asked for is not stored, so every round is alike.
    const words = yield* PubSub.unbounded<Signal>()
    const alone = concern.pipe(
      Effect.provideService(Signals, { ...signals, changes: Stream.fromPubSub(words) }),
      Effect.provideService(RunStore, { ...yield* RunStore, request: () => Effect.succeed([]) })
    )
    const first = yield* measured(Effect.andThen(Effect.forkScoped(alone), Deferred.await(looked)))
    const changes: Array<number> = []
    let last = first.value
    for (let round = 0; round < 20; round++) {
      content.v++
      // A leaf's parent: it has two readers, and these have none.
      const changed = `asset_${((count >> 1) - 2) - round}`
      yield* TestGraph.materialize(graph, { assets: [changed], ancestors: false, force: true })
      looked = yield* Deferred.make<Conditions.Looked>()
      const { value, wall } = yield* measured(
        Effect.andThen(PubSub.publish(words, { _tag: "AutomationChanged" }), Deferred.await(looked))
      )
      changes.push(wall)
      last = value
    }
    const median = changes.sort((a, b) => a - b)[changes.length >> 1]!
    return { first: first.wall, all: first.value.evaluated, changed: median, last }
  }).pipe(Effect.scoped)

const rowOf = ({ all, changed, first, last }: Effect.Success<ReturnType<typeof conditions>>): Row => [
  String(all),
  first.toFixed(0),
  (first * 1000 / all).toFixed(0),
  changed.toFixed(1),
  String(last.evaluated),
  String(last.requested.flatMap(({ request }) => request.targets ?? []).length)
]

const inMemory = (count: number): Effect.Effect<Row> =>
  conditions(count).pipe(Effect.map(rowOf), Effect.provide(TestGraph.layerMemory), Effect.orDie)

const postgres = Layer.unwrap(
  Effect.map(
    Effect.promise(() => Promise.all([import("../../src/engine.ts"), import("../support/EmbeddedDatabase.ts")])),
    ([{ engine }, EmbeddedDatabase]) => Layer.provideMerge(engine, EmbeddedDatabase.layer)
  )
)

/** The yardstick: one row, one commit; milliseconds. */
const commit = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`create table yardstick (n int, said jsonb)`
  const insert = (n: number) => sql`insert into yardstick values (${n}, '{}')`
  const { wall } = yield* measured(Effect.forEach(Array.from({ length: 200 }).keys(), insert, { discard: true }))
  return wall / 200
})

const inPostgres = (count: number): Effect.Effect<Row> =>
  Effect.gen(function*() {
    const found = yield* conditions(count)
    const yardstick = yield* commit
    return [...rowOf(found), (found.changed / yardstick).toFixed(1)]
  }).pipe(Effect.provide(postgres), Effect.scoped, Effect.orDie)

const inProcess = (...args: ReadonlyArray<string | number>): Row => {
  const { status, stderr, stdout } = ChildProcess.spawnSync(
    process.execPath,
    [import.meta.filename, ...args.map(String)],
    { encoding: "utf8" }
  )
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`)
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Row
}

const HEADING = [
  "assets",
  "first evaluation ms",
  "us per asset",
  "one changed asset, median ms",
  "conditions evaluated",
  "asked for"
]

export const bench = (): void => {
  const sizes = [100, 1_000, 10_000]
  table("Conditions, every asset eager, in memory", HEADING, sizes.map((count) => inProcess("memory", count)))
  table(
    "The same with its stores in PostgreSQL",
    [...HEADING, "x a commit of one row"],
    sizes.map((count) => inProcess("postgres", count))
  )
}

const [name, size] = process.argv.slice(2)
if (name !== undefined && import.meta.filename === process.argv[1]) {
  console.log(JSON.stringify(
    await Effect.runPromise((name === "memory" ? inMemory : inPostgres)(Number(size)))
  ))
}
