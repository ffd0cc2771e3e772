/**
 * How the program logs: one line an entry on stderr, with the annotations (run, automation, asset, ...) as fields, or made
 * for reading where a person looks.
 */
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Stdio from "effect/Stdio"
import { configuration } from "./Failure.ts"
import * as Picture from "./render/Picture.ts"

const FORMATS = ["pretty", "json", "logfmt"] as const
type Format = (typeof FORMATS)[number]

const LEVELS = ["All", "Trace", "Debug", "Info", "Warn", "Error", "Fatal", "None"] as const

export const flag = GlobalFlag.Setting("log-format")({
  flag: Flag.Literals("log-format", FORMATS).pipe(
    Flag.withDescription("How log lines look; pretty on a terminal, logfmt otherwise; also BAROGRAPH_LOG_FORMAT"),
    Flag.optional
  )
})

/** One flat object, so that a log store finds `run` as it finds `level`. */
const json = Logger.map(
  Logger.formatStructured,
  ({ annotations, cause, level, message, timestamp }) =>
    JSON.stringify({ ...annotations, timestamp, level, message, ...(cause === undefined ? {} : { cause }) })
)

const loggerOf = (format: Format, colors: boolean): Logger.Logger<unknown, void> => {
  switch (format) {
    case "json":
      return Logger.withConsoleError(json)
    case "logfmt":
      return Logger.withConsoleError(Logger.formatLogFmt)
    case "pretty":
      return Logger.consolePretty({ mode: "tty", colors })
  }
}

/** A setting of the environment, in any case; undefined when it is not set. */
const variable = Effect.fnUntraced(function*<const L extends string>(name: string, values: ReadonlyArray<L>) {
  const text = Option.getOrElse(yield* Effect.orDie(Config.option(Config.String(name))), () => "").trim()
  const value = values.find((one) => one.toLowerCase() === text.toLowerCase())
  if (value !== undefined || text === "") return value
  return yield* configuration(`${name} is "${text}"`, `expected one of ${values.join(", ").toLowerCase()}`)
})

/** What the flags say, else the environment. Loggers that were added to the default one stay. */
export const layer = Layer.effectContext(Effect.gen(function*() {
  const format = Option.getOrUndefined(yield* flag) ?? (yield* variable("BAROGRAPH_LOG_FORMAT", FORMATS))
  const isTerminal = yield* (yield* Stdio.Stdio).stderrIsTerminal
  const logger = loggerOf(format ?? (isTerminal ? "pretty" : "logfmt"), isTerminal && (yield* Picture.isColored))
  const others = [...(yield* Logger.CurrentLoggers)].filter((one) => one !== Logger.defaultLogger)
  const loggers = Context.make(Logger.CurrentLoggers, new Set([...others, logger])).pipe(
    Context.add(Logger.LogToStderr, true)
  )
  const asked = Option.flatten(yield* Effect.serviceOption(GlobalFlag.LogLevel))
  const level = Option.isSome(asked) ? undefined : yield* variable("BAROGRAPH_LOG_LEVEL", LEVELS)
  return level === undefined ? loggers : Context.add(loggers, References.MinimumLogLevel, level)
}))
