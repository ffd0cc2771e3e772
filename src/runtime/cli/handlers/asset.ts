/** `asset list` and `asset show`. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Asset from "../../asset/Asset.ts"
import type * as AssetGraph from "../../asset/AssetGraph.ts"
import * as Freshness from "../../asset/Freshness.ts"
import { label } from "../../partition/PartitionKey.ts"
import * as Partitions from "../../partition/Partitions.ts"
import * as PartitionSet from "../../partition/PartitionSet.ts"
import type { Class } from "../../plan/Standing.ts"
import * as Situation from "../../run/Situation.ts"
import { CheckStore, type Kept } from "../../store/CheckStore.ts"
import { MaterializationStore } from "../../store/MaterializationStore.ts"
import { type Application, ApplicationLoader } from "../Application.ts"
import * as Print from "../render/Print.ts"
import * as Table from "../render/Table.ts"
import { assetNamed } from "./assetNamed.ts"

/** Who makes it: this project, somebody else, or somebody else whom we watch. */
const originOf = (asset: Asset.Any): string => {
  if (asset.external) return "external"
  if (asset.observedEvery === undefined) return "materialized"
  return `observed every ${Duration.format(Duration.millis(asset.observedEvery))}`
}

const describe = ({ graph, locations }: Application, asset: Asset.Any) => ({
  name: asset.name,
  description: asset.description,
  origin: originOf(asset),
  location: locations?.[asset.name] ?? null,
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

const iso = (millis: number | undefined): string | null => millis === undefined ? null : new Date(millis).toISOString()

const freshnessOf = (policy: Freshness.Policy | undefined, latest: number | undefined, now: number) => {
  if (policy === undefined) return null
  const { changesAt, sentence, status } = Freshness.evaluate(policy, latest, now)
  return { policy: Freshness.describe(policy), status, sentence, changesAt: iso(changesAt) }
}

const standing = Effect.fnUntraced(function*(application: Application, assets: ReadonlyArray<Asset.Any>) {
  const universe = yield* Situation.settled(application.members)
  const store = yield* MaterializationStore
  const spaces = new Map(assets.map(({ dimensions, name }) => [name, Partitions.space(dimensions, universe)]))
  const classes = yield* store.classes(spaces)
  const latest = yield* store.latest
  const successes = yield* store.latestSuccess(
    assets.flatMap(({ freshness, name }) => freshness === undefined ? [] : [name])
  )
  return assets.map((asset) => {
    const own = classes.get(asset.name) ?? []
    return {
      ...describe(application, asset),
      total: spaces.get(asset.name)!.existing.size,
      materialized: count(own, ({ standing }) => standing === undefined || standing.asOf > 0),
      failed: count(own, ({ standing }) => standing?.failure !== undefined),
      latestAt: latest.get(asset.name),
      freshness: freshnessOf(asset.freshness, successes.get(asset.name), universe.now)
    }
  })
})

/** So many partitions that did not pass are named. */
const NAMED = 3

const keptJson = ({ at, runId, ...kept }: Kept) => ({ ...kept, at: iso(at), runId: runId ?? null })

const checksOf = Effect.fnUntraced(function*(graph: AssetGraph.Any, asset: Asset.Any) {
  const checks = graph.checks.get(asset.name) ?? []
  if (checks.length === 0) return []
  const store = yield* CheckStore
  const totals = yield* store.totals(asset.name)
  return yield* Effect.forEach(checks, ({ blocking, description, name, severity }) =>
    Effect.gen(function*() {
      const own = totals.get(name)
      const failing = own === undefined || own.failed === 0 ? [] : yield* store.failing(asset.name, name, NAMED)
      const isSingle = Object.keys(asset.dimensions).length === 0
      const [single] = isSingle ? yield* store.latest(asset.name, name, [""]) : []
      return {
        name,
        description,
        severity,
        blocking,
        passed: own?.passed ?? 0,
        failed: own?.failed ?? 0,
        latestAt: iso(own?.latestAt),
        /** Of an asset with one partition only. */
        result: single === undefined ? null : keptJson(single),
        failing: failing.map(keptJson)
      }
    }))
})

const time = (millis: number | undefined): string =>
  millis === undefined ? "never" : `${new Date(millis).toISOString().slice(0, 16).replace("T", " ")}Z`

export const list = Effect.fnUntraced(function*(input: { readonly json: boolean }) {
  const application = yield* (yield* ApplicationLoader).load
  const all = [...application.graph.assets.values()]
  const assets = yield* standing(application, all).pipe(Effect.provide(application.layer))
  if (input.json) return yield* Print.json(assets)
  const timed = assets.some(({ freshness }) => freshness !== null)
  yield* Print.lines(Table.render(
    ["asset", "partitions", "materialized", "failed", "latest", ...(timed ? ["freshness"] : []), "reads"],
    assets.map((asset) => [
      asset.name,
      `${asset.total}`,
      asset.origin === "external" ? "external" : `${asset.materialized}`,
      `${asset.failed}`,
      asset.origin === "external" ? "-" : time(asset.latestAt),
      ...(timed ? [asset.freshness?.status ?? "-"] : []),
      asset.reads.join(", ") || "-"
    ])
  ))
})

type Checked = Effect.Success<ReturnType<typeof checksOf>>[number]

const resultText = ({ failed, latestAt, passed, result }: Checked): string => {
  if (latestAt === null) return "never asked"
  const at = `latest ${latestAt.slice(0, 16).replace("T", " ")}Z`
  if (result === null) return `${passed} passed, ${failed} not, ${at}`
  return `${result.passed ? "passed" : "not passed"}${
    result.description === undefined ? "" : `: ${result.description}`
  }, ${at}`
}

const checkLines = (checks: ReadonlyArray<Checked>): ReadonlyArray<string> =>
  checks.flatMap((check) => [
    `  check       ${check.name} (${check.severity}${check.blocking ? ", blocking" : ""}): ${resultText(check)}`,
    ...(check.result === null ? failingLines(check) : [])
  ])

const failingLines = ({ failed, failing }: Checked): ReadonlyArray<string> => [
  ...failing.map(({ description, partition }) => `    ${label(partition)}: ${description ?? "not passed"}`),
  ...(failed > failing.length ? [`    ${failed - failing.length} more`] : [])
]

const partitionsText = (asset: Effect.Success<ReturnType<typeof standing>>[number]): string => {
  const dimensions = Object.entries(asset.partitions).map(([name, kind]) => `${name} (${kind})`).join(" x ") || "none"
  return asset.origin === "external"
    ? `${dimensions}: ${asset.total}`
    : `${dimensions}: ${asset.materialized} of ${asset.total} materialized, ${asset.failed} failed`
}

export const show = Effect.fnUntraced(function*(input: { readonly name: string; readonly json: boolean }) {
  const application = yield* (yield* ApplicationLoader).load
  const found = yield* assetNamed(application, input.name)
  const { asset, checks } = yield* Effect.gen(function*() {
    const [asset] = yield* standing(application, [found])
    return { asset: asset!, checks: yield* checksOf(application.graph, found) }
  }).pipe(Effect.provide(application.layer))
  if (input.json) return yield* Print.json({ ...asset, checks })
  const { freshness } = asset
  yield* Print.lines([
    asset.name,
    `  ${asset.description}`,
    `  group       ${asset.group}   kinds ${asset.kinds.join(", ") || "-"}   owners ${asset.owners.join(", ") || "-"}`,
    ...(asset.origin === "materialized" ? [] : [`  made by     somebody else: ${asset.origin}`]),
    ...(asset.location === null ? [] : [`  location    ${asset.location}`]),
    `  partitions  ${partitionsText(asset)}`,
    ...(asset.origin === "external" ? [] : [`  latest      ${time(asset.latestAt)}`]),
    ...(freshness === null ? [] : [`  freshness   ${freshness.status}: ${freshness.sentence} (${freshness.policy})`]),
    ...checkLines(checks),
    `  reads       ${asset.reads.join(", ") || "-"}`,
    `  feeds       ${asset.feeds.join(", ") || "-"}`
  ])
})
