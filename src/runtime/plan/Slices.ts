/**
 * Cuts a plan into slices that can be worked one by one: chunks of each target's partitions, in order. Pure; the same plan
 * gives the same slices.
 *
 * Slices have stages: an asset comes after the targets that it reads, however far away. What slices of one stage read in
 * common lies upstream of all targets or in an earlier stage.
 */
import type * as AssetGraph from "../asset/AssetGraph.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import type * as Demand from "./Demand.ts"
import type { Plan } from "./Plan.ts"

export interface Slice {
  readonly stage: number
  readonly asset: string
  readonly set: PartitionSet.PartitionSet
}

/** Target to its generation among the targets: 0 when it reads none of them, directly or not. */
const stagesOf = (graph: AssetGraph.Any, targets: ReadonlySet<string>): ReadonlyMap<string, number> => {
  const after = new Map<string, number>()
  const stages = new Map<string, number>()
  for (const { dependencies, name } of graph.assets.values()) {
    const stage = Object.values(dependencies).reduce((most, { asset }) => Math.max(most, after.get(asset.name)!), 0)
    if (targets.has(name)) stages.set(name, stage)
    after.set(name, targets.has(name) ? stage + 1 : stage)
  }
  return stages
}

/** What of the target the plan wants to do, blocked partitions included: they may be had by the time they come up. */
const wanted = (plan: Plan, { asset, set }: Demand.Target): PartitionSet.PartitionSet => {
  const own = plan.assets.find((one) => one.asset.name === asset)
  if (own === undefined) return PartitionSet.none(set.space)
  const all = PartitionSet.unionAll(set.space, [own.planned, ...own.blocked.map((one) => one.set)])
  return PartitionSet.intersection(set, all)
}

/** In the order in which they are to be worked: by stage, then as the targets stand, then by key. */
export const cut = (
  graph: AssetGraph.Any,
  targets: ReadonlyArray<Demand.Target>,
  plan: Plan,
  most: number
): ReadonlyArray<Slice> => {
  const stages = stagesOf(graph, new Set(targets.map(({ asset }) => asset)))
  const slices = targets.flatMap((target) => {
    const set = wanted(plan, target)
    return Array.from({ length: Math.ceil(PartitionSet.size(set) / most) }, (_, at): Slice => ({
      stage: stages.get(target.asset)!,
      asset: target.asset,
      set: PartitionSet.slice(set, at * most, most)
    }))
  })
  return slices.sort((a, b) => a.stage - b.stage)
}
