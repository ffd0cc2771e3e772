/** `partition list`: the partitions of an asset and how each stands. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Asset from "../../asset/Asset.ts"
import { label } from "../../partition/PartitionKey.ts"
import * as Partitions from "../../partition/Partitions.ts"
import * as PartitionSelector from "../../partition/PartitionSelector.ts"
import * as PartitionSet from "../../partition/PartitionSet.ts"
import type { Class } from "../../plan/Standing.ts"
import { MaterializationStore, type State } from "../../store/MaterializationStore.ts"
import { type Application, ApplicationLoader } from "../Application.ts"
import { usage } from "../Failure.ts"
import * as Print from "../render/Print.ts"
import * as Table from "../render/Table.ts"
import { assetNamed } from "./assetNamed.ts"
import { currentUniverse } from "./universe.ts"

export interface Input {
  readonly name: string
  readonly partition: Option.Option<string>
  readonly status: "missing" | "failed" | "materialized" | "all"
  readonly limit: number
  readonly json: boolean
}

/** Of what somebody else makes nothing is known but that it is there. */
const statusOf = (asset: Asset.Any, state: State | undefined) =>
  asset.external
    ? "external"
    : state?.failure !== undefined
    ? "failed"
    : state?.latest === undefined
    ? "missing"
    : "materialized"

const describe = (asset: Asset.Any, partition: string, state: State | undefined) => ({
  partition,
  status: statusOf(asset, state),
  materializedAt: state?.latest === undefined ? null : new Date(state.latest.materializedAt).toISOString(),
  dataVersion: state?.latest?.dataVersion ?? null,
  failure: state?.failure ?? null
})

/** So many states are read at a time. */
const DETAILS = 500

/** Those of the asset's partitions that stand so, without looking at single ones where that can be avoided. */
const standing = (classes: ReadonlyArray<Class>, all: PartitionSet.PartitionSet, status: Input["status"]) => {
  const where = (holds: (one: Class) => boolean) =>
    PartitionSet.unionAll(all.space, classes.filter(holds).map(({ set }) => set))
  const among = (set: PartitionSet.PartitionSet) => PartitionSet.intersection(all, set)
  if (status === "failed") return among(where(({ standing }) => standing?.failure !== undefined))
  const made = where(({ standing }) => standing !== undefined && standing.asOf > 0 && standing.failure === undefined)
  if (status === "materialized") return among(made)
  return status === "missing" ? PartitionSet.difference(all, where(() => true)) : all
}

const find = Effect.fnUntraced(function*(application: Application, input: Input) {
  const asset = yield* assetNamed(application, input.name)
  const space = Partitions.space(asset.dimensions, yield* currentUniverse(application))
  const asked = Option.match(input.partition, {
    onNone: () => Result.succeed(PartitionSet.all(space)),
    onSome: (text) => PartitionSelector.toSet(text, space)
  })
  if (Result.isFailure(asked)) return yield* usage(asked.failure, `barograph asset show ${input.name}`)
  const store = yield* MaterializationStore
  const classes = (yield* store.classes(new Map([[asset.name, space]]))).get(asset.name) ?? []
  const chosen = asset.external && input.status !== "all"
    ? PartitionSet.none(space)
    : standing(classes, asked.success, input.status)
  const shown = input.json ? chosen : PartitionSet.slice(chosen, 0, Math.max(1, input.limit))
  const found: Array<ReturnType<typeof describe>> = []
  for (const page of PartitionSet.pages(shown, DETAILS)) {
    const states = (yield* store.states(new Map([[asset.name, page]]))).get(asset.name)
    for (const key of page) found.push(describe(asset, key, states?.get(key)))
  }
  return { found, total: PartitionSet.size(chosen) }
})

export const list = Effect.fnUntraced(function*(input: Input) {
  const application = yield* (yield* ApplicationLoader).load
  const { found, total } = yield* find(application, input).pipe(Effect.provide(application.layer))
  if (input.json) return yield* Print.json(found)
  if (found.length === 0) return yield* Print.lines(["No partition of this kind."])
  yield* Print.lines(Table.render(
    ["partition", "status", "materialized (UTC)", "failure"],
    found.map((one) => [
      label(one.partition),
      one.status,
      one.materializedAt?.slice(0, 19).replace("T", " ") ?? "-",
      one.failure ?? ""
    ])
  ))
  if (total > found.length) yield* Print.talk(`${total - found.length} more: --limit ${total}`)
})
