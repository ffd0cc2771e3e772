/** What the flags of `materialize` and `backfill start` ask for. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as AssetGraph from "../../asset/AssetGraph.ts"
import type * as Partitions from "../../partition/Partitions.ts"
import * as RunRequest from "../../plan/RunRequest.ts"
import type { Kind } from "../../plan/Staleness.ts"
import { usage } from "../Failure.ts"

export interface Asked {
  readonly asset: ReadonlyArray<string>
  readonly select: Option.Option<string>
  readonly partition: Option.Option<string>
  readonly only: Kind
  readonly force: boolean
}

/** As it is kept with the run. */
export const wordsOf = ({ asset, force, only, partition, select }: Asked): RunRequest.RunRequest => ({
  assets: asset,
  select: Option.getOrNull(select),
  partition: Option.getOrNull(partition),
  force,
  only
})

/** A request that cannot be is a usage error. */
export const resolved = (graph: AssetGraph.Any, words: RunRequest.RunRequest, universe: Partitions.Universe) => {
  const found = RunRequest.resolve(graph, words, universe)
  return Result.isSuccess(found)
    ? Effect.succeed(found.success)
    : Effect.fail(usage(found.failure.message, found.failure.fix))
}
