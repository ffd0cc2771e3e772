/** Reads from the store what conditions look at: as few queries for many assets as for one. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import type * as Partitions from "../partition/Partitions.ts"
import type * as Demand from "../plan/Demand.ts"
import type * as Overview from "../plan/Overview.ts"
import * as Planner from "../plan/Planner.ts"
import * as Staleness from "../plan/Staleness.ts"
import { message } from "../run/CauseText.ts"
import * as Situation from "../run/Situation.ts"
import type { MaterializationStore, States } from "../store/MaterializationStore.ts"
import type { RunStore } from "../store/RunStore.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as ConditionView from "./ConditionView.ts"
import * as InProgress from "./InProgress.ts"

export interface Read {
  readonly situation: Overview.Situation
  /** What was looked at one by one. */
  readonly states: States
}

/** Code of the project's threw when assets were looked at: a mapping, most of all. */
export class LookError extends Schema.TaggedError<LookError>()("LookError", {
  /** Why, by asset. */
  failed: Schema.Record(Schema.String, Schema.String)
}) {}

const suspects = (graph: AssetGraph.Any, name: string, overview: Overview.Overview) =>
  Result.try({
    try: () => {
      const asset = graph.assets.get(name)!
      const request = ConditionView.staleRequest(asset, overview.universe)
      return Planner.unclear(ConditionView.neighbourhood(asset), request, overview)
    },
    catch: (error) => message(Cause.die(error))
  })

/** What has to be looked at one by one: what only its history can judge, and what `outdated` compares. */
const unclear = Effect.fnUntraced(
  function*(graph: AssetGraph.Any, names: Iterable<string>, judged: Iterable<string>, overview: Overview.Overview) {
    const found: Array<Demand.Target> = []
    const failed: { [asset: string]: string } = {}
    for (const asset of names) {
      for (const { set, standing } of overview.classes(asset)) if (standing === undefined) found.push({ asset, set })
    }
    for (const name of judged) {
      const sets = suspects(graph, name, overview)
      if (Result.isFailure(sets)) failed[name] = sets.failure
      else for (const [asset, set] of sets.success) found.push({ asset, set })
    }
    return Object.keys(failed).length === 0 ? InProgress.sets(found) : yield* new LookError({ failed })
  }
)

/** How these assets stand; `judged` are those among them that may be asked whether they are outdated. */
export const read = Effect.fnUntraced(
  function*(
    graph: AssetGraph.Any,
    names: ReadonlySet<string>,
    judged: ReadonlySet<string>,
    universe: Partitions.Universe
  ) {
    const overview = yield* Situation.overview(graph, [...names], universe) as Effect.Effect<
      Overview.Overview,
      Situation.CodeVersionError | StoreError,
      RunStore | MaterializationStore
    >
    const states = yield* Situation.statesOf(yield* unclear(graph, names, judged, overview))
    const stateOf = (asset: string, partition: string) => states.get(asset)?.get(partition) ?? Staleness.unknown
    return { situation: { ...overview, stateOf }, states } satisfies Read
  }
)
