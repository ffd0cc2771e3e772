/**
 * The composition of somebody's own graph: its definitions file gives the graph and the layers of its assets, the
 * configuration the engine's stores.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Path from "node:path"
import {
  alertChannels,
  alertPolicy,
  checkDatabase,
  client,
  configured,
  databaseLayer,
  engine,
  querying,
  STAGING
} from "./engine.ts"
import * as Settings from "./layers/settings/Settings.ts"
import type * as Definitions from "./runtime/asset/Definitions.ts"
import type { Project } from "./runtime/automation/Project.ts"
import * as Application from "./runtime/cli/Application.ts"
import * as DefinitionsFile from "./runtime/cli/DefinitionsFile.ts"
import { configuration, type Failure } from "./runtime/cli/Failure.ts"
import * as CauseText from "./runtime/run/CauseText.ts"

const failing = (what: string, file: string) => (cause: Cause.Cause<unknown>) =>
  Cause.hasInterruptsOnly(cause)
    ? Effect.failCause(cause as Cause.Cause<never>)
    : Effect.fail(configuration(`${what} of ${Path.basename(file)} failed: ${CauseText.message(cause)}`, `see ${file}`))

/** Code of the user's: what it dies of is no bug of ours either. */
const services = (definitions: Definitions.Definitions, file: string): Layer.Layer<unknown, Failure> =>
  Layer.catchCause(definitions.layer, (cause) => Layer.effectContext(failing("the layer", file)(cause)))

const checkServices = (definitions: Definitions.Definitions, file: string): Application.Check => ({
  name: "layer",
  run: Effect.scoped(Effect.as(Layer.build(services(definitions, file)), "the services of the assets can be built"))
})

const projectOf = (settings: Settings.Engine, definitions: Definitions.Definitions, file: string) =>
  ({
    graph: definitions.graph,
    automations: definitions.automations,
    members: Effect.catchCause(definitions.members, failing("the members", file)),
    concurrency: definitions.concurrency ?? settings.concurrency,
    pools: definitions.pools,
    limits: { runs: settings.maxRuns, tags: settings.tagLimits },
    alertPolicy: alertPolicy(settings, [])
  }) satisfies Project

/** The engine's settings are read once; the definitions whenever they change. */
const reloads = (settings: Settings.Engine, file: string) =>
  Stream.map(DefinitionsFile.changes(file), (read) =>
    Result.map(read, (definitions): Application.Reloaded => ({
      project: projectOf(settings, definitions, file),
      layer: services(definitions, file)
    })))

const settingsOf = (cwd: string) =>
  Effect.mapError(Settings.engine(cwd), ({ fix, message }) => configuration(message, fix))

/** The engine's stores and the channels of alerts, without a graph. */
export const stores = (cwd: string) =>
  Effect.map(
    settingsOf(cwd),
    (settings) => Layer.merge(alertChannels(settings), Layer.provide(configured(engine), databaseLayer(settings)))
  )

/** Reads the definitions and puts them on the engine. */
export const load = (file: string, cwd: string) =>
  Effect.gen(function*() {
    const settings = yield* settingsOf(cwd)
    const definitions = yield* DefinitionsFile.load(file)
    const server = databaseLayer(settings)
    return Application.make({
      origin: file.startsWith(`${cwd}/`) ? Path.relative(cwd, file) : file,
      ...projectOf(settings, definitions, file),
      layer: Layer.mergeAll(
        alertChannels(settings),
        services(definitions, file),
        Layer.provide(configured(engine), server)
      ),
      notices: definitions.notices,
      upstreamErrors: definitions.upstreamErrors,
      stores: { staging: querying(Layer.provide(configured(client(STAGING)), server)) },
      checks: [checkDatabase(settings), checkServices(definitions, file)],
      reloads: reloads(settings, file)
    })
  })
