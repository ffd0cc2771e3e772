/**
 * (graph, state, request) -> Plan. Pure.
 *
 * First the demand is walked upstream: which partitions of which assets matter to the request. Then, upstream first,
 * each is either up to date, or planned for a reason, or blocked. Cost follows the number of partitions looked at.
 */
import type * as Asset from "../asset/Asset.ts"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import * as PartitionKey from "../partition/PartitionKey.ts"
import * as PartitionMapping from "../partition/PartitionMapping.ts"
import * as Partitions from "../partition/Partitions.ts"
import * as DataVersion from "./DataVersion.ts"
import type { Blocked, Plan, PlannedPartition, Step } from "./Plan.ts"
import * as Staleness from "./Staleness.ts"

export interface Target {
  readonly asset: string
  readonly keys: ReadonlyArray<PartitionKey.PartitionKey>
}

export interface Request {
  /** What is asked for. */
  readonly targets: ReadonlyArray<Target>
  /** Also materialize ancestors that need it; otherwise they are taken as they are. */
  readonly ancestors: boolean
  /** Materialize the targets even where they are up to date. */
  readonly force: boolean
  /** Leave partitions with reasons of other kinds as they are. */
  readonly only?: Staleness.Kind | undefined
}

/** How things are: what the planner is told about the world. */
export interface Situation {
  readonly universe: Partitions.Universe
  readonly codeVersions: { readonly [asset: string]: string }
  readonly stateOf: (asset: string, partition: string) => Staleness.PartitionState
}

/** One partition that matters. */
interface Demand {
  readonly key: PartitionKey.PartitionKey
  neededUntil: number | undefined
  /** Per dependency the texts of the upstream partitions it reads. */
  inputs: { readonly [dependency: string]: ReadonlyArray<string> }
  nonexistent: string | undefined
}

type Demands = Map<string, Map<string, Demand>>

const NO_INPUTS: Demand["inputs"] = {}

const demand = (demands: Demands, asset: string, key: PartitionKey.PartitionKey): Demand => {
  const text = PartitionKey.toText(key)
  const known = demands.get(asset)!.get(text)
  if (known !== undefined) return known
  const fresh: Demand = { key, neededUntil: undefined, inputs: NO_INPUTS, nonexistent: undefined }
  demands.get(asset)!.set(text, fresh)
  return fresh
}

/** A window that is still open may be asked to reach as far as the downstream window does, never past its own end. */
const extend = (upstream: Demand, ownEnd: number | undefined, downstreamEnd: number | undefined): void => {
  if (ownEnd === undefined || downstreamEnd === undefined) return
  const until = Math.min(ownEnd, downstreamEnd)
  if (upstream.neededUntil === undefined || until > upstream.neededUntil) upstream.neededUntil = until
}

const demandInputs = (
  demands: Demands,
  asset: Asset.Any,
  current: Demand,
  universe: Partitions.Universe
): void => {
  const inputs: { [dependency: string]: ReadonlyArray<string> } = {}
  const end = Partitions.keyEnd(asset.dimensions, current.key)
  for (const [name, dependency] of Object.entries(asset.dependencies)) {
    const upstream = dependency.asset
    const found = PartitionMapping.upstreamOf(dependency.mapping, upstream.dimensions, current.key, universe)
    if (found.nonexistent.length > 0) {
      current.nonexistent = `${upstream.name} ${PartitionKey.toText(found.nonexistent[0]!)} does not exist`
    }
    inputs[name] = found.keys.map((key) => {
      extend(demand(demands, upstream.name, key), Partitions.keyEnd(upstream.dimensions, key), end)
      return PartitionKey.toText(key)
    })
  }
  current.inputs = inputs
}

/** Downstream first, so that everything an asset is asked for is known before its own inputs are walked. */
const collectDemands = (graph: AssetGraph.Any, request: Request, universe: Partitions.Universe): Demands => {
  const demands: Demands = new Map([...graph.assets.keys()].map((name) => [name, new Map()]))
  for (const target of request.targets) for (const key of target.keys) demand(demands, target.asset, key)
  for (const asset of [...graph.assets.values()].reverse()) {
    for (const current of demands.get(asset.name)!.values()) demandInputs(demands, asset, current, universe)
  }
  return demands
}

interface Progress {
  readonly planned: Map<string, Map<string, PlannedPartition>>
  readonly blocked: Map<string, Map<string, string>>
  readonly upToDate: { [asset: string]: number }
  leftAlone: number
}

const missingInput = (
  asset: Asset.Any,
  current: Demand,
  progress: Progress,
  situation: Situation
): string | undefined => {
  if (current.nonexistent !== undefined) return current.nonexistent
  for (const [name, texts] of Object.entries(current.inputs)) {
    const upstream = asset.dependencies[name]!.asset.name
    for (const text of texts) {
      if (progress.blocked.get(upstream)?.has(text) === true) return `${upstream} ${text} is blocked`
      const planned = progress.planned.get(upstream)?.has(text) === true
      if (!planned && situation.stateOf(upstream, text).latest === undefined) {
        return `${upstream} ${PartitionKey.label(text)} was never materialized: select it too ("+${asset.name}")`
      }
    }
  }
  return undefined
}

/** The data versions of the inputs as they are now, and the first dependency that this plan materializes. */
const currentInputs = (asset: Asset.Any, current: Demand, progress: Progress, situation: Situation) => {
  const inputs: { [dependency: string]: string } = {}
  let planned: string | undefined
  for (const [name, texts] of Object.entries(current.inputs)) {
    const upstream = asset.dependencies[name]!.asset.name
    if (texts.some((text) => progress.planned.get(upstream)?.has(text) === true)) planned ??= upstream
    inputs[name] = DataVersion.combine(
      texts.map((text) => [text, situation.stateOf(upstream, text).latest?.dataVersion ?? ""] as const)
    )
  }
  return { inputs, planned }
}

const reasonFor = (
  asset: Asset.Any,
  text: string,
  current: Demand,
  forced: boolean,
  progress: Progress,
  situation: Situation
): Staleness.Reason | undefined => {
  if (forced) return { _tag: "Forced" }
  const { inputs, planned } = currentInputs(asset, current, progress, situation)
  const reason = Staleness.evaluate(situation.stateOf(asset.name, text), {
    codeVersion: situation.codeVersions[asset.name]!,
    inputs,
    neededUntil: current.neededUntil
  })
  return reason ?? (planned === undefined ? undefined : { _tag: "InputPlanned", dependency: planned })
}

const count = (progress: Progress, asset: string): void => {
  progress.upToDate[asset] = (progress.upToDate[asset] ?? 0) + 1
}

const decide = (
  asset: Asset.Any,
  demands: ReadonlyMap<string, Demand>,
  forced: boolean,
  only: Staleness.Kind,
  progress: Progress,
  situation: Situation
): void => {
  const planned = new Map<string, PlannedPartition>()
  const blocked = new Map<string, string>()
  for (const [text, current] of demands) {
    const reason = reasonFor(asset, text, current, forced, progress, situation)
    if (reason === undefined) {
      count(progress, asset.name)
      continue
    }
    if (!Staleness.isOfKind(reason, only)) {
      progress.leftAlone++
      continue
    }
    const why = missingInput(asset, current, progress, situation)
    if (why === undefined) planned.set(text, { partition: text, reason, neededUntil: current.neededUntil })
    else blocked.set(text, why)
  }
  progress.planned.set(asset.name, planned)
  progress.blocked.set(asset.name, blocked)
}

const chunks = (asset: Asset.Any, planned: Iterable<PlannedPartition>, demands: ReadonlyMap<string, Demand>) => {
  const groups = new Map<string, Array<Array<PlannedPartition>>>()
  for (const partition of planned) {
    const group = asset.batch.by(demands.get(partition.partition)!.key)
    const batches = groups.get(group) ?? []
    groups.set(group, batches)
    const last = batches.at(-1)
    if (last === undefined || last.length >= asset.batch.max) batches.push([partition])
    else last.push(partition)
  }
  return [...groups.values()].flat()
}

/** Steps in graph order; a step comes after the steps that materialize what it reads. */
const layOut = (graph: AssetGraph.Any, demands: Demands, progress: Progress): ReadonlyArray<Step> => {
  const steps: Array<Step> = []
  const stepOf = new Map<string, Map<string, number>>()
  for (const asset of graph.assets.values()) {
    const own = new Map<string, number>()
    stepOf.set(asset.name, own)
    const demanded = demands.get(asset.name)!
    for (const partitions of chunks(asset, progress.planned.get(asset.name)?.values() ?? [], demanded)) {
      const after = new Set<number>()
      for (const { partition } of partitions) {
        own.set(partition, steps.length)
        for (const [name, texts] of Object.entries(demanded.get(partition)!.inputs)) {
          const upstream = stepOf.get(asset.dependencies[name]!.asset.name)!
          for (const text of texts) if (upstream.has(text)) after.add(upstream.get(text)!)
        }
      }
      steps.push({ id: steps.length, asset: asset.name, pool: asset.pool, partitions, after: [...after] })
    }
  }
  return steps
}

/** The partitions that a plan for this request would look at: what the store must be asked about. */
export const partitionsOf = (
  graph: AssetGraph.Any,
  request: Request,
  universe: Partitions.Universe
): ReadonlyMap<string, ReadonlyArray<string>> => {
  const demands = collectDemands(graph, request, universe)
  const found = new Map<string, ReadonlyArray<string>>()
  for (const [asset, demanded] of demands) if (demanded.size > 0) found.set(asset, [...demanded.keys()])
  return found
}

/** What to do for the request, and why. The same request in the same situation gives the same plan. */
export const plan = (graph: AssetGraph.Any, request: Request, situation: Situation): Plan => {
  const demands = collectDemands(graph, request, situation.universe)
  const targets = new Set(request.targets.map((target) => target.asset))
  const progress: Progress = { planned: new Map(), blocked: new Map(), upToDate: {}, leftAlone: 0 }
  const codeVersions: { [asset: string]: string } = {}
  for (const asset of graph.assets.values()) {
    const demanded = demands.get(asset.name)!
    if (demanded.size === 0 || !(request.ancestors || targets.has(asset.name))) continue
    codeVersions[asset.name] = situation.codeVersions[asset.name]!
    decide(asset, demanded, request.force && targets.has(asset.name), request.only ?? "all", progress, situation)
  }
  const blocked: Array<Blocked> = []
  for (const [asset, texts] of progress.blocked) {
    for (const [partition, why] of texts) blocked.push({ asset, partition, why })
  }
  const { leftAlone, upToDate } = progress
  return { steps: layOut(graph, demands, progress), upToDate, leftAlone, blocked, codeVersions }
}
