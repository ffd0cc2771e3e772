/** The commands, their flags and their words. What they do is in `handlers/`, loaded when a command runs. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { KINDS } from "../plan/Staleness.ts"
import { STATUSES } from "../run/Event.ts"
import { daemon, schedule, sensor } from "./AutomationCommands.ts"
import { definitionsFlag } from "./DefinitionsFlag.ts"
import { instant, json, limit, on, partitionFlag, span, whole } from "./Flags.ts"
import * as Logs from "./Logs.ts"
import { partition } from "./PartitionCommands.ts"

/** Which partitions: the same for all that materializes. */
const selection = {
  asset: Flag.String("asset").pipe(
    Flag.withAlias("a"),
    Flag.withDescription(
      "Asset to bring up to date, with the ancestors that need it; repeat it or separate by commas"
    ),
    Flag.atLeast(0)
  ),
  select: Flag.String("select").pipe(
    Flag.withAlias("s"),
    Flag.withDescription(
      "Exactly these assets: names, +x, x+2, *, key:\"bars_*\", group:, kind:, owner:, tag:k=v, and, or, not, roots(), sinks()"
    ),
    Flag.optional
  ),
  partition: Flag.String("partition").pipe(
    Flag.withAlias("p"),
    Flag.withDescription(
      "symbol=IBM,session=2013-10-04..2013-10-11; repeat a dimension to list values. Default: all"
    ),
    Flag.optional
  ),
  only: Flag.Literals("only", KINDS).pipe(
    Flag.withDescription(
      "Leave partitions as they are unless they are missing, failed last time, or stale. Default: all"
    ),
    Flag.withDefault("all")
  ),
  force: on("force", "Materialize the named assets even where they are up to date")
}

const tag = (description: string) =>
  Flag.KeyValuePair("tag").pipe(Flag.withDescription(description), Flag.withDefault({}))

/** What PostgreSQL keeps in an integer. */
const PRIORITY = { least: -2_147_483_648, most: 2_147_483_647 }

const materialize = Command.make(
  "materialize",
  {
    ...selection,
    plan: on("plan", "Say what would be done, why, and what it costs; do nothing"),
    tag: tag("Mark the run, as in --tag team=etl; repeat it. Limits and lists go by tags"),
    priority: whole(
      "priority",
      "Of runs that wait for their turn, higher ones begin first. Default: 0",
      PRIORITY
    ).pipe(Flag.withDefault(0)),
    timeout: span("timeout", "Longest time for the run, as in 30m or \"30 minutes\"").pipe(Flag.optional),
    concurrency: whole("concurrency", "Steps at a time; BAROGRAPH_CONCURRENCY otherwise", { most: 999 }).pipe(
      Flag.optional
    ),
    json
  },
  (input) =>
    Effect.flatMap(Effect.promise(() => import("./handlers/materialize.ts")), ({ materialize }) => materialize(input))
).pipe(
  Command.withDescription("Bring assets up to date"),
  Command.withExamples([
    { command: "materialize --asset redshift_bars", description: "Load what is missing or stale" },
    { command: "materialize --asset redshift_bars --partition symbol=IBM --plan", description: "Only say why" }
  ])
)

const assetList = Command.make(
  "list",
  { json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/asset.ts")), ({ list }) => list(input))
).pipe(
  Command.withDescription("The assets and how they stand")
)

const assetShow = Command.make(
  "show",
  { name: Argument.String("asset"), json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/asset.ts")), ({ show }) => show(input))
).pipe(Command.withDescription("One asset: what it is, reads and feeds"))

const assetHistory = Command.make("history", {
  name: Argument.String("asset"),
  partition: Flag.String("partition").pipe(
    Flag.withAlias("p"),
    Flag.withDescription("Only this one, e.g. symbol=IBM,session=2013-10-04"),
    Flag.optional
  ),
  limit: limit("How many, newest first", 20),
  before: Flag.Int("before").pipe(Flag.withDescription("Only those before the one with this id"), Flag.optional),
  json
}, (input) => Effect.flatMap(Effect.promise(() => import("./handlers/history.ts")), ({ history }) => history(input)))
  .pipe(Command.withDescription("What was materialized when, with its numbers"))

const assetWhy = Command.make("why", {
  name: Argument.String("asset"),
  partition: partitionFlag,
  asked: on("asked", "The evaluation that asked for it last, instead of the latest"),
  limit: limit("How many requests, newest first", 5),
  json
}, (input) => Effect.flatMap(Effect.promise(() => import("./handlers/why.ts")), ({ why }) => why(input)))
  .pipe(Command.withDescription("Why its condition did or did not ask for it, and what would change that"))

const assetCheck = Command.make("check", {
  name: Argument.String("asset"),
  partition: partitionFlag,
  check: Flag.String("check").pipe(Flag.withDescription("Only this check"), Flag.optional),
  json
}, (input) => Effect.flatMap(Effect.promise(() => import("./handlers/assetCheck.ts")), ({ check }) => check(input)))
  .pipe(
    Command.withDescription("Ask the checks of an asset about what is materialized; 1 when an error is found")
  )

const asset = Command.make("asset").pipe(
  Command.withDescription("Look at assets"),
  Command.withSubcommands([assetList, assetShow, assetHistory, assetWhy, assetCheck])
)

const runList = Command.make(
  "list",
  {
    limit: limit("How many, newest first", 20),
    before: Flag.String("before").pipe(Flag.withDescription("Only runs older than this one"), Flag.optional),
    status: Flag.Literals("status", STATUSES).pipe(Flag.withDescription("Only runs that stand so"), Flag.optional),
    tag: tag("Only runs with this tag"),
    json
  },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/run.ts")), ({ list }) => list(input))
).pipe(Command.withDescription("The latest runs"))

const runShow = Command.make(
  "show",
  { id: Argument.String("run"), json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/run.ts")), ({ show }) => show(input))
).pipe(Command.withDescription("One run with its events; \"latest\" is the newest"), Command.withAlias("logs"))

const runCancel = Command.make(
  "cancel",
  { id: Argument.String("run") },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/run.ts")), ({ cancel }) => cancel(input))
).pipe(Command.withDescription("Ask a running run to stop, from any process"))

const runRetry = Command.make(
  "retry",
  { id: Argument.String("run"), json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/run.ts")), ({ retry }) => retry(input))
).pipe(Command.withDescription("Ask again for what a run was asked for: takes up what failed or was not reached"))

const run = Command.make("run").pipe(
  Command.withDescription("Look at runs, stop them, take them up again"),
  Command.withSubcommands([runList, runShow, runCancel, runRetry])
)

const backfillStart = Command.make(
  "start",
  {
    ...selection,
    slice: whole("slice", "Partitions in a slice, the piece that one run takes at a time. Default: 500").pipe(
      Flag.withDefault(500)
    ),
    tag: tag("Mark its runs, as in --tag team=etl; repeat it"),
    detach: on("detach", "Only store it; backfill resume works on it"),
    plan: on("plan", "Say what it would be: partitions, why, slices; store nothing"),
    json
  },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/backfill.ts")), ({ start }) => start(input))
).pipe(
  Command.withDescription("Bring many partitions up to date by a stored request that survives any kill"),
  Command.withExamples([
    { command: "barograph backfill start --asset redshift_bars --only missing", description: "Load what is missing" }
  ])
)

const backfillList = Command.make(
  "list",
  { limit: limit("How many, newest first", 20), json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/backfill.ts")), ({ list }) => list(input))
).pipe(Command.withDescription("The latest backfills"))

const backfillShow = Command.make(
  "show",
  { id: Argument.String("backfill"), json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/backfill.ts")), ({ show }) => show(input))
).pipe(Command.withDescription("Progress, running slices and failures of one backfill; \"latest\" is the newest"))

const backfillCancel = Command.make(
  "cancel",
  { id: Argument.String("backfill"), json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/backfill.ts")), ({ cancel }) => cancel(input))
).pipe(Command.withDescription("Stop a backfill and its runs, from any process"))

const backfillResume = Command.make(
  "resume",
  { id: Argument.String("backfill"), json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/backfill.ts")), ({ resume }) => resume(input))
).pipe(Command.withDescription("Work on a backfill, also beside other processes; takes up what failed"))

const backfill = Command.make("backfill").pipe(
  Command.withDescription("Work through many partitions, over any number of processes and kills"),
  Command.withSubcommands([backfillStart, backfillList, backfillShow, backfillCancel, backfillResume])
)

const query = Command.make("query", {
  sql: Argument.String("sql").pipe(Argument.withDescription("One SELECT, read-only")),
  store: Flag.String("store").pipe(
    Flag.withDescription("Which store to ask: staging, warehouse or lake. Default: staging"),
    Flag.withDefault("staging")
  ),
  asOf: instant("as-of", "Answer with the staged bars that were known then: 2024-03-05T21:00Z").pipe(Flag.optional),
  json
}, (input) => Effect.flatMap(Effect.promise(() => import("./handlers/query.ts")), ({ query }) => query(input))).pipe(
  Command.withDescription("Ask a store in SQL"),
  Command.withExamples([{
    command: "barograph query \"select symbol, count(*) from bars group by 1\" --store warehouse",
    description: "Rows per symbol in the warehouse"
  }])
)

const quarantineList = Command.make(
  "list",
  {
    limit: limit("How many, oldest first", 50),
    json
  },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/quarantine.ts")), ({ list }) => list(input))
).pipe(Command.withDescription("The rows that were refused, and why"))

const quarantineShow = Command.make(
  "show",
  { id: Argument.Int("id"), json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/quarantine.ts")), ({ show }) => show(input))
).pipe(Command.withDescription("One refused row as it came"))

const quarantineReplay = Command.make(
  "replay",
  { id: Argument.Int("id").pipe(Argument.optional), json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/quarantine.ts")), ({ replay }) => replay(input))
).pipe(
  Command.withDescription("Read the payload of one refused row, or of all, again: after a rule or a decoder changed")
)

const quarantine = Command.make("quarantine").pipe(
  Command.withDescription("Look at refused rows, and read them again"),
  Command.withSubcommands([quarantineList, quarantineShow, quarantineReplay])
)

const doctor = Command.make(
  "doctor",
  { json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/doctor.ts")), ({ doctor }) => doctor(input))
).pipe(
  Command.withDescription("Check that everything the pipeline needs is there")
)

const alertList = Command.make(
  "list",
  { json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/alert.ts")), ({ list }) => list(input))
).pipe(Command.withDescription("What needs a person, and what could not be told so far and why"))

const alertTest = Command.make(
  "test",
  { json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/alert.ts")), ({ test }) => test(input))
).pipe(Command.withDescription("Send a message through every configured channel; 3 or 4 when one does not arrive"))

const alert = Command.make("alert").pipe(
  Command.withDescription("Look at alerts, and whether they arrive"),
  Command.withSubcommands([alertList, alertTest])
)

const check = Command.make(
  "check",
  { json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/check.ts")), ({ check }) => check(input))
).pipe(
  Command.withDescription("Check the graph, without database or network"),
  Command.withExamples([
    { command: "barograph check --definitions definitions.ts", description: "Say what is wrong with a graph" }
  ])
)

const init = Command.make("init", {
  directory: Argument.String("dir").pipe(Argument.withDescription("A directory that is empty or not there yet")),
  barograph: Flag.String("barograph").pipe(
    Flag.withMetavar("SPEC"),
    Flag.withDescription("What the project depends on, as in npm install: a version, file:…, a tarball"),
    Flag.optional
  )
}, (input) => Effect.flatMap(Effect.promise(() => import("./handlers/init.ts")), ({ init }) => init(input))).pipe(
  Command.withDescription("Write a small project with a graph of your own")
)

export const barograph = Command.make("barograph").pipe(
  Command.withDescription("An asset graph for market bars"),
  Command.withSubcommands([
    materialize,
    asset,
    partition,
    run,
    backfill,
    schedule,
    sensor,
    daemon,
    query,
    quarantine,
    alert,
    check,
    doctor,
    init
  ]),
  Command.provide(Logs.layer),
  Command.withGlobalFlags([definitionsFlag, Logs.flag])
)
