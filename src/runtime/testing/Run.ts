/** What came of a run, asset by asset and partition by partition. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Asset from "../asset/Asset.ts"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import * as PartitionKey from "../partition/PartitionKey.ts"
import type * as Partitions from "../partition/Partitions.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import type * as Plan from "../plan/Plan.ts"
import type { Event } from "../run/Event.ts"
import type { Summary } from "../run/Summary.ts"

/** The key of a partition, as an object or as text; none for an asset without partitions. */
type Which<D extends Partitions.Dimensions> = keyof D extends never ? [partition?: {}]
  : [partition: Partitions.Key<D> | string]

export interface Run {
  readonly plan: Plan.Plan
  readonly summary: Summary
  readonly events: ReadonlyArray<Event>
  /** Texts of the partitions that this run materialized, in that order. */
  readonly materialized: (asset: Asset.Any) => ReadonlyArray<string>
  /** What this run recorded for the partition. Throws a sentence about what became of it when that is nothing. */
  readonly output: <A extends Asset.Any>(asset: A, ...partition: Which<Asset.Dimensions<A>>) => Asset.Output<A>
}

const textOf = (asset: Asset.Any, key: PartitionKey.PartitionKey | string): string =>
  typeof key === "string"
    ? key
    : PartitionKey.toText(Object.fromEntries(Object.keys(asset.dimensions).map((name) => [name, key[name] ?? ""])))

/** Decoded outputs: per asset, per partition. */
type Outputs = ReadonlyMap<string, ReadonlyMap<string, unknown>>

const decoded = Effect.fnUntraced(function*(graph: AssetGraph.Any, events: ReadonlyArray<Event>) {
  const outputs = new Map<string, Map<string, unknown>>()
  for (const event of events) {
    if (event.type !== "Materialized") continue
    const schema = graph.assets.get(event.asset)!.output
    const own = outputs.get(event.asset) ?? new Map<string, unknown>()
    outputs.set(event.asset, own)
    for (const { output, partition } of event.results) {
      const value = schema === undefined
        ? undefined
        : yield* Effect.orDie(Schema.decodeUnknownEffect(Schema.toCodecJson(schema))(output))
      own.set(partition, value)
    }
  }
  return outputs as Outputs
}) as (graph: AssetGraph.Any, events: ReadonlyArray<Event>) => Effect.Effect<Outputs>

/** Why there is no output. */
const fate = (
  asset: Asset.Any,
  text: string,
  plan: Plan.Plan,
  summary: Summary,
  events: ReadonlyArray<Event>
): string => {
  const key = PartitionKey.fromText(text)
  const own = plan.assets.find((one) => one.asset === asset)
  const blocked = own?.blocked.find(({ set }) => PartitionSet.contains(set, key))
  if (blocked !== undefined) return `blocked: ${blocked.why}`
  for (const event of events) {
    if (event.type !== "Failed" || event.asset !== asset.name || !event.partitions.includes(text)) continue
    return event.blocked ? event.error : `it failed: ${event.error}`
  }
  if (own === undefined || !PartitionSet.contains(own.planned, key)) {
    return "it was up to date, does not exist, or was not asked for"
  }
  return summary.status === "canceled" ? "the run was canceled" : "its inputs came out unchanged"
}

export const make = (
  graph: AssetGraph.Any,
  plan: Plan.Plan,
  summary: Summary,
  events: ReadonlyArray<Event>
): Effect.Effect<Run> =>
  Effect.map(decoded(graph, events), (outputs) => ({
    plan,
    summary,
    events,
    materialized: (asset) => [...outputs.get(asset.name)?.keys() ?? []],
    output: <A extends Asset.Any>(asset: A, ...[key]: Which<Asset.Dimensions<A>>) => {
      const text = textOf(asset, key ?? "")
      const own = outputs.get(asset.name)
      if (own?.has(text) === true) return own.get(text) as Asset.Output<A>
      throw new Error(
        `${asset.name} ${PartitionKey.label(text)} was not materialized: ${fate(asset, text, plan, summary, events)}`
      )
    }
  }))
