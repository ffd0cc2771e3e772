import * as NodeServices from "@effect/platform-node/NodeServices"
import { expect, it } from "@effect/vitest"
import * as Command from "effect/cli/Command"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as TestConsole from "effect/testing/TestConsole"
import { Failure } from "../../../src/runtime/cli/Failure.ts"
import * as Logs from "../../../src/runtime/cli/Logs.ts"

const speak = Command.make("speak", {}, () =>
  Effect.gen(function*() {
    yield* Effect.logDebug("a detail")
    yield* Effect.logInfo("run begins").pipe(
      Effect.annotateLogs({ run: "20240101-000000-ab12", automation: "schedule/weekly" })
    )
    yield* Effect.logError("it went \"wrong\"")
  }))

const program = Command.make("program").pipe(
  Command.withSubcommands([speak]),
  Command.provide(Logs.layer),
  Command.withGlobalFlags([Logs.flag])
)

/** The lines on stderr and on stdout. */
const saidOn = (isTerminal: boolean, env: { readonly [name: string]: string }, args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const ended = yield* Effect.result(Command.runWith(program, { version: "0" })(["speak", ...args]))
    return { ended, errors: (yield* TestConsole.errorLines).map(String), out: yield* TestConsole.logLines }
  }).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env)),
    Effect.provide([NodeServices.layer, Stdio.layerTest({ stderrIsTerminal: Effect.succeed(isTerminal) })])
  )

const said = (env: { readonly [name: string]: string }, ...args: ReadonlyArray<string>) => saidOn(false, env, args)

it.effect("away from a terminal a log line is logfmt, on stderr, with its annotations as fields", () =>
  Effect.gen(function*() {
    const { errors, out } = yield* said({})
    expect(out).toEqual([])
    expect(errors).toHaveLength(2)
    expect(errors[0]).toMatch(
      /^timestamp=\S+ level=INFO fiber=\S+ message="run begins" run=20240101-000000-ab12 automation=schedule\/weekly$/
    )
    expect(errors[1]).toContain("level=ERROR")
  }))

it.effect("as JSON a log line is one flat object", () =>
  Effect.gen(function*() {
    const { errors } = yield* said({}, "--log-format", "json")
    expect(errors.map((line) => JSON.parse(line))).toMatchObject([
      { level: "INFO", message: "run begins", run: "20240101-000000-ab12", automation: "schedule/weekly" },
      { level: "ERROR", message: "it went \"wrong\"" }
    ])
  }))

it.effect("the flag wins over the environment", () =>
  Effect.gen(function*() {
    const { errors } = yield* said({ BAROGRAPH_LOG_FORMAT: "pretty" }, "--log-format", "json")
    expect(errors.every((line) => line.startsWith("{"))).toBe(true)
  }))

it.effect("pretty lines are chosen by the environment", () =>
  Effect.gen(function*() {
    const { errors, out } = yield* said({ BAROGRAPH_LOG_FORMAT: "pretty" })
    expect(out).toEqual([])
    expect(errors[0]).toMatch(/^\[.*\] INFO \(#\d+\): run begins$/)
  }))

it.effect("the environment names the level", () =>
  Effect.gen(function*() {
    expect((yield* said({ BAROGRAPH_LOG_LEVEL: "error" })).errors).toHaveLength(1)
  }))

it.effect("a level by flag wins over the environment's", () =>
  Effect.gen(function*() {
    expect((yield* said({ BAROGRAPH_LOG_LEVEL: "error" }, "--log-level", "debug")).errors).toHaveLength(3)
  }))

it.effect("a setting that is no format is a configuration error with the possible ones", () =>
  Effect.gen(function*() {
    const { ended } = yield* said({ BAROGRAPH_LOG_FORMAT: "xml" })
    expect(ended).toMatchObject({
      failure: new Failure({
        exitCode: 3,
        message: "BAROGRAPH_LOG_FORMAT is \"xml\"",
        fix: "expected one of pretty, json, logfmt"
      })
    })
  }))

it.effect("on a terminal it is made for reading, with colours unless NO_COLOR says none", () =>
  Effect.gen(function*() {
    const onTerminal = (env: { readonly [name: string]: string }) =>
      Effect.map(saidOn(true, env, []), ({ errors }) => errors.join("\n"))
    const plain = yield* onTerminal({ NO_COLOR: "1" })
    expect(plain).toMatch(/^\[.*\] INFO \(#\d+\): run begins\nrun:\n20240101-000000-ab12\n/)
    expect(plain).not.toContain("\u001b")
    expect(yield* onTerminal({})).toContain("\u001b[36mrun begins\u001b[0m")
  }))
