/**
 * Why partitions cannot be materialized, however much they need it: something upstream does not exist, is blocked itself,
 * was never made and is not part of the plan, or did not pass a blocking check.
 */
import type * as Asset from "../asset/Asset.ts"
import * as PartitionKey from "../partition/PartitionKey.ts"
import * as PartitionMapping from "../partition/PartitionMapping.ts"
import * as Partitions from "../partition/Partitions.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import type * as Demand from "./Demand.ts"
import type { Situation } from "./Overview.ts"
import type { Blocked } from "./Plan.ts"
import type * as Staleness from "./Staleness.ts"
import type * as Standing from "./Standing.ts"

/** What is decided so far, upstream of the asset at hand. */
export interface Decided {
  readonly situation: Situation
  readonly planned: ReadonlyMap<string, PartitionSet.PartitionSet>
  readonly blocked: ReadonlyMap<string, PartitionSet.PartitionSet>
}

const meets = (set: PartitionSet.PartitionSet, other: PartitionSet.PartitionSet): PartitionSet.PartitionSet =>
  PartitionSet.intersection(other, set)

/** Those of the needed partitions whose latest success is so: told by standings where these can tell. */
const whereLatest = (
  upstream: Asset.Any,
  needed: PartitionSet.PartitionSet,
  situation: Situation,
  holds: {
    readonly standing: (standing: Standing.Standing) => boolean
    readonly latest: (latest: Staleness.Recorded) => boolean
  }
): PartitionSet.PartitionSet => {
  const sets = situation.classes(upstream.name).flatMap(({ set, standing }) => {
    if (standing !== undefined) return holds.standing(standing) ? [meets(needed, set)] : []
    const keys = [...PartitionSet.keys(meets(needed, set))].filter((key) => {
      const { latest } = situation.stateOf(upstream.name, PartitionKey.toText(key))
      return latest !== undefined && holds.latest(latest)
    })
    return [PartitionSet.fromKeys(set.space, keys)]
  })
  return PartitionSet.unionAll(needed.space, sets)
}

/** The upstream partitions that were never materialized. */
const neverMade = (upstream: Asset.Any, needed: PartitionSet.PartitionSet, situation: Situation) =>
  upstream.external
    ? PartitionSet.none(needed.space)
    : PartitionSet.difference(
      needed,
      whereLatest(upstream, needed, situation, { standing: ({ asOf }) => asOf > 0, latest: () => true })
    )

/** The upstream partitions that a blocking check keeps from being read. */
const rejectedIn = (upstream: Asset.Any, needed: PartitionSet.PartitionSet, situation: Situation) =>
  whereLatest(upstream, needed, situation, {
    standing: ({ rejected }) => rejected,
    latest: ({ rejected }) => rejected !== undefined
  })

interface Obstacle {
  readonly set: PartitionSet.PartitionSet
  readonly why: (key: PartitionKey.PartitionKey) => string
}

const label = (set: PartitionSet.PartitionSet): string =>
  PartitionKey.label(PartitionKey.toText(PartitionSet.first(set)!))

/** Why partitions of the set cannot be materialized. */
const obstaclesOf = (
  asset: Asset.Any,
  set: PartitionSet.PartitionSet,
  demand: Demand.Demand,
  decided: Decided
): ReadonlyArray<Obstacle> =>
  Object.entries(asset.dependencies).flatMap(([name, { asset: upstream, mapping }]): ReadonlyArray<Obstacle> => {
    const up = Partitions.space(upstream.dimensions, decided.situation.universe)
    const read = (from: PartitionSet.PartitionSet) => meets(set, PartitionMapping.downstream(mapping, set.space, from))
    const of = (from: PartitionSet.PartitionSet, key: PartitionKey.PartitionKey): PartitionSet.PartitionSet =>
      meets(from, PartitionSet.fromKeys(up, PartitionMapping.upstreamOf(mapping, up, set.space, key)))
    const lacking = demand.lacking.get(name) ?? PartitionSet.none(set.space)
    const blocked = decided.blocked.get(upstream.name) ?? PartitionSet.none(up)
    const planned = decided.planned.get(upstream.name) ?? PartitionSet.none(up)
    const ofThisPlan = PartitionSet.union(blocked, planned)
    const asIs = PartitionSet.difference(PartitionMapping.upstream(mapping, up, set).keys, ofThisPlan)
    const never = neverMade(upstream, asIs, decided.situation)
    const rejected = rejectedIn(upstream, asIs, decided.situation)
    return [
      {
        set: meets(set, lacking),
        why: (key) => `${upstream.name} ${PartitionMapping.explain(mapping, up, set.space, key)} does not exist`
      },
      { set: read(blocked), why: (key) => `${upstream.name} ${label(of(blocked, key))} is blocked` },
      {
        set: read(never),
        why: (key) =>
          `${upstream.name} ${label(of(never, key))} was never materialized: select it too ("+${asset.name}")`
      },
      {
        set: read(rejected),
        why: (key) =>
          `${upstream.name} ${label(of(rejected, key))} did not pass a blocking check: select it too ("+${asset.name}")`
      }
    ]
  })

/** The partitions of the set that cannot be materialized, by the first obstacle of each. */
export const blocked = (
  asset: Asset.Any,
  set: PartitionSet.PartitionSet,
  demand: Demand.Demand,
  decided: Decided
): ReadonlyArray<Blocked> => {
  let left = set
  const found: Array<Blocked> = []
  for (const obstacle of obstaclesOf(asset, set, demand, decided)) {
    const own = meets(left, obstacle.set)
    if (PartitionSet.isEmpty(own)) continue
    found.push({ why: obstacle.why(PartitionSet.first(own)!), set: own })
    left = PartitionSet.difference(left, own)
  }
  return found
}
