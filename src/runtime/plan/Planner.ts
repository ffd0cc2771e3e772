/**
 * (graph, state, request) -> Plan. Pure.
 *
 * The demand is walked upstream; then, upstream first, sets of partitions that stand alike get one reason, or none. Where
 * numbers cannot tell whether an input changed, `unclear` names the partitions whose single versions decide: the caller
 * reads those and hands them in as `stateOf`. Cost follows the number of runs of the sets, not of partitions.
 */
import type * as Asset from "../asset/Asset.ts"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import * as PartitionKey from "../partition/PartitionKey.ts"
import * as PartitionMapping from "../partition/PartitionMapping.ts"
import * as Partitions from "../partition/Partitions.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import * as DataVersion from "./DataVersion.ts"
import * as Demand from "./Demand.ts"
import * as Fingerprint from "./Fingerprint.ts"
import * as Obstacles from "./Obstacles.ts"
import type { Overview, Situation } from "./Overview.ts"
import type { AssetPlan, Plan, Planned } from "./Plan.ts"
import * as Staleness from "./Staleness.ts"
import * as Standing from "./Standing.ts"

export interface Request {
  /** What is asked for. */
  readonly targets: ReadonlyArray<Demand.Target>
  /** Also materialize ancestors that need it; otherwise they are taken as they are. */
  readonly ancestors: boolean
  /** Materialize the targets even where they are up to date. */
  readonly force: boolean
  /** Leave partitions with reasons of other kinds as they are. */
  readonly only?: Staleness.Kind | undefined
}

export type { Overview, Situation } from "./Overview.ts"

type Sets = ReadonlyMap<string, PartitionSet.PartitionSet>

const meets = (set: PartitionSet.PartitionSet, other: PartitionSet.PartitionSet): PartitionSet.PartitionSet =>
  PartitionSet.intersection(other, set)

/** The partitions of which a change of this input may not have been read. */
const unreadInput = (
  { asset: upstream, mapping }: Asset.Dependency,
  asOf: number,
  set: PartitionSet.PartitionSet,
  overview: Overview
): PartitionSet.PartitionSet => {
  const changed = overview.classes(upstream.name).filter(({ standing }) =>
    standing === undefined || !Standing.hasRead(asOf, standing.changed, overview.endOf(standing.changed))
  )
  if (changed.length === 0) return PartitionSet.none(set.space)
  const up = PartitionSet.unionAll(changed[0]!.set.space, changed.map((one) => one.set))
  return meets(set, PartitionMapping.downstream(mapping, set.space, up))
}

/** Those of a class that only their own versions can judge. `lacking`: those that need something which does not exist. */
const unclearOf = (
  asset: Asset.Any,
  { set, standing }: Standing.Class,
  { lacking }: Demand.Demand,
  overview: Overview
): PartitionSet.PartitionSet => {
  if (standing === undefined) return set
  if (standing.failure !== undefined || standing.asOf === 0) return PartitionSet.none(set.space)
  if (standing.codeVersion !== overview.codeVersions[asset.name]) return PartitionSet.none(set.space)
  if (standing.dependencies !== Fingerprint.of(asset, overview.universe)) return set
  const unread = Object.values(asset.dependencies).map((input) => unreadInput(input, standing.asOf, set, overview))
  return PartitionSet.unionAll(set.space, [...unread, ...[...lacking.values()].map((one) => meets(set, one))])
}

const demandedClasses = (asset: Asset.Any, demanded: PartitionSet.PartitionSet, overview: Overview) =>
  overview.classes(asset.name).map(({ set, standing }) => ({ standing, set: meets(demanded, set) }))
    .filter(({ set }) => !PartitionSet.isEmpty(set))

/** An asset of the request is decided on; the others are taken as they are. */
const isDecided = (request: Request, targets: ReadonlySet<string>, asset: string): boolean =>
  request.ancestors || targets.has(asset)

const targetsOf = (request: Request): ReadonlySet<string> => new Set(request.targets.map(({ asset }) => asset))

/** The assets that these read. */
const readBy = (graph: AssetGraph.Any, targets: ReadonlySet<string>): ReadonlySet<string> =>
  new Set(
    [...targets].flatMap((name) => Object.values(graph.assets.get(name)!.dependencies).map(({ asset }) => asset.name))
  )

const suspectsOf = (asset: Asset.Any, demanded: PartitionSet.PartitionSet, overview: Overview) =>
  PartitionSet.unionAll(
    demanded.space,
    demandedClasses(asset, demanded, overview).filter(({ standing }) => standing === undefined).map(({ set }) => set)
  )

/**
 * Per asset the partitions whose states have to be read one by one before `plan` can decide: those that numbers leave
 * unclear, and what they read.
 */
export const unclear = (graph: AssetGraph.Any, request: Request, overview: Overview): Sets => {
  const targets = targetsOf(request)
  const demands = Demand.collect(graph, request.targets, overview.universe)
  const read = readBy(graph, targets)
  const found = new Map<string, PartitionSet.PartitionSet>()
  const add = (asset: string, set: PartitionSet.PartitionSet): void => {
    const known = found.get(asset)
    if (!PartitionSet.isEmpty(set)) found.set(asset, known === undefined ? set : PartitionSet.union(known, set))
  }
  for (const [name, demand] of demands) {
    const { demanded } = demand
    if (!isDecided(request, targets, name)) {
      // Only its own history says whether a suspect was ever made, and can be read.
      if (read.has(name)) add(name, suspectsOf(graph.assets.get(name)!, demanded, overview))
      continue
    }
    if (request.force && targets.has(name)) continue
    const asset = graph.assets.get(name)!
    const own = demandedClasses(asset, demanded, overview).map((one) => unclearOf(asset, one, demand, overview))
    const set = PartitionSet.unionAll(demanded.space, own)
    if (PartitionSet.isEmpty(set)) continue
    add(name, set)
    for (const { asset: upstream, mapping } of Object.values(asset.dependencies)) {
      const up = Partitions.space(upstream.dimensions, overview.universe)
      add(upstream.name, PartitionMapping.upstream(mapping, up, set).keys)
    }
  }
  return found
}

/** Collects disjoint sets under their reason. */
class Reasons {
  private readonly found = new Map<string, Planned>()

  add(reason: Staleness.Reason, set: PartitionSet.PartitionSet): void {
    if (PartitionSet.isEmpty(set)) return
    const text = JSON.stringify(reason)
    const known = this.found.get(text)
    this.found.set(text, { reason, set: known === undefined ? set : PartitionSet.union(known.set, set) })
  }

  get all(): ReadonlyArray<Planned> {
    return [...this.found.values()]
  }
}

interface Progress extends Obstacles.Decided {
  readonly request: Request
  readonly planned: Map<string, PartitionSet.PartitionSet>
  readonly blocked: Map<string, PartitionSet.PartitionSet>
}

const inputVersions = (
  asset: Asset.Any,
  key: PartitionKey.PartitionKey,
  own: Partitions.Space,
  situation: Situation
) => {
  const inputs: { [dependency: string]: string } = {}
  for (const [name, { asset: upstream, mapping }] of Object.entries(asset.dependencies)) {
    const up = Partitions.space(upstream.dimensions, situation.universe)
    const texts = PartitionMapping.upstreamOf(mapping, up, own, key).map(PartitionKey.toText)
    inputs[name] = DataVersion.combine(
      texts.map((text) => [text, situation.stateOf(upstream.name, text).latest?.dataVersion ?? ""] as const)
    )
  }
  return inputs
}

/** Adds the reasons that single partitions have; answers those that have none. */
const judgeEach = (
  asset: Asset.Any,
  set: PartitionSet.PartitionSet,
  readers: ReadonlyArray<Demand.Reader>,
  situation: Situation,
  reasons: Reasons
): PartitionSet.PartitionSet => {
  const fresh: Array<PartitionKey.PartitionKey> = []
  const found = new Map<
    string,
    { readonly reason: Staleness.Reason; readonly keys: Array<PartitionKey.PartitionKey> }
  >()
  for (const key of PartitionSet.keys(set)) {
    const state = situation.stateOf(asset.name, PartitionKey.toText(key))
    const reason = Staleness.evaluate(state, {
      codeVersion: situation.codeVersions[asset.name]!,
      inputs: inputVersions(asset, key, set.space, situation),
      neededUntil: Demand.neededUntil(
        readers,
        set.space,
        key,
        state.latest?.materializedAt ?? Number.POSITIVE_INFINITY
      ),
      isOld: Staleness.isOld(asset.observedEvery, situation.universe.now)
    })
    if (reason === undefined) {
      fresh.push(key)
      continue
    }
    const text = JSON.stringify(reason)
    const known = found.get(text) ?? { reason, keys: [] }
    found.set(text, known)
    known.keys.push(key)
  }
  for (const { keys, reason } of found.values()) reasons.add(reason, PartitionSet.fromKeys(set.space, keys))
  return PartitionSet.fromKeys(set.space, fresh)
}

/** Windows that were open at their latest success and of which more is needed by now. */
const grown = ({ set, standing }: Standing.Class, readers: ReadonlyArray<Demand.Reader>): PartitionSet.PartitionSet => {
  const at = standing?.at ?? 0
  if (at === 0) return PartitionSet.none(set.space)
  const keys = [...PartitionSet.keys(set)].filter((key) => (Demand.neededUntil(readers, set.space, key, at) ?? 0) > at)
  return PartitionSet.fromKeys(set.space, keys)
}

/** The first reason of a class as a whole, which holds for all its partitions. */
const classReason = (
  asset: Asset.Any,
  standing: Standing.Standing,
  situation: Situation
): Staleness.Reason | undefined => {
  if (standing.failure !== undefined) return { _tag: "Failed", error: standing.failure }
  if (standing.asOf === 0) return { _tag: "NeverMaterialized" }
  const to = situation.codeVersions[asset.name]!
  if (standing.codeVersion !== to) return { _tag: "CodeVersionChanged", from: standing.codeVersion, to }
  return Staleness.isOld(asset.observedEvery, situation.universe.now)(standing.at) ? { _tag: "Unobserved" } : undefined
}

/** Partitions that are fresh by themselves but read what this plan materializes. */
const readsPlanned = (
  asset: Asset.Any,
  fresh: PartitionSet.PartitionSet,
  progress: Progress,
  reasons: Reasons
): void => {
  let left = fresh
  for (const { asset: upstream, mapping } of Object.values(asset.dependencies)) {
    const planned = progress.planned.get(upstream.name)
    if (planned === undefined || PartitionSet.isEmpty(planned)) continue
    const reading = meets(left, PartitionMapping.downstream(mapping, left.space, planned))
    reasons.add({ _tag: "InputPlanned", dependency: upstream.name }, reading)
    left = PartitionSet.difference(left, reading)
  }
}

/** `verified` are those whose own versions were compared and are up to date. */
interface Judged {
  readonly all: ReadonlyArray<Planned>
  readonly verified: PartitionSet.PartitionSet
}

const reasonsFor = (asset: Asset.Any, demand: Demand.Demand, progress: Progress): Judged => {
  const { situation } = progress
  const { demanded, readers } = demand
  const reasons = new Reasons()
  const verified: Array<PartitionSet.PartitionSet> = []
  const classes = demandedClasses(asset, demanded, situation)
  const tried = PartitionSet.unionAll(demanded.space, classes.map(({ set }) => set))
  reasons.add({ _tag: "NeverMaterialized" }, PartitionSet.difference(demanded, tried))
  for (const one of classes) {
    const reason = one.standing === undefined ? undefined : classReason(asset, one.standing, situation)
    if (reason !== undefined) {
      reasons.add(reason, one.set)
      continue
    }
    const older = grown(one, readers)
    reasons.add({ _tag: "WindowGrew" }, older)
    const unclear = PartitionSet.difference(unclearOf(asset, one, demand, situation), older)
    verified.push(judgeEach(asset, unclear, readers, situation, reasons))
  }
  const found = PartitionSet.unionAll(demanded.space, reasons.all.map(({ set }) => set))
  readsPlanned(asset, PartitionSet.difference(demanded, found), progress, reasons)
  return { all: reasons.all, verified: PartitionSet.unionAll(demanded.space, verified) }
}

const without = (planned: ReadonlyArray<Planned>, set: PartitionSet.PartitionSet): ReadonlyArray<Planned> =>
  planned.map((one) => ({ ...one, set: PartitionSet.difference(one.set, set) }))
    .filter((one) => !PartitionSet.isEmpty(one.set))

const decide = (
  graph: AssetGraph.Any,
  asset: Asset.Any,
  demand: Demand.Demand,
  forced: boolean,
  progress: Progress
): AssetPlan => {
  const { request, situation } = progress
  const { demanded, readers } = demand
  const { all, verified }: Judged = forced
    ? { all: [{ reason: { _tag: "Forced" }, set: demanded }], verified: PartitionSet.none(demanded.space) }
    : reasonsFor(asset, demand, progress)
  const wanted = all.filter(({ reason }) => Staleness.isOfKind(reason, request.only ?? "all"))
  const needy = PartitionSet.unionAll(demanded.space, all.map(({ set }) => set))
  const asked = PartitionSet.unionAll(demanded.space, wanted.map(({ set }) => set))
  const blocked = Obstacles.blocked(asset, asked, demand, progress)
  const lost = PartitionSet.unionAll(demanded.space, blocked.map(({ set }) => set))
  const planned = PartitionSet.difference(asked, lost)
  progress.planned.set(asset.name, planned)
  progress.blocked.set(asset.name, lost)
  return {
    asset,
    checks: graph.checks.get(asset.name) ?? [],
    codeVersion: situation.codeVersions[asset.name]!,
    demanded,
    readers,
    planned,
    reasons: without(wanted, lost),
    blocked,
    upToDate: PartitionSet.size(demanded) - PartitionSet.size(needy),
    leftAlone: PartitionSet.size(needy) - PartitionSet.size(asked),
    verified,
    forced
  }
}

/** What to do for the request, and why. The same request in the same situation gives the same plan. */
export const plan = <R>(
  graph: AssetGraph.AssetGraph<string, R>,
  request: Request,
  situation: Situation
): Plan<R> => {
  const demands = Demand.collect(graph, request.targets, situation.universe)
  const targets = targetsOf(request)
  const progress: Progress = { request, situation, planned: new Map(), blocked: new Map() }
  const assets: Array<AssetPlan> = []
  for (const asset of graph.assets.values()) {
    const demand = demands.get(asset.name)
    if (demand === undefined || asset.external || !isDecided(request, targets, asset.name)) continue
    assets.push(decide(graph, asset, demand, request.force && targets.has(asset.name), progress))
  }
  return { assets, universe: situation.universe }
}
