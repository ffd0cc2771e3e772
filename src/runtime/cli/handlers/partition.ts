/** `partition list`: the partitions of an asset and how each stands. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { didYouMean } from "../../asset/Suggest.ts"
import { label, toText } from "../../partition/PartitionKey.ts"
import * as Partitions from "../../partition/Partitions.ts"
import * as PartitionSelector from "../../partition/PartitionSelector.ts"
import { MaterializationStore, type State } from "../../store/MaterializationStore.ts"
import { type Application, ApplicationLoader } from "../Application.ts"
import { usage } from "../Failure.ts"
import * as Print from "../render/Print.ts"
import * as Table from "../render/Table.ts"
import { currentUniverse } from "./universe.ts"

export interface Input {
  readonly name: string
  readonly partition: Option.Option<string>
  readonly status: "missing" | "failed" | "materialized" | "all"
  readonly limit: number
  readonly json: boolean
}

const statusOf = (state: State | undefined): "missing" | "failed" | "materialized" =>
  state?.failure !== undefined ? "failed" : state?.latest === undefined ? "missing" : "materialized"

const describe = (partition: string, state: State | undefined) => ({
  partition,
  status: statusOf(state),
  materializedAt: state?.latest === undefined ? null : new Date(state.latest.materializedAt).toISOString(),
  dataVersion: state?.latest?.dataVersion ?? null,
  failure: state?.failure ?? null
})

const filterOf = (text: string, dimensions: Partitions.Dimensions, universe: Partitions.Universe) =>
  Result.flatMap(
    PartitionSelector.parse(text),
    (selector) => PartitionSelector.toFilter(selector, dimensions, universe)
  )

const find = Effect.fnUntraced(function*(application: Application, input: Input) {
  const asset = application.graph.assets.get(input.name)
  if (asset === undefined) {
    const { names } = application.graph
    return yield* usage(`There is no asset "${input.name}".${didYouMean(input.name, names)}`, "barograph asset list")
  }
  const universe = yield* currentUniverse(application)
  const filter = Option.map(input.partition, (text) => filterOf(text, asset.dimensions, universe))
  if (Option.isSome(filter) && Result.isFailure(filter.value)) {
    return yield* usage(filter.value.failure, `barograph asset show ${input.name}`)
  }
  const chosen = Option.isSome(filter) ? Result.getOrThrow(filter.value) : undefined
  const keys = Partitions.keys(asset.dimensions, universe, chosen).map(toText)
  const states = yield* (yield* MaterializationStore).states(asset.name, keys)
  return keys.map((key) => describe(key, states.get(key)))
    .filter(({ status }) => input.status === "all" || input.status === status)
})

export const list = Effect.fnUntraced(function*(input: Input) {
  const application = yield* (yield* ApplicationLoader).load
  const found = yield* find(application, input).pipe(Effect.provide(application.layer))
  if (input.json) return yield* Print.json(found)
  if (found.length === 0) return yield* Print.lines(["No partition of this kind."])
  const shown = found.slice(0, Math.max(1, input.limit)).map((one) => [
    label(one.partition),
    one.status,
    one.materializedAt?.slice(0, 19).replace("T", " ") ?? "-",
    one.failure ?? ""
  ])
  yield* Print.lines(Table.render(["partition", "status", "materialized (UTC)", "failure"], shown))
  if (found.length > shown.length) yield* Print.talk(`${found.length - shown.length} more: --limit ${found.length}`)
})
