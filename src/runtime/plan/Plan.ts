/** A plan is data: which partitions of which assets, why, and what is not to be done. Sets, so it stays small. */
import type * as Asset from "../asset/Asset.ts"
import type * as Check from "../asset/Check.ts"
import type * as Partitions from "../partition/Partitions.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import type * as Demand from "./Demand.ts"
import type { Reason } from "./Staleness.ts"
import * as Staleness from "./Staleness.ts"

export interface Planned {
  readonly reason: Reason
  readonly set: PartitionSet.PartitionSet
}

export interface Blocked {
  /** A sentence: what is missing, told of the first partition, and how to get it. */
  readonly why: string
  readonly set: PartitionSet.PartitionSet
}

export interface AssetPlan {
  readonly asset: Asset.Any
  readonly checks: ReadonlyArray<Check.Any>
  readonly codeVersion: string
  /** Every partition that the request looks at. */
  readonly demanded: PartitionSet.PartitionSet
  /** Who of the plan reads it. */
  readonly readers: ReadonlyArray<Demand.Reader>
  /** The union of `reasons`. */
  readonly planned: PartitionSet.PartitionSet
  /** Disjoint. */
  readonly reasons: ReadonlyArray<Planned>
  readonly blocked: ReadonlyArray<Blocked>
  /** How many of the demanded partitions need nothing. */
  readonly upToDate: number
  /** How many have a reason that the request did not ask for. */
  readonly leftAlone: number
  /** Those whose own versions had to be compared, and are up to date. */
  readonly verified: PartitionSet.PartitionSet
  readonly forced: boolean
}

/** `R` is what its assets need; it exists for the compiler only. */
export interface Plan<out R = unknown> {
  readonly "~services"?: () => R
  /** Upstream first. */
  readonly assets: ReadonlyArray<AssetPlan>
  readonly universe: Partitions.Universe
}

export const partitionCount = (self: Plan): number =>
  self.assets.reduce((sum, { planned }) => sum + PartitionSet.size(planned), 0)

export const blockedCount = (self: Plan): number =>
  self.assets.reduce((sum, { blocked }) => sum + blocked.reduce((all, { set }) => all + PartitionSet.size(set), 0), 0)

export const isEmpty = (self: Plan): boolean => partitionCount(self) === 0 && blockedCount(self) === 0

/** How many calls an asset's planned partitions take; only a `batch.by` makes this look at each of them. */
export const callCount = ({ asset: { batch }, planned }: AssetPlan): number => {
  const size = PartitionSet.size(planned)
  if (batch.max === 1) return size
  if (batch.by === undefined) return Math.ceil(size / batch.max)
  const groups = new Map<string, number>()
  for (const key of PartitionSet.keys(planned)) {
    const group = batch.by(key)
    groups.set(group, (groups.get(group) ?? 0) + 1)
  }
  return [...groups.values()].reduce((sum, count) => sum + Math.ceil(count / batch.max), 0)
}

/** Calls per pool: what a quota will be asked for. */
export const callsPerPool = (self: Plan): { readonly [pool: string]: number } => {
  const calls: { [pool: string]: number } = {}
  for (const planned of self.assets) {
    const { pool } = planned.asset
    const count = pool === undefined ? 0 : callCount(planned)
    if (count > 0) calls[pool!] = (calls[pool!] ?? 0) + count
  }
  return calls
}

export interface AssetSummary {
  readonly asset: string
  readonly partitions: number
  readonly steps: number
  /** How many partitions for each explanation. */
  readonly reasons: { readonly [explanation: string]: number }
  readonly upToDate: number
}

/** Per asset, in the plan's order: how much and why. */
export const summarize = (self: Plan): ReadonlyArray<AssetSummary> =>
  self.assets.map((one) => {
    const reasons: { [explanation: string]: number } = {}
    for (const { reason, set } of one.reasons) {
      const why = Staleness.explain(reason)
      reasons[why] = (reasons[why] ?? 0) + PartitionSet.size(set)
    }
    return {
      asset: one.asset.name,
      partitions: PartitionSet.size(one.planned),
      steps: callCount(one),
      reasons,
      upToDate: one.upToDate
    }
  })
