/** `asset history`: what was materialized when, with its numbers, newest first, a page at a time. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Asset from "../../asset/Asset.ts"
import type { Metadata } from "../../asset/Metadata.ts"
import { label } from "../../partition/PartitionKey.ts"
import * as Partitions from "../../partition/Partitions.ts"
import * as PartitionSelector from "../../partition/PartitionSelector.ts"
import * as PartitionSet from "../../partition/PartitionSet.ts"
import * as Situation from "../../run/Situation.ts"
import type * as History from "../../store/History.ts"
import { MaterializationStore } from "../../store/MaterializationStore.ts"
import { type Application, ApplicationLoader } from "../Application.ts"
import { usage } from "../Failure.ts"
import * as EventText from "../render/EventText.ts"
import * as Print from "../render/Print.ts"
import * as Table from "../render/Table.ts"
import { assetNamed } from "./assetNamed.ts"

export interface Input {
  readonly name: string
  readonly partition: Option.Option<string>
  readonly limit: number
  readonly before: Option.Option<number>
  readonly json: boolean
}

/** Exactly one partition, by its key. */
const partitionOf = Effect.fnUntraced(function*(application: Application, asset: Asset.Any, input: Input) {
  if (Option.isNone(input.partition)) return undefined
  const space = Partitions.space(asset.dimensions, yield* Situation.settled(application.members))
  const set = PartitionSelector.toSet(input.partition.value, space)
  const list = `barograph partition list ${asset.name}`
  if (Result.isFailure(set)) return yield* usage(set.failure, list)
  const size = PartitionSet.size(set.success)
  if (size !== 1) return yield* usage(`"${input.partition.value}" names ${size} partitions: name one.`, list)
  return [...PartitionSet.texts(set.success)][0]!
})

const read = Effect.fnUntraced(function*(application: Application, input: Input) {
  const asset = yield* assetNamed(application, input.name)
  const partition = yield* partitionOf(application, asset, input)
  // One more than is shown says whether there is more.
  const found = yield* (yield* MaterializationStore).history({
    asset: asset.name,
    partition,
    limit: input.limit + 1,
    before: Option.getOrUndefined(input.before)
  })
  return { shown: found.slice(0, input.limit), more: found.length > input.limit }
})

const toJson = ({ materializedAt, rejected, ...entry }: History.Entry) => ({
  ...entry,
  materializedAt: new Date(materializedAt).toISOString(),
  rejected: rejected ?? null
})

const SHORT = 12

const numbers = (metadata: Metadata): string =>
  Object.entries(metadata).flatMap(([name, value]) =>
    typeof value === "number" ? [`${name} ${EventText.number(value)}`] : []
  ).join(", ")

const row = (entry: History.Entry): ReadonlyArray<string> => [
  `${entry.id}`,
  label(entry.partition),
  `${new Date(entry.materializedAt).toISOString().slice(0, 19).replace("T", " ")}`,
  entry.dataVersion.slice(0, SHORT),
  entry.runId,
  entry.seconds.toFixed(2),
  entry.rejected ?? numbers(entry.metadata)
]

export const history = Effect.fnUntraced(function*(input: Input) {
  const application = yield* (yield* ApplicationLoader).load
  const { more, shown } = yield* read(application, input).pipe(Effect.provide(application.layer))
  if (input.json) return yield* Print.json(shown.map(toJson))
  if (shown.length === 0) {
    return yield* Print.lines([Option.isSome(input.before) ? "Nothing older." : "Nothing was materialized so far."])
  }
  yield* Print.lines(Table.render(
    ["id", "partition", "materialized (UTC)", "data version", "run", "seconds", "numbers"],
    shown.map(row)
  ))
  if (more) yield* Print.talk(`older ones: --before ${shown.at(-1)!.id}`)
})
