/** Which partitions are asked for by runs that have not ended: by what their requests say. Pure. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import type * as Partitions from "../partition/Partitions.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import type * as Demand from "../plan/Demand.ts"
import * as RunRequest from "../plan/RunRequest.ts"

const decode = Schema.decodeUnknownResult(RunRequest.RunRequest)

/** A target that is not there any more takes nothing away from the others. */
const apart = (request: RunRequest.RunRequest): ReadonlyArray<RunRequest.RunRequest> =>
  request.targets === undefined ? [request] : request.targets.map((target) => ({ ...request, targets: [target] }))

/** What the request names, without ancestors that come along; nothing of a request that is in other words. */
export const targetsOf = (
  graph: AssetGraph.Any,
  request: unknown,
  universe: Partitions.Universe
): ReadonlyArray<Demand.Target> => {
  const decoded = decode(request)
  if (Result.isFailure(decoded)) return []
  return apart(decoded.success).flatMap((one) => {
    const resolved = RunRequest.resolve(graph, one, universe)
    return Result.isSuccess(resolved) ? resolved.success.targets : []
  })
}

/** Asset to what is in progress of it. */
export const sets = (targets: Iterable<Demand.Target>): Map<string, PartitionSet.PartitionSet> => {
  const found = new Map<string, PartitionSet.PartitionSet>()
  for (const { asset, set } of targets) {
    const known = found.get(asset)
    found.set(asset, known === undefined ? set : PartitionSet.union(known, set))
  }
  return found
}
