/** The commands in this process, over a graph in memory: what they print, and how they end. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestConsole from "effect/testing/TestConsole"
import type * as AssetGraph from "../../src/runtime/asset/AssetGraph.ts"
import { AlertChannels, type Channel } from "../../src/runtime/automation/AlertChannels.ts"
import type { Automation } from "../../src/runtime/automation/Project.ts"
import * as Application from "../../src/runtime/cli/Application.ts"
import { barograph } from "../../src/runtime/cli/Commands.ts"
import { configuration, Failure } from "../../src/runtime/cli/Failure.ts"
import { ProjectTemplate } from "../../src/runtime/cli/ProjectTemplate.ts"
import * as TestGraph from "./TestGraph.ts"

/** Nothing is initialized here. */
export const noTemplate = Layer.succeed(ProjectTemplate, {
  packageDirectory: "",
  manifest: { version: "0", devDependencies: {} }
})

export interface Ended {
  /** 0, or that of the failure. */
  readonly code: number
  readonly stdout: string
  /** What was talked, and what the failure says. */
  readonly stderr: string
}

const UNREADABLE = configuration("own.ts does not parse.", "see own.ts")

/** All commands of one `make` see the same memory. Alerts go to these channels. `runUnreadable` has no definitions. */
export const make = (
  graph: AssetGraph.AssetGraph<string, never>,
  channels: ReadonlyArray<Channel> = [],
  automations: ReadonlyArray<Automation<never>> = []
) =>
  Effect.gen(function*() {
    const services = yield* Layer.build(TestGraph.layerMemory)
    const application = Application.make({
      origin: "a graph in memory",
      graph,
      layer: Layer.merge(Layer.succeedContext(services), Layer.succeed(AlertChannels, channels)),
      notices: [],
      members: Effect.succeed({}),
      concurrency: 2,
      automations,
      pools: {},
      limits: {},
      upstreamErrors: [],
      stores: {},
      checks: []
    })
    const running = (load: Effect.Effect<Application.Application, Failure>) => (...args: ReadonlyArray<string>) =>
      Effect.gen(function*() {
        const loader = Layer.succeed(Application.ApplicationLoader, { load, stores: Effect.succeed(application.layer) })
        const [logged, talked] = [(yield* TestConsole.logLines).length, (yield* TestConsole.errorLines).length]
        const failure = yield* Command.runWith(barograph, { version: "0" })(args).pipe(
          Effect.as(undefined),
          Effect.catch((error) => Effect.succeed(error)),
          Effect.provide(Layer.mergeAll(loader, noTemplate, NodeServices.layer))
        )
        const said = failure === undefined
          ? []
          : [failure.message, ...(failure instanceof Failure ? [failure.fix] : [])]
        return {
          code: failure === undefined ? 0 : failure instanceof Failure ? failure.exitCode : 2,
          stdout: (yield* TestConsole.logLines).slice(logged).join("\n"),
          stderr: [...(yield* TestConsole.errorLines).slice(talked), ...said].join("\n")
        } satisfies Ended
      })
    const run = running(Effect.succeed(application))
    const runUnreadable = running(Effect.fail(UNREADABLE))
    const inMemory = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideContext(effect, services)
    return { run, runUnreadable, inMemory }
  })
