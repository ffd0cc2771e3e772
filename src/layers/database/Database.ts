/**
 * The PostgreSQL every process uses: the server of `DATABASE_URL`, or an embedded one in the state directory. Building
 * the layer proves it with a statement, so that what is wrong with a server is said before any work begins.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as SqlClient from "effect/sql/SqlClient"
import { realpathSync } from "node:fs"
import { dirname } from "node:path"
import type { DatabaseError } from "./DatabaseError.ts"
import * as Embedded from "./Embedded.ts"
import { name } from "./EmbeddedData.ts"
import * as ServerUrl from "./ServerUrl.ts"
import { toDatabaseError } from "./SqlFailure.ts"

export interface Options {
  /** Absolute path of the state directory. Made when missing; unused with a `url`. */
  readonly home: string
  /** `DATABASE_URL`. Undefined: embedded. */
  readonly url: Redacted.Redacted<string> | undefined
}

export class Database extends Context.Service<Database, {
  readonly kind: "embedded" | "external"
  /** Names the server to a person. No password in it. */
  readonly describe: string
  /** Opens further pools on the same server: `PgClient.layer({ ...database.config, maxConnections: 2 })`. */
  readonly config: PgClient.PgPoolConfig
}>()("barograph/layers/database/Database") {}

/** The server, up for as long as the layer lives, and a pool of connections to it. */
export const layer = (
  options: Options
): Layer.Layer<Database | PgClient.PgClient | SqlClient.SqlClient, DatabaseError> => {
  const server = options.url === undefined ? embedded(options.home) : external(options.url)
  // A pool for each server: the same layer would be built once for all of them.
  return Layer.provideMerge(Layer.fresh(layerPool), Layer.effect(Database, server))
}

const layerPool = PgClient.layerFrom(Effect.gen(function*() {
  const database = yield* Database
  const sql = yield* Effect.mapError(
    PgClient.make(database.config),
    (error) => toDatabaseError(error, database.describe)
  )
  yield* prove(sql, database)
  return sql
}))

/**
 * The driver itself would connect no sooner than somebody asks. An embedded server that someone signals at this very
 * moment is up again within seconds, in real time whatever clock the program runs on.
 */
const prove = (sql: PgClient.PgClient, { describe, kind }: Database["Service"]) =>
  sql`SELECT 1`.pipe(
    Effect.mapError((error) => toDatabaseError(error, describe)),
    Effect.retry({ while: (error) => kind === "embedded" && isPassing(error), schedule: again }),
    Effect.provideService(Clock.Clock, Clock.Clock.defaultValue())
  )

const isPassing = ({ reason }: DatabaseError): boolean => reason._tag === "NotReady" || reason._tag === "Refused"
const again = Schedule.upTo(Schedule.spaced("100 millis"), { duration: "10 seconds" })

const defaults = {
  // Opened when needed. A run holds one, and a daemon has several runs beside what listens.
  maxConnections: 24,
  connectTimeout: "10 seconds",
  applicationName: name,
  // A process that stands still within a transaction holds its locks: whoever takes over its work waits no longer than this.
  startupParameters: { idle_in_transaction_session_timeout: "8s" },
  // Found dead within a minute when a NAT or firewall forgot the connection.
  keepAlive: "30 seconds"
} as const satisfies PgClient.PgPoolConfig

const embedded = Effect.fnUntraced(function*(home: string) {
  const { paths, socket } = yield* Embedded.make(home)
  return Database.of({
    kind: "embedded",
    describe: `embedded PostgreSQL in ${paths.data}`,
    config: { ...defaults, path: socket, username: name, database: name, ssl: false }
  })
})

const external = Effect.fnUntraced(function*(url: Redacted.Redacted<string>) {
  const server = yield* Effect.fromResult(ServerUrl.parse(url))
  const { applicationName, connectTimeout, ...rest } = defaults
  return Database.of({
    kind: "external",
    describe: server.name,
    config: {
      ...rest,
      url: server.url,
      applicationName: server.applicationName ?? applicationName,
      ...(server.connectTimeout === undefined ? { connectTimeout } : {})
    }
  })
})

/** For `doctor`. */
export interface Inspection {
  readonly kind: "embedded" | "external"
  /** As the server says it: `18.4`. */
  readonly version: string
  /** Undefined for a server of the user's own. */
  readonly dataDirectory: string | undefined
}

export const inspect: Effect.Effect<Inspection, DatabaseError, Database | SqlClient.SqlClient> = Effect.gen(
  function*() {
    const { config, describe, kind } = yield* Database
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ version: string }>`SELECT current_setting('server_version') AS version`.pipe(
      Effect.mapError((error) => toDatabaseError(error, describe))
    )
    // The server itself knows its directory as /proc/self/cwd only; the socket lies in it.
    const dataDirectory = config.path === undefined ? undefined : realpathSync(dirname(config.path))
    return { kind, version: row?.version ?? "unknown", dataDirectory }
  }
)
