/** `asset list` and `asset show`. */
import * as Effect from "effect/Effect"
import type * as Asset from "../../asset/Asset.ts"
import type * as AssetGraph from "../../asset/AssetGraph.ts"
import { didYouMean } from "../../asset/Suggest.ts"
import * as Partitions from "../../partition/Partitions.ts"
import * as PartitionSet from "../../partition/PartitionSet.ts"
import type { Class } from "../../plan/Standing.ts"
import { MaterializationStore } from "../../store/MaterializationStore.ts"
import { type Application, ApplicationLoader } from "../Application.ts"
import { usage } from "../Failure.ts"
import * as Print from "../render/Print.ts"
import * as Table from "../render/Table.ts"
import { currentUniverse } from "./universe.ts"

const describe = (graph: AssetGraph.Any, asset: Asset.Any) => ({
  name: asset.name,
  description: asset.description,
  group: asset.group,
  kinds: asset.kinds,
  owners: asset.owners,
  tags: asset.tags,
  partitions: Object.fromEntries(
    Object.entries(asset.dimensions).map(([name, dimension]) => [name, Partitions.kindOf(dimension)])
  ),
  reads: Object.values(asset.dependencies).map((dependency) => dependency.asset.name),
  feeds: graph.downstream.get(asset.name) ?? []
})

const count = (classes: ReadonlyArray<Class>, holds: (one: Class) => boolean): number =>
  classes.filter(holds).reduce((sum, { set }) => sum + PartitionSet.size(set), 0)

const standing = Effect.fnUntraced(function*(application: Application) {
  const universe = yield* currentUniverse(application)
  const store = yield* MaterializationStore
  const assets = [...application.graph.assets.values()]
  const spaces = new Map(assets.map(({ dimensions, name }) => [name, Partitions.space(dimensions, universe)]))
  const classes = yield* store.classes(spaces)
  const latest = yield* store.latest
  return assets.map((asset) => {
    const own = classes.get(asset.name) ?? []
    return {
      ...describe(application.graph, asset),
      total: spaces.get(asset.name)!.existing.size,
      materialized: count(own, ({ standing }) => standing === undefined || standing.asOf > 0),
      failed: count(own, ({ standing }) => standing?.failure !== undefined),
      latestAt: latest.get(asset.name)
    }
  })
})

const load = Effect.gen(function*() {
  const application = yield* (yield* ApplicationLoader).load
  return { application, assets: yield* standing(application).pipe(Effect.provide(application.layer)) }
})

const time = (millis: number | undefined): string =>
  millis === undefined ? "never" : `${new Date(millis).toISOString().slice(0, 16).replace("T", " ")}Z`

export const list = Effect.fnUntraced(function*(input: { readonly json: boolean }) {
  const { assets } = yield* load
  if (input.json) return yield* Print.json(assets)
  yield* Print.lines(Table.render(
    ["asset", "partitions", "materialized", "failed", "latest", "reads"],
    assets.map((asset) => [
      asset.name,
      `${asset.total}`,
      `${asset.materialized}`,
      `${asset.failed}`,
      time(asset.latestAt),
      asset.reads.join(", ") || "-"
    ])
  ))
})

export const show = Effect.fnUntraced(function*(input: { readonly name: string; readonly json: boolean }) {
  const { application, assets } = yield* load
  const asset = assets.find(({ name }) => name === input.name)
  if (asset === undefined) {
    const { names } = application.graph
    return yield* usage(`There is no asset "${input.name}".${didYouMean(input.name, names)}`, "barograph asset list")
  }
  if (input.json) return yield* Print.json(asset)
  const dimensions = Object.entries(asset.partitions).map(([name, kind]) => `${name} (${kind})`)
  yield* Print.lines([
    asset.name,
    `  ${asset.description}`,
    `  group       ${asset.group}   kinds ${asset.kinds.join(", ") || "-"}   owners ${asset.owners.join(", ") || "-"}`,
    `  partitions  ${
      dimensions.join(" x ") || "none"
    }: ${asset.materialized} of ${asset.total} materialized, ${asset.failed} failed`,
    `  latest      ${time(asset.latestAt)}`,
    `  reads       ${asset.reads.join(", ") || "-"}`,
    `  feeds       ${asset.feeds.join(", ") || "-"}`
  ])
})
