/** The bin: the commands, the runtime, and what an exit code means. The application is loaded by whoever needs it. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Url from "node:url"
import manifest from "../package.json" with { type: "json" }
import * as Telemetry from "./layers/telemetry/Telemetry.ts"
import { ApplicationLoader } from "./runtime/cli/Application.ts"
import { barograph } from "./runtime/cli/Commands.ts"
import { definitionsFlag } from "./runtime/cli/DefinitionsFlag.ts"
import { Failure } from "./runtime/cli/Failure.ts"
import { ProjectTemplate } from "./runtime/cli/ProjectTemplate.ts"
import * as Print from "./runtime/cli/render/Print.ts"
import * as UsageText from "./runtime/cli/render/UsageText.ts"

/** The same from `src/main.ts`, `dist/app.js` and `lib/main.js`. */
const packageDirectory = Url.fileURLToPath(new URL("..", import.meta.url))

/** Somebody's own graph when one is named, else the bundled one. */
const load = Effect.gen(function*() {
  const flag = Option.getOrUndefined(yield* definitionsFlag)
  const { definitions } = yield* Effect.promise(() => import("./layers/settings/Settings.ts"))
  const { find } = yield* Effect.promise(() => import("./runtime/cli/DefinitionsFile.ts"))
  const setting = yield* Effect.orDie(definitions)
  const file = yield* find({ flag, setting }, process.cwd())
  if (file === undefined) {
    const application = yield* Effect.promise(() => import("./application.ts"))
    return yield* application.load(process.cwd(), `${packageDirectory}src/layers/market-data/sample/bars.csv.gz`)
  }
  const project = yield* Effect.promise(() => import("./project.ts"))
  return yield* project.load(file, process.cwd())
})

const stores = Effect.flatMap(Effect.promise(() => import("./project.ts")), ({ stores }) => stores(process.cwd()))

const told = (failure: Failure) =>
  Effect.as(
    Print.talk(failure.fix === "" ? `error: ${failure.message}` : `error: ${failure.message}\n  fix: ${failure.fix}`),
    failure.exitCode
  )

/** Ends with the exit code: a failure is told in its own words, a usage error was told by the presenter. */
const program = Command.runWith(barograph, { version: manifest.version })(process.argv.slice(2)).pipe(
  Telemetry.exported(manifest.version),
  Effect.as(0),
  Effect.catch((error) => {
    if (error instanceof Failure) return told(error)
    if (CliError.isCliError(error)) {
      return Effect.succeed(error._tag === "ShowHelp" && error.errors.length === 0 ? 0 : 2)
    }
    return told(new Failure({ exitCode: 1, message: error.message, fix: "" }))
  }),
  // What is left is a mistake of ours: it is told in full, on stderr like everything that is not data.
  Effect.catchCause((cause) =>
    Cause.hasInterruptsOnly(cause)
      ? Effect.failCause(cause)
      : Effect.as(Print.talk(`error: a bug in barograph\n${Cause.pretty(cause)}`), 1)
  )
)

/**
 * Data that was not written, as on a full disk, would be missed by nobody. A reader that has seen enough, as `head`, takes
 * nothing away.
 */
const written = (code: number): Effect.Effect<number> =>
  Effect.suspend(() => {
    const lost: NodeJS.ErrnoException | null = process.stdout.errored
    return lost === null || lost.code === "EPIPE" || code !== 0
      ? Effect.succeed(code)
      : told(new Failure({ exitCode: 1, message: `stdout cannot be written: ${lost.message}`, fix: "" }))
  })

program.pipe(
  Effect.flatMap(written),
  Effect.provide(Layer.mergeAll(
    Layer.succeed(ApplicationLoader, { load, stores }),
    Layer.succeed(ProjectTemplate, { packageDirectory, manifest }),
    NodeServices.layer,
    CliOutput.layerPresenter(UsageText.presenter),
    Layer.succeed(Logger.LogToStderr, true)
  )),
  (main) =>
    NodeRuntime.runMain(main, {
      disableErrorReporting: true,
      teardown: (exit, onExit) =>
        Exit.isSuccess(exit) && typeof exit.value === "number"
          ? onExit(exit.value)
          : Runtime.defaultTeardown(exit, onExit)
    })
)
