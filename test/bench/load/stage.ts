/** One stage in a process of its own: `node stage.ts NAME HOME [URL [S3]]`. Prints what it took as a line of JSON. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as Database from "../../../src/layers/database/Database.ts"
import { BarStore } from "../../../src/layers/staging/BarStore.ts"
import * as StagingPostgres from "../../../src/layers/staging/Postgres.ts"
import * as WarehousePostgres from "../../../src/layers/warehouse/Postgres.ts"
import * as RedshiftData from "../../../src/layers/warehouse/RedshiftData.ts"
import { Warehouse } from "../../../src/layers/warehouse/Warehouse.ts"
import * as RedshiftStandIn from "../../support/RedshiftStandIn.ts"
import * as dataset from "./dataset.ts"

/** What the assets ask for at a time, and how many of them run at once. */
const PARTITIONS = 64
const CONCURRENCY = 4

const [name = "", home = "", url = "", s3 = ""] = process.argv.slice(2)

/** The bars were made before; memory is what comes on top of them. */
const timed = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const held = process.memoryUsage.rss()
    const cpu = process.cpuUsage()
    const startedAt = performance.now()
    const counts = yield* work
    const wall = performance.now() - startedAt
    const { system, user } = process.cpuUsage(cpu)
    const rss = process.resourceUsage().maxRSS / 1024 - held / 2 ** 20
    return { wall, cpu: (system + user) / 1000, rss, counts }
  })

const stage = (nudge: number) => {
  const requests = dataset.requests(dataset.sessions(nudge))
  return Effect.flatMap(BarStore, (store) =>
    timed(Effect.map(
      Effect.forEach(requests, (request) => store.stage(request), { concurrency: CONCURRENCY }),
      (staged) => {
        const all = staged.flat()
        const sum = (field: "inserted" | "unchanged" | "restated") => all.reduce((total, one) => total + one[field], 0)
        return { inserted: sum("inserted"), unchanged: sum("unchanged"), restated: sum("restated") }
      }
    )))
}

const read = Effect.flatMap(BarStore, (store) => {
  const keys = dataset.loads(dataset.sessions(), PARTITIONS).map((load) =>
    load.map(({ session, symbol }) => ({ session, symbol }))
  )
  return timed(Effect.map(
    Effect.forEach(
      keys,
      (asked) => Effect.map(store.read(asked), (bars) => bars.reduce((rows, { length }) => rows + length, 0))
    ),
    (rows) => ({ read: rows.reduce((sum, count) => sum + count, 0) })
  ))
})

const load = Effect.flatMap(Warehouse, (warehouse) => {
  const loads = dataset.loads(dataset.sessions(), PARTITIONS)
  return timed(Effect.map(
    Effect.forEach(loads, (one) => warehouse.replace(one), { concurrency: CONCURRENCY }),
    (loaded) => ({ inserted: loaded.flat().reduce((sum, { inserted }) => sum + inserted, 0) })
  ))
})

const database = Database.layer({ home, url: undefined })
const staging = Layer.provide(StagingPostgres.layer, database)
const warehouse = Layer.provide(WarehousePostgres.layer("bench"), database)

const stages: { readonly [name: string]: Effect.Effect<unknown, unknown> } = {
  migrate: Effect.provide(
    SqlClient.SqlClient,
    Layer.provideMerge(Layer.merge(StagingPostgres.layer, WarehousePostgres.layer("bench")), database)
  ),
  staging: Effect.provide(stage(0), staging),
  restated: Effect.provide(stage(1), staging),
  read: Effect.provide(read, staging),
  warehouse: Effect.provide(load, warehouse),
  redshift: Effect.provide(
    load,
    RedshiftData.layer(s3 === "" ? RedshiftStandIn.targetOf(url) : RedshiftStandIn.copyingTargetOf(url, s3))
  )
}

console.log(
  JSON.stringify(await Effect.runPromise(stages[name]!.pipe(Effect.map((told) => name === "migrate" ? {} : told))))
)
