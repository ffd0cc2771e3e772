/** `partition list`, `status`, `map`, `add` and `remove`. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Asset from "../../asset/Asset.ts"
import { didYouMean } from "../../asset/Suggest.ts"
import { label } from "../../partition/PartitionKey.ts"
import * as PartitionMapping from "../../partition/PartitionMapping.ts"
import * as Partitions from "../../partition/Partitions.ts"
import * as PartitionSelector from "../../partition/PartitionSelector.ts"
import * as PartitionSet from "../../partition/PartitionSet.ts"
import type { Class } from "../../plan/Standing.ts"
import * as Situation from "../../run/Situation.ts"
import { DynamicPartitions } from "../../store/DynamicPartitions.ts"
import { MaterializationStore, type State } from "../../store/MaterializationStore.ts"
import { type Application, ApplicationLoader } from "../Application.ts"
import { usage } from "../Failure.ts"
import * as Print from "../render/Print.ts"
import * as Table from "../render/Table.ts"
import { assetNamed } from "./assetNamed.ts"

export interface Input {
  readonly name: string
  readonly partition: Option.Option<string>
  readonly status: Status | "all"
  readonly limit: number
  readonly json: boolean
}

export const STATUSES = ["materialized", "failed", "missing"] as const
export type Status = (typeof STATUSES)[number]

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

/** The asset and those of its partitions that were asked for. */
const chosen = Effect.fnUntraced(function*(application: Application, name: string, partition: Option.Option<string>) {
  const asset = yield* assetNamed(application, name)
  const space = Partitions.space(asset.dimensions, yield* Situation.settled(application.members))
  const asked = Option.match(partition, {
    onNone: () => Result.succeed(PartitionSet.all(space)),
    onSome: (text) => PartitionSelector.toSet(text, space)
  })
  if (Result.isFailure(asked)) return yield* usage(asked.failure, `barograph asset show ${name}`)
  return { asset, space, set: asked.success }
})

const classesOf = (asset: Asset.Any, space: Partitions.Space) =>
  Effect.gen(function*() {
    const store = yield* MaterializationStore
    return (yield* store.classes(new Map([[asset.name, space]]))).get(asset.name) ?? []
  })

const find = Effect.fnUntraced(function*(application: Application, input: Input) {
  const { asset, set, space } = yield* chosen(application, input.name, input.partition)
  const store = yield* MaterializationStore
  const all = asset.external && input.status !== "all"
    ? PartitionSet.none(space)
    : standing(yield* classesOf(asset, space), set, input.status)
  const shown = input.json ? all : PartitionSet.slice(all, 0, input.limit)
  const found: Array<ReturnType<typeof describe>> = []
  for (const page of PartitionSet.pages(shown, DETAILS)) {
    const states = (yield* store.states(new Map([[asset.name, page]]))).get(asset.name)
    for (const key of page) found.push(describe(asset, key, states?.get(key)))
  }
  return { found, total: PartitionSet.size(all) }
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

export interface Chosen {
  readonly name: string
  readonly partition: Option.Option<string>
  readonly json: boolean
}

/** A set in words: its canonical text, cut where a line would get long. */
const setText = (set: PartitionSet.PartitionSet): string => {
  const text = label(PartitionSet.toText(set) === "*" ? "" : PartitionSet.toText(set))
  return text.length > 100 ? `${text.slice(0, 97)}...` : text
}

/** `partition status`: how many partitions stand how, and which, without looking at single ones. */
export const status = Effect.fnUntraced(function*(input: Chosen) {
  const application = yield* (yield* ApplicationLoader).load
  const found = yield* Effect.gen(function*() {
    const { asset, set, space } = yield* chosen(application, input.name, input.partition)
    const classes = yield* classesOf(asset, space)
    return STATUSES.map((status) => ({ status, set: standing(classes, set, status) }))
  }).pipe(Effect.provide(application.layer))
  if (input.json) {
    return yield* Print.json(found.map(({ set, status }) => ({
      status,
      count: PartitionSet.size(set),
      partitions: PartitionSet.toText(set)
    })))
  }
  yield* Print.lines(Table.render(
    ["status", "partitions", "which"],
    found.map(({ set, status }) => [
      status,
      String(PartitionSet.size(set)),
      PartitionSet.isEmpty(set) ? "-" : setText(set)
    ])
  ))
})

/** `partition map`: what the partitions are made from, and what is made from them. */
export const map = Effect.fnUntraced(function*(input: Chosen) {
  const application = yield* (yield* ApplicationLoader).load
  const found = yield* Effect.gen(function*() {
    const { asset, set, space: { universe } } = yield* chosen(application, input.name, input.partition)
    const reads = Object.values(asset.dependencies).map(({ asset: upstream, mapping }) => {
      const space = Partitions.space(upstream.dimensions, universe)
      const { keys, missing } = PartitionMapping.upstream(mapping, space, set)
      return { way: "reads", asset: upstream.name, set: keys, lacking: PartitionSet.size(missing) }
    })
    const readers = (application.graph.downstream.get(asset.name) ?? []).flatMap((name) => {
      const reader = application.graph.assets.get(name)!
      const space = Partitions.space(reader.dimensions, universe)
      return Object.values(reader.dependencies).filter((dependency) => dependency.asset === asset).map((
        { mapping }
      ) => ({
        way: "read by",
        asset: name,
        set: PartitionMapping.downstream(mapping, space, set),
        lacking: 0
      }))
    })
    return [...reads, ...readers]
  }).pipe(Effect.provide(application.layer))
  if (input.json) {
    return yield* Print.json(found.map(({ asset, lacking, set, way }) => ({
      way,
      asset,
      count: PartitionSet.size(set),
      partitions: PartitionSet.toText(set),
      lacking
    })))
  }
  if (found.length === 0) return yield* Print.lines(["It reads nothing and nothing reads it."])
  yield* Print.lines(Table.render(
    ["", "asset", "partitions", "which"],
    found.map(({ asset, lacking, set, way }) => [
      way,
      asset,
      String(PartitionSet.size(set)),
      `${PartitionSet.isEmpty(set) ? "-" : setText(set)}${
        lacking > 0 ? `; ${lacking} need some that do not exist` : ""
      }`
    ])
  ))
})

export interface MemberInput {
  readonly set: string
  readonly values: ReadonlyArray<string>
}

const dynamicSet = Effect.fnUntraced(function*(application: Application, set: string) {
  const known = [...application.graph.assets.values()].flatMap(({ dimensions }) =>
    Object.values(dimensions).flatMap((dimension) => dimension._tag === "dynamic" ? [dimension.set] : [])
  )
  if (!known.includes(set)) {
    const fix = `sets: ${[...new Set(known)].join(", ") || "none"}`
    return yield* usage(`No asset has a dynamic set "${set}".${didYouMean(set, known)}`, fix)
  }
  if (set in (yield* application.members)) {
    return yield* usage(
      `The members of "${set}" come from the configuration: what is added here would be gone with the next command.`,
      "barograph doctor shows where they are configured"
    )
  }
})

export const add = Effect.fnUntraced(
  function*(input: MemberInput & { readonly from: Option.Option<string>; readonly to: Option.Option<string> }) {
    const application = yield* (yield* ApplicationLoader).load
    yield* dynamicSet(application, input.set)
    const [from, to] = [Option.getOrUndefined(input.from), Option.getOrUndefined(input.to)]
    yield* Effect.flatMap(
      DynamicPartitions,
      (dynamic) => dynamic.add(input.set, input.values.map((value) => ({ value, from, to })))
    ).pipe(Effect.provide(application.layer))
    yield* Print.lines([`${input.set} has ${input.values.join(", ")} now.`])
  }
)

export const remove = Effect.fnUntraced(function*(input: MemberInput) {
  const application = yield* (yield* ApplicationLoader).load
  yield* dynamicSet(application, input.set)
  const gone = yield* Effect.flatMap(DynamicPartitions, (dynamic) => dynamic.remove(input.set, input.values)).pipe(
    Effect.provide(application.layer)
  )
  const lost = input.values.filter((value) => !gone.includes(value))
  if (gone.length > 0) yield* Print.lines([`Removed ${gone.join(", ")}; what was materialized of them is kept.`])
  if (lost.length > 0) return yield* usage(`${input.set} had no ${lost.join(", ")}.`, "barograph asset list")
})
