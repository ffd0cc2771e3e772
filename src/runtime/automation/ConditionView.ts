/**
 * What conditions can look at: how the partitions of some assets stand, as sets, at one instant and one number. Pure; made
 * from what `Situation` reads. Nothing of it is worked out before a condition asks.
 */
import * as Result from "effect/Result"
import type * as Asset from "../asset/Asset.ts"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import * as PartitionKey from "../partition/PartitionKey.ts"
import * as PartitionMapping from "../partition/PartitionMapping.ts"
import * as Partitions from "../partition/Partitions.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import * as TimeAxis from "../partition/TimeAxis.ts"
import * as Zone from "../partition/Zone.ts"
import type { Situation } from "../plan/Overview.ts"
import type { AssetPlan } from "../plan/Plan.ts"
import * as Planner from "../plan/Planner.ts"
import * as Staleness from "../plan/Staleness.ts"

/** Partitions whose data came out different in a run. */
export interface Update {
  readonly run: number
  /** The number at which the run ended; Infinity while it goes on. */
  readonly ended: number
  readonly set: PartitionSet.PartitionSet
}

/** What a condition asked for, and the number of that evaluation. */
export interface Asked {
  readonly number: number
  readonly set: PartitionSet.PartitionSet
}

/** What is known of one asset. */
export interface Facts {
  readonly space: Partitions.Space
  readonly missing: PartitionSet.PartitionSet
  readonly failed: PartitionSet.PartitionSet
  readonly rejected: PartitionSet.PartitionSet
  readonly outdated: PartitionSet.PartitionSet
  readonly inProgress: PartitionSet.PartitionSet
  readonly updates: ReadonlyArray<Update>
  readonly asked: Asked | undefined
  /** Upstream partitions that do not exist are needed by these, per dependency. */
  readonly lacking: (dependency: string) => PartitionSet.PartitionSet
  /** The next instant at which windows are added, or an observation grows old; Infinity when there is none. */
  readonly changesAt: number
}

export interface View {
  readonly universe: Partitions.Universe
  /** Later than all that runs had taken when the reading began. */
  readonly number: number
  readonly of: (asset: Asset.Any) => Facts
}

/** The asset with what it reads, as a graph of its own: what a plan costs follows these, not the whole graph. */
export const neighbourhood = (asset: Asset.Any): AssetGraph.Any => {
  const upstream = Object.values(asset.dependencies).map((dependency) => dependency.asset)
  const assets = new Map([...upstream, asset].map((one) => [one.name, one]))
  return { assets, names: [...assets.keys()], downstream: new Map(), checks: new Map() }
}

/** What `outdated` asks the planner. */
export const staleRequest = (asset: Asset.Any, universe: Partitions.Universe): Planner.Request => ({
  targets: [{ asset: asset.name, set: PartitionSet.all(Partitions.space(asset.dimensions, universe)) }],
  ancestors: false,
  force: false,
  only: "stale"
})

/** Looks this far for the next window, in steps that grow. */
const FARTHEST = 50 * 366 * 86_400_000

/** So many windows may end without one being added: those of a dimension that has ended never add any. */
const MOST = 32

const nextWindow = (dimension: Partitions.TimeDimension, now: number): number => {
  const { length } = TimeAxis.axis(dimension, now)
  const zone = Result.getOrThrow(Zone.make(dimension.zone))
  const from = Math.max(now, Zone.toInstant(zone, dimension.start, "earlier"))
  for (let span = 86_400_000; span <= FARTHEST; span *= 8) {
    const ends = TimeAxis.scheduled(dimension, from, from + span).slice(0, MOST).map(({ end }) => end)
    const found = ends.find((end) => end > now && TimeAxis.axis(dimension, end).length > length)
    if (found !== undefined) return found
    if (ends.length === MOST) break
  }
  return Number.POSITIVE_INFINITY
}

/** When each dimension gets its next window: many assets share one. */
type Windows = Map<Partitions.TimeDimension, { readonly from: number; readonly until: number }>

const nextWindowOf = (windows: Windows, dimension: Partitions.TimeDimension, now: number): number => {
  let known = windows.get(dimension)
  if (known === undefined || now < known.from || now >= known.until) {
    windows.set(dimension, known = { from: now, until: nextWindow(dimension, now) })
  }
  return known.until
}

const windowsAdded = (windows: Windows, { dimensions, universe }: Partitions.Space): number =>
  Math.min(
    ...Object.values(dimensions).flatMap((dimension) =>
      dimension._tag === "time" ? [nextWindowOf(windows, dimension, universe.now)] : []
    )
  )

export interface Known {
  readonly situation: Situation
  readonly number: number
  readonly inProgress: ReadonlyMap<string, PartitionSet.PartitionSet>
  readonly asked: (asset: Asset.Any) => Asked | undefined
  readonly windows: Windows
}

interface Each {
  readonly classes: ReturnType<Situation["classes"]>
  readonly state: (key: PartitionKey.PartitionKey) => Staleness.PartitionState
}

/** Those of which it is so: told by standings where these can tell. */
const where = (
  space: Partitions.Space,
  { classes, state }: Each,
  standing: (standing: NonNullable<Each["classes"][number]["standing"]>) => boolean,
  single: (state: Staleness.PartitionState) => boolean
): PartitionSet.PartitionSet =>
  PartitionSet.unionAll(
    space,
    classes.flatMap((one) => {
      if (one.standing !== undefined) return standing(one.standing) ? [one.set] : []
      return [PartitionSet.fromKeys(space, [...PartitionSet.keys(one.set)].filter((key) => single(state(key))))]
    })
  )

const updatesOf = (space: Partitions.Space, { classes }: Each, situation: Situation): ReadonlyArray<Update> => {
  const byRun = new Map<number, Array<PartitionSet.PartitionSet>>()
  for (const { set, standing } of classes) {
    const run = standing?.changed ?? 0
    if (run > 0) byRun.set(run, [...(byRun.get(run) ?? []), set])
  }
  return [...byRun].map(([run, sets]) => ({
    run,
    ended: situation.endOf(run),
    set: PartitionSet.unionAll(space, sets)
  }))
}

const observationAges = ({ observedEvery }: Asset.Any, { classes }: Each, now: number): number => {
  if (observedEvery === undefined) return Number.POSITIVE_INFINITY
  const ends = classes.map(({ standing }) => Staleness.observedAt(observedEvery, standing?.at ?? 0) + observedEvery)
  return Math.min(...ends.filter((end) => end > now))
}

/** Works each fact out once, when it is asked for. */
class Lazy implements Facts {
  readonly space: Partitions.Space
  private readonly each: Each
  private readonly found = new Map<string, PartitionSet.PartitionSet>()
  /** The plan that was made to know what is outdated; undefined when nobody asked, or when it is never planned. */
  made: AssetPlan | undefined
  private updated: ReadonlyArray<Update> | undefined
  private readonly asset: Asset.Any
  private readonly known: Known

  constructor(asset: Asset.Any, known: Known) {
    this.asset = asset
    this.known = known
    const { situation } = known
    this.space = Partitions.space(asset.dimensions, situation.universe)
    this.each = {
      classes: situation.classes(asset.name),
      state: (key) => situation.stateOf(asset.name, PartitionKey.toText(key))
    }
  }

  private once(name: string, make: () => PartitionSet.PartitionSet): PartitionSet.PartitionSet {
    let set = this.found.get(name)
    if (set === undefined) this.found.set(name, set = make())
    return set
  }

  get missing() {
    return this.once("missing", () => {
      if (this.asset.external) return PartitionSet.none(this.space)
      const made = where(this.space, this.each, ({ asOf }) => asOf > 0, ({ latest }) => latest !== undefined)
      return PartitionSet.difference(PartitionSet.all(this.space), made)
    })
  }

  get failed() {
    const has = ({ failure }: { readonly failure: string | undefined }) => failure !== undefined
    return this.once("failed", () => where(this.space, this.each, has, has))
  }

  get rejected() {
    return this.once(
      "rejected",
      () => where(this.space, this.each, ({ rejected }) => rejected, ({ latest }) => latest?.rejected !== undefined)
    )
  }

  get outdated() {
    return this.once("outdated", () => {
      const { situation } = this.known
      const request = staleRequest(this.asset, situation.universe)
      this.made = Planner.plan(neighbourhood(this.asset), request, situation).assets[0]
      return this.made?.planned ?? PartitionSet.none(this.space)
    })
  }

  get inProgress() {
    return this.known.inProgress.get(this.asset.name) ?? PartitionSet.none(this.space)
  }

  get asked() {
    return this.known.asked(this.asset)
  }

  get updates() {
    return this.updated ??= updatesOf(this.space, this.each, this.known.situation)
  }

  get changesAt() {
    return Math.min(
      windowsAdded(this.known.windows, this.space),
      observationAges(this.asset, this.each, this.space.universe.now)
    )
  }

  lacking(name: string) {
    return this.once(`lacking ${name}`, () => {
      const { asset: upstream, mapping } = this.asset.dependencies[name]!
      const up = Partitions.space(upstream.dimensions, this.known.situation.universe)
      return PartitionMapping.upstream(mapping, up, PartitionSet.all(this.space)).missing
    })
  }
}

export interface Made extends View {
  /** The plans that were made for `outdated`, with what they compared one by one. */
  readonly plans: () => ReadonlyArray<AssetPlan>
}

export const make = (known: Known): Made => {
  const facts = new Map<string, Lazy>()
  const of = (asset: Asset.Any): Lazy => {
    let own = facts.get(asset.name)
    if (own === undefined) facts.set(asset.name, own = new Lazy(asset, known))
    return own
  }
  return {
    universe: known.situation.universe,
    number: known.number,
    of,
    plans: () => [...facts.values()].flatMap((one) => one.made ?? [])
  }
}
