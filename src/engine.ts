/**
 * What every graph gets, whosever it is: the engine's stores on DATABASE_URL or the embedded PostgreSQL, the queries of
 * `barograph query`, and the check of the database.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import type * as PgConnection from "@effect/sql-pg/PgConnection"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as SqlClient from "effect/sql/SqlClient"
import * as Console from "./layers/alerts/Console.ts"
import * as ColumnNames from "./layers/database/ColumnNames.ts"
import * as Database from "./layers/database/Database.ts"
import type * as Settings from "./layers/settings/Settings.ts"
import { AlertChannels } from "./runtime/automation/AlertChannels.ts"
import * as AlertPolicy from "./runtime/automation/AlertPolicy.ts"
import type * as Application from "./runtime/cli/Application.ts"
import { configuration, Failure } from "./runtime/cli/Failure.ts"
import { Executor } from "./runtime/run/Executor.ts"
import { AlertStore } from "./runtime/store/AlertStore.ts"
import { AutomationStore } from "./runtime/store/AutomationStore.ts"
import { BackfillStore } from "./runtime/store/BackfillStore.ts"
import { CheckStore } from "./runtime/store/CheckStore.ts"
import { Claims } from "./runtime/store/Claims.ts"
import { ConditionStore } from "./runtime/store/ConditionStore.ts"
import { DynamicPartitions } from "./runtime/store/DynamicPartitions.ts"
import * as EngineSchema from "./runtime/store/EngineSchema.ts"
import { Leadership } from "./runtime/store/Leadership.ts"
import { MaterializationStore } from "./runtime/store/MaterializationStore.ts"
import { RunStore } from "./runtime/store/RunStore.ts"
import { Signals } from "./runtime/store/Signals.ts"
import * as Transaction from "./runtime/store/Transaction.ts"

export const DOCTOR = "barograph doctor shows what is configured"

export interface Said {
  readonly message: string
  readonly fix?: string
}

/** An error of a layer ends the command as a configuration error, in its own words. */
export const configured = <A, E extends Said, R>(layer: Layer.Layer<A, E, R>): Layer.Layer<A, Failure, R> =>
  Layer.catch(layer, (error) => Layer.effectContext(Effect.fail(configuration(error.message, fixOf(error)))))

/** The server names the database to which nobody of this name may add a schema. */
const fixOf = ({ fix, message }: Said): string => {
  const [, database] = /permission denied for database (\S+)/.exec(message) ?? []
  return database === undefined
    ? fix ?? DOCTOR
    : `the database's owner runs: grant create on database ${database} to USER`
}

export const databaseLayer = (settings: Settings.Engine) =>
  configured(Database.layer({ home: settings.home, url: settings.databaseUrl }))

/** Where `barograph query --store staging` looks for tables without a schema. */
export const STAGING = "staging,derived,barograph,public"

/** Connections of their own to the same server, with their own search path. */
export const client = (searchPath: string) =>
  Layer.unwrap(
    Effect.map(Database.Database, ({ config }) =>
      PgClient.layer({
        ...config,
        maxConnections: 4,
        startupParameters: { ...config.startupParameters, search_path: searchPath }
      }))
  )

export const engine = Executor.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      RunStore.layer,
      MaterializationStore.layer,
      CheckStore.layer,
      Claims.layer,
      DynamicPartitions.layer,
      BackfillStore.layer,
      AlertStore.layer,
      AutomationStore.layer,
      Leadership.layer,
      Signals.layer,
      ConditionStore.layer
    )
  ),
  Layer.provide(EngineSchema.layer)
)

/** What speaks HTTP is loaded only where something is configured that needs it; the log hears of everything. */
export const alertChannels = ({ alerts }: Settings.Engine): Layer.Layer<never> =>
  alerts.slackWebhook === undefined && alerts.slackBot === undefined && alerts.webhook === undefined
    ? Layer.succeed(AlertChannels, [Console.channel])
    : Layer.effect(
      AlertChannels,
      Effect.flatMap(
        Effect.promise(() => import("./layers/alerts/Configured.ts")),
        (Configured) => Effect.map(Configured.channels(alerts), (channels) => [Console.channel, ...channels])
      )
    )

export const alertPolicy = ({ alerts }: Settings.Engine, quotaReasons: ReadonlyArray<string>): AlertPolicy.Policy => ({
  ...AlertPolicy.standard,
  quotaReasons,
  quarantineThreshold: alerts.quarantineThreshold ?? AlertPolicy.standard.quarantineThreshold
})

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

/** What was known then stands before what is known now. */
const knownAt = (sql: SqlClient.SqlClient, asOf: string) =>
  sql`select set_config('barograph.as_of', (${asOf}::text::timestamptz)::text, true),
    set_config('search_path', 'staging_as_of,' || current_setting('search_path'), true)`

/** One statement in a read-only transaction. */
const ask = (sql: SqlClient.SqlClient, text: string, asOf: string | undefined) =>
  Transaction.within(sql)(Effect.gen(function*() {
    if (asOf !== undefined) yield* knownAt(sql, asOf)
    yield* sql`set transaction read only`
    const { fields, rows } = (yield* sql.unsafe(text).raw) as PgConnection.Result
    const names = fields.map(({ name }) => name)
    if (ColumnNames.isDistinct(names)) return rows
    // The driver gives the names of columns or all of their values: it is asked again for the latter.
    const values = yield* sql.unsafe(text).values
    return values.map((row) => ColumnNames.row(ColumnNames.distinct(names), row))
  })).pipe(Effect.mapError((error) =>
    new Failure({
      exitCode: 2,
      message: innermost(error),
      fix: "one SELECT; tables are there after the first materialize"
    })
  ))

type Client = Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, Failure>

export const querying = (client: Client) => (text: string, asOf?: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => ask(sql, text, asOf)).pipe(Effect.provide(client))

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`

export const checkDatabase = (settings: Settings.Engine): Application.Check => ({
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
