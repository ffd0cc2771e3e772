/** The commands of `partition`. What they do is in `handlers/`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Zone from "../partition/Zone.ts"
import { json, limit, partitionFlag } from "./Flags.ts"

const partitionList = Command.make("list", {
  name: Argument.String("asset"),
  partition: partitionFlag,
  status: Flag.Literals("status", ["missing", "failed", "materialized", "all"]).pipe(
    Flag.withDescription("Only those that stand so. Default: all"),
    Flag.withDefault("all")
  ),
  limit: limit("How many to show; --json has all", 100),
  json
}, (input) => Effect.flatMap(Effect.promise(() => import("./handlers/partition.ts")), ({ list }) => list(input))).pipe(
  Command.withDescription("The partitions of an asset and how each stands")
)

const partitionStatus = Command.make(
  "status",
  { name: Argument.String("asset"), partition: partitionFlag, json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/partition.ts")), ({ status }) => status(input))
).pipe(Command.withDescription("How many partitions of an asset stand how, and which"))

const partitionMap = Command.make(
  "map",
  { name: Argument.String("asset"), partition: partitionFlag, json },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/partition.ts")), ({ map }) => map(input))
).pipe(
  Command.withDescription("What partitions are made from, and what is made from them"),
  Command.withExamples([{
    command: "barograph partition map staged_bars -p symbol=IBM,session=2013-10-04",
    description: "The month it is cut from, and where its rows go"
  }])
)

const members = {
  set: Argument.String("set").pipe(Argument.withDescription("Name of the dynamic set")),
  values: Argument.String("value").pipe(Argument.withDescription("Members"), Argument.atLeast(1))
}

const date = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.filter(Zone.isDate, () => "a date, YYYY-MM-DD"),
    Flag.optional
  )

const partitionAdd = Command.make(
  "add",
  {
    ...members,
    from: date("from", "First date of their lifetime: time windows beside them begin there"),
    to: date("to", "Last date of their lifetime")
  },
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/partition.ts")), ({ add }) => add(input))
).pipe(Command.withDescription("Add members to a dynamic set, or change their lifetime"))

const partitionRemove = Command.make(
  "remove",
  members,
  (input) => Effect.flatMap(Effect.promise(() => import("./handlers/partition.ts")), ({ remove }) => remove(input))
).pipe(Command.withDescription("Remove members from a dynamic set; what was materialized is kept"))

export const partition = Command.make("partition").pipe(
  Command.withDescription("Look at partitions; add and remove dynamic ones"),
  Command.withSubcommands([partitionList, partitionStatus, partitionMap, partitionAdd, partitionRemove])
)
