/**
 * The composition of the bundled graph: settings -> layers -> application. Which implementation serves which tag is
 * decided here and nowhere else. Loaded by the first command that needs it.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { automations } from "./assets/automations.ts"
import { barsParquet } from "./assets/barsParquet.ts"
import { barsByDate, barsByMonth } from "./assets/compactedBars.ts"
import { withLayout } from "./assets/definitions.ts"
import { rawBars } from "./assets/rawBars.ts"
import { redshiftBars } from "./assets/redshiftBars.ts"
import { sharedCalls } from "./assets/sharedCalls.ts"
import { stagedBars } from "./assets/stagedBars.ts"
import { onCalendar, TradingCalendar } from "./assets/TradingCalendar.ts"
import {
  alertChannels,
  alertPolicy,
  checkDatabase,
  client,
  configured,
  databaseLayer,
  DOCTOR,
  engine,
  querying,
  type Said,
  STAGING
} from "./engine.ts"
import * as KnownSplits from "./knownSplits.ts"
import * as Rule from "./layers/bars/Rule.ts"
import * as Database from "./layers/database/Database.ts"
import * as ServerUrl from "./layers/database/ServerUrl.ts"
import * as Derived from "./layers/derived/Postgres.ts"
import * as FileSystem from "./layers/lake/FileSystem.ts"
import * as Location from "./layers/lake/Location.ts"
import { ObjectStore, type ObjectStoreError } from "./layers/lake/ObjectStore.ts"
import { ParquetFormat } from "./layers/lake/ParquetFormat.ts"
import * as Forecast from "./layers/market-data/quota/Forecast.ts"
import * as QuotaMemory from "./layers/market-data/quota/Memory.ts"
import * as QuotaPostgres from "./layers/market-data/quota/Postgres.ts"
import * as Replay from "./layers/market-data/Replay.ts"
import * as Settings from "./layers/settings/Settings.ts"
import * as Staging from "./layers/staging/Postgres.ts"
import * as Warehouse from "./layers/warehouse/Postgres.ts"
import * as RedshiftTarget from "./layers/warehouse/RedshiftTarget.ts"
import * as Loads from "./loads.ts"
import * as Quarantine from "./quarantine.ts"
import * as Application from "./runtime/cli/Application.ts"
import { configuration, Failure, usage } from "./runtime/cli/Failure.ts"
import * as Plan from "./runtime/plan/Plan.ts"
import * as Source from "./source.ts"

const WAREHOUSE = "warehouse,public"

/** Runs on the warehouse's own server when one is configured, else on the database's. */
const onWarehouse = <A, E extends Said>(settings: Settings.Settings, layer: Layer.Layer<A, E, Database.Database>) =>
  configured(
    settings.warehouseUrl === undefined
      ? layer
      : Layer.provide(layer, warehouseServer({ home: settings.home, url: settings.warehouseUrl }))
  )

/** A server is known by the variable of the database, unless it is the warehouse's. */
const warehouseServer = (options: Database.Options) =>
  Layer.catch(Database.layer(options), ({ fix, message }) => {
    const [said, mend] = [message, fix].map((text) => text.replaceAll("DATABASE_URL", "BAROGRAPH_WAREHOUSE"))
    return Layer.effectContext(Effect.fail(configuration(said!, mend!)))
  })

const postgresWarehouse = Layer.unwrap(
  Effect.map(Database.Database, ({ describe }) => Layer.provide(Warehouse.layer(describe), client(WAREHOUSE)))
)

const redshift = Effect.promise(() => import("./layers/warehouse/RedshiftData.ts"))

/** Redshift's client is loaded only where there is one; everybody else's warehouse is a PostgreSQL. */
const warehouse = (settings: Settings.Settings) => {
  const target = settings.redshift
  return target === undefined
    ? onWarehouse(settings, postgresWarehouse)
    : configured(Layer.unwrap(Effect.map(redshift, (RedshiftData) => RedshiftData.layer(target))))
}

/** What was called of a vendor is remembered in the database; the sample has no vendor. */
const quota = (settings: Settings.Settings) =>
  settings.source._tag === "Sample" ? QuotaMemory.layerMemory : configured(QuotaPostgres.layer)

const marketData = (settings: Settings.Settings, bundled: string) =>
  Layer.merge(
    configured(Source.layer(settings.source, settings.sample ?? bundled)),
    Source.actions(settings.source)
  ).pipe(Layer.provide(quota(settings)))

/** What the calls of a plan mean for what is left of the vendor's day. */
const quotaForecast = (settings: Settings.Settings, plan: Plan.Plan) => {
  const calls = Plan.callsPerPool(plan)[MARKET_DATA]
  return calls === undefined ? Effect.succeed([]) : Source.forecast(settings.source, calls).pipe(
    Effect.map((found) => found === undefined ? [] : [Forecast.text(found)]),
    Effect.mapError((error) => configuration(error.message, DOCTOR)),
    Effect.provide(Layer.provide(quota(settings), databaseLayer(settings)))
  )
}

/** A load into PostgreSQL is always one transaction: there is nothing to explain. */
const loadForecast = ({ redshift, source }: Settings.Settings, plan: Plan.Plan) =>
  redshift === undefined
    ? Effect.succeed([])
    : Loads.forecast(plan, redshift, (session) => Source.barsIn(source, session))

const forecast = (settings: Settings.Settings) => (plan: Plan.Plan) =>
  Effect.map(Effect.all([quotaForecast(settings, plan), loadForecast(settings, plan)]), (lines) => lines.flat())

const MARKET_DATA = "market_data"

const lakeFailure = ({ fix, what }: ObjectStoreError): Failure => configuration(what, fix === "" ? DOCTOR : fix)

/** The client of a bucket is loaded only where the lake is one. */
const lake = ({ lake }: Settings.Settings) =>
  lake.kind === "directory"
    ? Layer.catch(FileSystem.layer(lake.path), (error) => Layer.effectContext(Effect.fail(lakeFailure(error))))
    : bucket(lake)

const bucket = (location: Location.Bucket) =>
  Layer.unwrap(Effect.map(Effect.promise(() => import("./layers/lake/S3.ts")), (S3) => S3.layer(location)))

const services = (settings: Settings.Settings, bundled: string) =>
  Layer.mergeAll(
    configured(engine),
    configured(Staging.layer),
    Derived.layer,
    warehouse(settings),
    marketData(settings, bundled),
    Layer.provide(KnownSplits.layer, configured(engine)),
    Layer.succeed(TradingCalendar, Source.calendar(settings.source)),
    lake(settings),
    alertChannels(settings),
    Layer.succeed(ParquetFormat, settings.parquet)
  ).pipe(Layer.provide(databaseLayer(settings)), Layer.provideMerge(Layer.succeed(Rule.Active, settings.rules)))

/** For people: an URL may hold a password, its name does not. */
const serverName = (url: Redacted.Redacted<string>): string =>
  Result.match(ServerUrl.parse(url), { onSuccess: ({ name }) => name, onFailure: ({ message }) => message })

const databaseName = ({ databaseUrl, home }: Settings.Settings): string =>
  databaseUrl === undefined ? `the embedded PostgreSQL in ${home}` : serverName(databaseUrl)

const warehouseName = (settings: Settings.Settings): string =>
  settings.redshift !== undefined
    ? RedshiftTarget.describeLoads(settings.redshift)
    : `schema warehouse of ${
      settings.warehouseUrl === undefined ? databaseName(settings) : serverName(settings.warehouseUrl)
    }`

const locations = (settings: Settings.Settings) => ({
  [rawBars.name]: Location.render(settings.lake),
  [stagedBars.name]: `schema staging of ${databaseName(settings)}`,
  [barsParquet.name]: Location.render(settings.lake),
  [barsByMonth.name]: Location.render(settings.lake),
  [barsByDate.name]: Location.render(settings.lake),
  [redshiftBars.name]: warehouseName(settings)
})

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

/** The warehouse holds what is true now, and so does `staging.bars` whatever is asked before it. */
const refusal = (store: "staging" | "warehouse", text: string): Failure | undefined => {
  if (store === "warehouse") return usage("the warehouse does not remember", "--as-of with --store staging")
  return /\bstaging\s*\.\s*"?bars\b/i.test(text)
    ? usage("staging.bars is what is known now, whatever --as-of says", "write bars without its schema")
    : undefined
}

const remembering =
  (store: "staging" | "warehouse", ask: ReturnType<typeof querying>) => (text: string, asOf?: string) =>
    Effect.suspend(() => {
      const refused = asOf === undefined ? undefined : refusal(store, text)
      return refused === undefined ? ask(text, asOf) : Effect.fail(refused)
    })

/** What writes the files of a layout. */
const filesOf = { "symbol/date": barsParquet.name, "symbol/month": barsByMonth.name, date: barsByDate.name } as const

/** Loaded with the question: no other command reads Parquet. */
const askLake = (settings: Settings.Settings) => (text: string, asOf?: string) =>
  asOf !== undefined ?
    Effect.fail(usage("the lake does not remember", "--as-of with --store staging")) :
    Effect.flatMap(
      Effect.promise(() => import("./layers/lake/LakeQuery.ts")),
      (LakeQuery) => LakeQuery.ask(text, settings.layout)
    ).pipe(
      Effect.catchTags({
        LakeQueryError: ({ fix, message }) => Effect.fail(new Failure({ exitCode: 2, message, fix })),
        ParquetError: ({ message }) =>
          Effect.fail(
            configuration(message, `remove the file, then materialize --asset ${filesOf[settings.layout]} --force`)
          ),
        ObjectStoreError: (error) => Effect.fail(lakeFailure(error))
      }),
      Effect.provide(lake(settings))
    )

const askRedshift = (target: RedshiftTarget.RedshiftTarget) => (text: string) =>
  Effect.flatMap(
    Effect.promise(() => import("./layers/warehouse/RedshiftQuery.ts")),
    (RedshiftQuery) => RedshiftQuery.query(target, text)
  ).pipe(
    Effect.scoped,
    Effect.mapError(({ fix, message, reason }) => {
      const asked = reason._tag === "Refused" || reason._tag === "Failed"
      return new Failure({ exitCode: asked ? 2 : reason.retryable ? 4 : 3, message, fix })
    })
  )

const stores = (settings: Settings.Settings) => {
  const server = databaseLayer(settings)
  return {
    staging: remembering("staging", querying(Layer.provide(configured(client(STAGING)), server))),
    warehouse: remembering(
      "warehouse",
      settings.redshift !== undefined
        ? askRedshift(settings.redshift)
        : querying(Layer.provide(onWarehouse(settings, client(WAREHOUSE)), server))
    ),
    lake: askLake(settings)
  }
}

const checkWarehouse = (settings: Settings.Settings): Application.Check => ({
  name: "warehouse",
  run: Effect.as(stores(settings).warehouse("select 1"), `${warehouseName(settings)} answers`)
})

const checkLake = (settings: Settings.Settings): Application.Check => ({
  name: "lake",
  run: Effect.gen(function*() {
    const store = yield* ObjectStore
    yield* store.put(PROBE, new TextEncoder().encode("barograph doctor"))
    yield* store.get(PROBE)
    yield* store.remove(PROBE)
    return `${store.location} can be written`
  }).pipe(
    Effect.catchTag("ObjectStoreError", (error) => Effect.fail(lakeFailure(error))),
    Effect.provide(lake(settings))
  )
})

const PROBE = "doctor/probe"

/** What we may not do there, a load of some size would be the first to find out. Nothing of ours is read there. */
const checkCopy = ({ copy }: RedshiftTarget.RedshiftTarget): ReadonlyArray<Application.Check> =>
  copy === undefined ? [] : [{
    name: "copy",
    run: Effect.gen(function*() {
      const store = yield* ObjectStore
      yield* store.put(PROBE, new TextEncoder().encode("barograph doctor"))
      yield* store.list("doctor/")
      yield* store.remove(PROBE)
      return `${store.location} can be written`
    }).pipe(
      Effect.mapError((error) => configuration(error.what, RedshiftTarget.fixOfCopy(error.fix) || DOCTOR)),
      Effect.provide(bucket(copy.bucket))
    )
  }]

const checkSource = (settings: Settings.Settings, bundled: string): Application.Check => ({
  name: "source",
  run: Effect.map(symbols(settings, bundled), (members) => {
    const names = members.map(({ value }) => value).join(", ")
    return `${Source.describe(settings.source)}: ${names}`
  })
})

const SAMPLE = "No ALPHA_VANTAGE_API_KEY: using the bundled sample of real 2013-2015 minute bars. " +
  "Set the key (or BAROGRAPH_SOURCE=alpaca or binance), BAROGRAPH_SYMBOLS and BAROGRAPH_START to load your own."

/** Reads the settings and puts everything together. `bundled` is the path of the sample. */
export const load = (cwd: string, bundled: string) =>
  Effect.gen(function*() {
    const settings = yield* Effect.mapError(Settings.load(cwd), ({ fix, message }) => configuration(message, fix))
    return Application.make({
      origin: "the bundled graph",
      graph: sharedCalls(
        onCalendar(withLayout(settings.layout), Source.calendar(settings.source)),
        Source.sharing(settings.source)
      ),
      layer: services(settings, bundled),
      notices: settings.source._tag === "Sample" && settings.sample === undefined ? [SAMPLE] : settings.notices,
      members: Effect.map(symbols(settings, bundled), (members) => ({ symbols: members })),
      concurrency: settings.concurrency,
      pools: { [MARKET_DATA]: Source.pool(settings.source, settings.concurrency) },
      forecast: forecast(settings),
      locations: locations(settings),
      limits: { runs: settings.maxRuns, tags: settings.tagLimits },
      upstreamErrors: ["MarketDataError"],
      alertPolicy: alertPolicy(settings, ["QuotaExhausted"]),
      automations,
      stores: stores(settings),
      quarantine: Quarantine.make(stores(settings).staging),
      checks: [
        checkSource(settings, bundled),
        checkDatabase(settings),
        checkLake(settings),
        checkWarehouse(settings),
        ...settings.redshift === undefined ? [] : checkCopy(settings.redshift)
      ]
    })
  })
