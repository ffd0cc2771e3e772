/** The commands of what happens by itself: `daemon`, `schedule`, `sensor`. What they do is in `handlers/`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { json, limit, span } from "./Flags.ts"

const daemonHandler = Effect.promise(() => import("./handlers/daemon.ts"))
const automationHandler = Effect.promise(() => import("./handlers/automation.ts"))

const daemonStatus = Command.make(
  "status",
  { json },
  (input) => Effect.flatMap(daemonHandler, ({ status }) => status(input))
).pipe(Command.withDescription("Who leads, what goes on and waits; exit code 1 when nobody leads"))

export const daemon = Command.make("daemon", {
  slots: Flag.Int("slots").pipe(
    Flag.withDescription("Runs at a time, 16 at most; backfills have one more. Default: 4"),
    Flag.withDefault(4)
  ),
  lease: span("lease", "How long a daemon that says nothing still leads: others take over after it. Default: 6s").pipe(
    Flag.withDefault(Duration.seconds(6))
  ),
  drain: span("drain", "How long runs may go on when the daemon is asked to stop. Default: 30s", { zero: true }).pipe(
    Flag.withDefault(Duration.seconds(30))
  ),
  listen: Flag.String("listen").pipe(
    Flag.withMetavar("HOST:PORT"),
    Flag.withDescription(
      "Answer /health, /ready, /status and /metrics over HTTP, as in 127.0.0.1:4180; a port alone is loopback's; also BAROGRAPH_LISTEN"
    ),
    Flag.withFallbackConfig(Config.String("BAROGRAPH_LISTEN")),
    Flag.optional
  ),
  simulate: span("simulate", "Do nothing: say what it would do in so much time, as in 30d").pipe(Flag.optional),
  json
}, (input) => Effect.flatMap(daemonHandler, ({ daemon }) => daemon(input))).pipe(
  Command.withDescription("Run schedules, sensors, stored backfills and requested runs, until it is told to stop"),
  Command.withExamples([
    { command: "barograph daemon", description: "A second one stands by, and takes over when the first dies" },
    { command: "barograph daemon --simulate 30d", description: "What it would do in the next 30 days, and when" }
  ]),
  Command.withSubcommands([daemonStatus])
)

type Kind = "schedule" | "sensor"

const name = Argument.String("name")

const history = (kind: Kind) =>
  Command.make("history", {
    name,
    limit: limit("How many, newest first", 20),
    json
  }, (input) => Effect.flatMap(automationHandler, ({ history }) => history(kind, input))).pipe(
    Command.withDescription("Its ticks: what became of each, and why it did nothing")
  )

const list = (kind: Kind) =>
  Command.make("list", { json }, (input) => Effect.flatMap(automationHandler, ({ list }) => list(kind, input))).pipe(
    Command.withDescription(`The ${kind}s, and when each is due next`)
  )

const setPaused = (kind: Kind, verb: "pause" | "resume", description: string) =>
  Command.make(
    verb,
    { name },
    (input) => Effect.flatMap(automationHandler, ({ setPaused }) => setPaused(kind, input.name, verb === "pause"))
  ).pipe(Command.withDescription(description), Command.withAlias(verb === "pause" ? "stop" : "start"))

const shared = (kind: Kind) =>
  [
    list(kind),
    history(kind),
    setPaused(kind, "pause", "Do nothing until it is resumed, in all daemons"),
    setPaused(kind, "resume", "Go on from now; what was due meanwhile is not made up")
  ] as const

const preview = Command.make("preview", {
  name: name.pipe(Argument.withDescription("One schedule; all of them when it is left out"), Argument.optional),
  days: Flag.Int("days").pipe(Flag.withDescription("How far ahead. Default: 14"), Flag.withDefault(14)),
  json
}, (input) => Effect.flatMap(automationHandler, ({ preview }) => preview(input))).pipe(
  Command.withDescription("When schedules are due in the next days")
)

const tick = Command.make(
  "tick",
  { name, json },
  (input) => Effect.flatMap(automationHandler, ({ tick }) => tick(input))
).pipe(Command.withDescription("Ask now for the run that the next tick would ask for; a daemon takes it"))

export const schedule = Command.make("schedule").pipe(
  Command.withDescription("Look at schedules, pause and resume them"),
  Command.withSubcommands([...shared("schedule"), preview, tick])
)

const test = Command.make(
  "test",
  { name, json },
  (input) => Effect.flatMap(automationHandler, ({ test }) => test(input))
).pipe(Command.withDescription("Look once, and say what it found; nothing is asked for or remembered"))

export const sensor = Command.make("sensor").pipe(
  Command.withDescription("Look at sensors, pause and resume them"),
  Command.withSubcommands([...shared("sensor"), test])
)
