/**
 * The composition: settings -> layers -> application. Which implementation serves which tag is decided here and nowhere
 * else. Loaded by the first command that needs it.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as NodeFs from "node:fs/promises"
import { definitions } from "./assets/definitions.ts"
import * as Database from "./layers/database/Database.ts"
import * as FileSystem from "./layers/lake/FileSystem.ts"
import * as Replay from "./layers/market-data/Replay.ts"
import * as Settings from "./layers/settings/Settings.ts"
import * as Staging from "./layers/staging/Postgres.ts"
import * as Warehouse from "./layers/warehouse/Postgres.ts"
import * as Application from "./runtime/cli/Application.ts"
import { configuration, Failure } from "./runtime/cli/Failure.ts"
import { Executor } from "./runtime/run/Executor.ts"
import { BackfillStore } from "./runtime/store/BackfillStore.ts"
import { Claims } from "./runtime/store/Claims.ts"
import { DynamicPartitions } from "./runtime/store/DynamicPartitions.ts"
import * as EngineSchema from "./runtime/store/EngineSchema.ts"
import { MaterializationStore } from "./runtime/store/MaterializationStore.ts"
import { RunStore } from "./runtime/store/RunStore.ts"

const DOCTOR = "barograph doctor shows what is configured"

interface Said {
  readonly message: string
  readonly fix?: string
}

/** An error of a layer ends the command as a configuration error, in its own words. */
const configured = <A, E extends Said, R>(layer: Layer.Layer<A, E, R>): Layer.Layer<A, Failure, R> =>
  Layer.catch(layer, (error) => Layer.effectContext(Effect.fail(configuration(error.message, error.fix ?? DOCTOR))))

const databaseLayer = (settings: Settings.Settings) =>
  configured(Database.layer({ home: settings.home, url: settings.databaseUrl }))

const SEARCH = { staging: "staging,barograph,public", warehouse: "warehouse,public" }

/** Connections of their own to the same server, with their own search path. */
const client = (searchPath: string) =>
  Layer.unwrap(
    Effect.map(Database.Database, ({ config }) =>
      PgClient.layer({ ...config, maxConnections: 4, startupParameters: { search_path: searchPath } }))
  )

/** Runs on the warehouse's own server when one is configured, else on the database's. */
const onWarehouse = <A, E extends Said>(settings: Settings.Settings, layer: Layer.Layer<A, E, Database.Database>) =>
  configured(
    settings.warehouseUrl === undefined
      ? layer
      : Layer.provide(layer, Database.layer({ home: settings.home, url: settings.warehouseUrl }))
  )

const warehouse = Layer.unwrap(
  Effect.map(Database.Database, ({ describe }) => Layer.provide(Warehouse.layer(describe), client(SEARCH.warehouse)))
)

/** The vendor's client is loaded only where there is a key. */
const alphaVantage = (settings: Settings.Settings, apiKey: Redacted.Redacted<string>) =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("./layers/market-data/AlphaVantage.ts")),
      (AlphaVantage) =>
        AlphaVantage.layer({ apiKey, ...(settings.apiUrl === undefined ? {} : { baseUrl: settings.apiUrl }) })
    )
  )

const marketData = (settings: Settings.Settings, bundled: string) =>
  settings.apiKey === undefined
    ? configured(Replay.layer({ file: settings.sample ?? bundled }))
    : alphaVantage(settings, settings.apiKey)

const engine = Executor.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      RunStore.layer,
      MaterializationStore.layer,
      Claims.layer,
      DynamicPartitions.layer,
      BackfillStore.layer
    )
  ),
  Layer.provide(EngineSchema.layer)
)

const services = (settings: Settings.Settings, bundled: string) =>
  Layer.mergeAll(
    configured(engine),
    configured(Staging.layer),
    onWarehouse(settings, warehouse),
    marketData(settings, bundled),
    configured(FileSystem.layer(settings.lake))
  ).pipe(Layer.provide(databaseLayer(settings)))

const warehouseName = (settings: Settings.Settings): string =>
  settings.warehouseUrl === undefined ? "schema warehouse of the database" : "PostgreSQL of BAROGRAPH_WAREHOUSE"

/**
 * A sample of one's own that overlaps the bundled one is an edited copy of it: what was cut off at its ends is asked for
 * too, and found to be gone.
 */
const widened = (own: Replay.Coverage, bundled: ReadonlyArray<Replay.Coverage>): Replay.Coverage => {
  const same = bundled.find(({ symbol }) => symbol === own.symbol)
  if (same === undefined || same.from > own.to || same.to < own.from) return own
  const from = same.from < own.from ? same.from : own.from
  return { symbol: own.symbol, from, to: same.to > own.to ? same.to : own.to }
}

const sampled = Effect.fnUntraced(function*(sample: string | undefined, bundled: string) {
  const covered = yield* Replay.coverage(bundled)
  return sample === undefined ? covered : (yield* Replay.coverage(sample)).map((own) => widened(own, covered))
}, Effect.mapError((error) => configuration(error.message, "unset BAROGRAPH_SAMPLE to use the bundled sample")))

const symbols = (settings: Settings.Settings, bundled: string) =>
  settings.watchlist !== undefined
    ? Effect.succeed(settings.watchlist)
    : Effect.map(sampled(settings.sample, bundled), (covered) =>
      covered.map(({ from, symbol, to }) => ({ value: symbol, from, to })))

/** What the server itself said: the driver wraps it several times. */
const innermost = (error: unknown): string => {
  let found = String(error)
  for (
    let at = error;
    Predicate.hasProperty(at, "message");
    at = Predicate.hasProperty(at, "cause") ? at.cause : undefined
  ) {
    if (typeof at.message === "string" && at.message !== "") found = at.message
  }
  return found
}

/** One statement in a read-only transaction. */
const ask = (sql: SqlClient.SqlClient, text: string) =>
  sql.withTransaction(
    Effect.andThen(sql`set transaction read only`, sql.unsafe<{ readonly [column: string]: unknown }>(text))
  ).pipe(Effect.mapError((error) =>
    new Failure({
      exitCode: 2,
      message: innermost(error),
      fix: "one SELECT; tables are there after the first materialize"
    })
  ))

type Client = Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, Failure>

const querying = (client: Client) => (text: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => ask(sql, text)).pipe(Effect.provide(client))

const stores = (settings: Settings.Settings) => {
  const server = databaseLayer(settings)
  return {
    staging: querying(Layer.provide(configured(client(SEARCH.staging)), server)),
    warehouse: querying(Layer.provide(onWarehouse(settings, client(SEARCH.warehouse)), server))
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`

const checkDatabase = (settings: Settings.Settings): Application.Check => ({
  name: "database",
  run: Effect.gen(function*() {
    const { describe } = yield* Database.Database
    const sql = yield* SqlClient.SqlClient
    const [found] = yield* sql<{ version: string; size: number }>`
      select current_setting('server_version') as version, pg_database_size(current_database())::float8 as size`
    return `${describe}, version ${found!.version}, ${megabytes(found!.size)}`
  }).pipe(
    Effect.mapError((error) => configuration(error.message, DOCTOR)),
    Effect.provide(databaseLayer(settings))
  )
})

const checkWarehouse = (settings: Settings.Settings): Application.Check => ({
  name: "warehouse",
  run: Effect.as(stores(settings).warehouse("select 1"), `${warehouseName(settings)} answers`)
})

const checkLake = (settings: Settings.Settings): Application.Check => ({
  name: "lake",
  run: Effect.tryPromise({
    try: () =>
      NodeFs.mkdir(settings.lake, { recursive: true }).then(() => NodeFs.access(settings.lake, NodeFs.constants.W_OK)),
    catch: (cause) =>
      configuration(`${settings.lake}: ${String(cause)}`, "set BAROGRAPH_LAKE to a directory that can be written")
  }).pipe(Effect.as(`${settings.lake} can be written`))
})

const checkSource = (settings: Settings.Settings, bundled: string): Application.Check => ({
  name: "source",
  run: Effect.map(symbols(settings, bundled), (members) => {
    const names = members.map(({ value }) => value).join(", ")
    return settings.apiKey === undefined ? `sample: ${names}` : `Alpha Vantage with a key: ${names}`
  })
})

const SAMPLE = "No ALPHA_VANTAGE_API_KEY: using the bundled sample of real 2013-2015 minute bars. " +
  "Set the key, BAROGRAPH_SYMBOLS and BAROGRAPH_START to load your own."

/** What the vendor allows a key without a plan. */
const FREE_KEY = { slots: 2, perSecond: 1, perDay: 25 }

/** Reads the settings and puts everything together. `bundled` is the path of the sample. */
export const load = (cwd: string, bundled: string) =>
  Effect.gen(function*() {
    const settings = yield* Effect.mapError(Settings.load(cwd), ({ fix, message }) => configuration(message, fix))
    return Application.make({
      graph: definitions,
      layer: services(settings, bundled),
      notices: settings.apiKey === undefined && settings.sample === undefined ? [SAMPLE] : [],
      members: Effect.map(symbols(settings, bundled), (members) => ({ symbols: members })),
      concurrency: settings.concurrency,
      pools: { market_data: settings.apiKey === undefined ? { slots: settings.concurrency } : FREE_KEY },
      limits: { runs: settings.maxRuns, tags: settings.tagLimits },
      upstreamErrors: ["MarketDataError"],
      stores: stores(settings),
      checks: [
        checkSource(settings, bundled),
        checkDatabase(settings),
        checkLake(settings),
        checkWarehouse(settings)
      ]
    })
  })
