/** What is kept of partitions that were materialized or looked at, in the form that plans are made from. Pure. */
import * as PartitionKey from "../partition/PartitionKey.ts"
import * as PartitionMapping from "../partition/PartitionMapping.ts"
import * as Partitions from "../partition/Partitions.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import * as Fingerprint from "../plan/Fingerprint.ts"
import type { AssetPlan } from "../plan/Plan.ts"
import * as Staleness from "../plan/Staleness.ts"
import type { Outcome } from "../store/Outcome.ts"

/** The time of a success, where it is to be remembered: see `Standing.at`. */
export const memorableAt = ({ asset, demanded: { space } }: AssetPlan, partition: string, at: number): number => {
  if (asset.observedEvery !== undefined) return Staleness.observedAt(asset.observedEvery, at)
  return (Partitions.keyEnd(space, PartitionKey.fromText(partition)) ?? 0) > at ? at : 0
}

const known = new WeakMap<AssetPlan, ReadonlyArray<PartitionSet.PartitionSet>>()

/**
 * Partitions of the plan that read more once a window exists that they skip now, per dependency. What numbers would say
 * of them might come from a process for which that window exists already.
 */
const growingOf = (plan: AssetPlan): ReadonlyArray<PartitionSet.PartitionSet> => {
  const found = known.get(plan)
  if (found !== undefined) return found
  const { asset, demanded } = plan
  const sets = Object.values(asset.dependencies).map(({ asset: upstream, mapping }) =>
    PartitionMapping.growing(mapping, Partitions.space(upstream.dimensions, demanded.space.universe), demanded)
  ).filter((set) => !PartitionSet.isEmpty(set))
  known.set(plan, sets)
  return sets
}

/** No fingerprint is like it: the partition is left to its history. */
const LEFT_TO_HISTORY = ""

/** What became of partitions of the plan; of those that grow in an outcome of their own, the second. */
export const outcomesOf = (
  of: AssetPlan,
  became: Partial<Pick<Outcome, "succeeded" | "failed" | "verified" | "checked">>
): ReadonlyArray<Outcome> => {
  const outcome: Outcome = {
    asset: of.asset.name,
    space: of.demanded.space,
    codeVersion: of.codeVersion,
    dependencies: Fingerprint.of(of.asset, of.demanded.space.universe),
    succeeded: [],
    failed: [],
    verified: [],
    ...became
  }
  const growing = growingOf(of)
  if (growing.length === 0) return [outcome]
  const grows = ({ partition }: { readonly partition: string }): boolean =>
    growing.some((set) => PartitionSet.contains(set, PartitionKey.fromText(partition)))
  const { succeeded, verified } = outcome
  const rest = { succeeded: succeeded.filter((one) => !grows(one)), verified: verified.filter((one) => !grows(one)) }
  const left = { succeeded: succeeded.filter(grows), verified: verified.filter(grows), failed: [], checked: undefined }
  return [{ ...outcome, ...rest }, { ...outcome, ...left, dependencies: LEFT_TO_HISTORY }]
}
