/**
 * One call of one asset: look again at each partition, hand the inputs over, take the answers.
 *
 * A step decides nothing that the plan did not: between plan and call another process may have materialized a partition,
 * or an upstream partition of this run may have come out unchanged. `Staleness.evaluate` says so with today's versions.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Asset from "../asset/Asset.ts"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import * as PartitionKey from "../partition/PartitionKey.ts"
import * as PartitionMapping from "../partition/PartitionMapping.ts"
import type { Universe } from "../partition/Partitions.ts"
import * as DataVersion from "../plan/DataVersion.ts"
import type { PlannedPartition, Step } from "../plan/Plan.ts"
import * as Staleness from "../plan/Staleness.ts"
import { MaterializationStore, type State } from "../store/MaterializationStore.ts"
import type { StoreError } from "../store/StoreError.ts"

/** A partition that is going to be materialized, with what it reads. */
export interface Work {
  readonly partition: string
  readonly item: Asset.Item
  readonly inputs: { readonly [dependency: string]: string }
  /** The data version before, if there was one. */
  readonly before: string | undefined
}

export interface Prepared {
  readonly work: ReadonlyArray<Work>
  readonly skipped: ReadonlyArray<string>
  /** Partition to why it cannot be materialized. */
  readonly blocked: ReadonlyMap<string, string>
}

/** Why an upstream partition cannot be read in this run; undefined when it can. */
export type Obstacle = (asset: string, partition: string) => string | undefined

interface Input {
  readonly name: string
  readonly dependency: Asset.Dependency
  readonly single: boolean
  readonly states: ReadonlyMap<string, State>
  /** Per own partition the upstream texts. */
  readonly texts: ReadonlyMap<string, ReadonlyArray<string>>
}

const loadInput = Effect.fnUntraced(function*(
  name: string,
  dependency: Asset.Dependency,
  partitions: ReadonlyArray<PlannedPartition>,
  universe: Universe
) {
  const store = yield* MaterializationStore
  const texts = new Map<string, ReadonlyArray<string>>()
  const all = new Set<string>()
  for (const { partition } of partitions) {
    const key = PartitionKey.fromText(partition)
    const found = PartitionMapping.upstreamOf(dependency.mapping, dependency.asset.dimensions, key, universe)
    texts.set(partition, found.keys.map(PartitionKey.toText))
    for (const text of texts.get(partition)!) all.add(text)
  }
  const states = yield* store.states(dependency.asset.name, [...all])
  return { name, dependency, single: PartitionMapping.isSingle(dependency.mapping), states, texts } satisfies Input
})

const obstacleOf = (inputs: ReadonlyArray<Input>, partition: string, obstacle: Obstacle): string | undefined => {
  for (const { dependency, states, texts } of inputs) {
    const upstream = dependency.asset.name
    for (const text of texts.get(partition)!) {
      const why = obstacle(upstream, text)
      if (why !== undefined) return `${upstream} ${PartitionKey.label(text)} ${why}`
      if (states.get(text)?.latest === undefined) return `${upstream} ${PartitionKey.label(text)} is not materialized`
    }
  }
  return undefined
}

const decodeOutput = (asset: Asset.Any, state: State): Effect.Effect<unknown, Schema.SchemaError> =>
  asset.output === undefined
    ? Effect.void
    : Schema.decodeUnknownEffect(Schema.toCodecJson(asset.output))(state.output)

const itemOf = Effect.fnUntraced(function*(inputs: ReadonlyArray<Input>, partition: string) {
  const item: { [name: string]: unknown } = { partition: PartitionKey.fromText(partition) }
  const versions: { [dependency: string]: string } = {}
  for (const { dependency, name, single, states, texts } of inputs) {
    const own = texts.get(partition)!
    versions[name] = DataVersion.combine(own.map((text) => [text, states.get(text)!.latest!.dataVersion] as const))
    const outputs: Array<{ readonly partition: PartitionKey.PartitionKey; readonly output: unknown }> = []
    for (const text of own) {
      const output = yield* decodeOutput(dependency.asset, states.get(text)!)
      outputs.push({ partition: PartitionKey.fromText(text), output })
    }
    item[name] = single ? outputs[0]!.output : outputs
  }
  return { item, versions }
})

/** What of the step is left to do, now. */
export const prepare: (
  graph: AssetGraph.Any,
  step: Step,
  codeVersion: string,
  universe: Universe,
  obstacle: Obstacle
) => Effect.Effect<Prepared, StoreError | Schema.SchemaError, MaterializationStore> = Effect.fnUntraced(
  function*(graph, step, codeVersion, universe, obstacle) {
    const asset = graph.assets.get(step.asset)!
    const store = yield* MaterializationStore
    const own = yield* store.states(step.asset, step.partitions.map(({ partition }) => partition))
    const inputs: Array<Input> = []
    for (const [name, dependency] of Object.entries(asset.dependencies)) {
      inputs.push(yield* loadInput(name, dependency, step.partitions, universe))
    }
    const work: Array<Work> = []
    const skipped: Array<string> = []
    const blocked = new Map<string, string>()
    for (const { neededUntil, partition, reason } of step.partitions) {
      const why = obstacleOf(inputs, partition, obstacle)
      if (why !== undefined) {
        blocked.set(partition, why)
        continue
      }
      const state = own.get(partition) ?? Staleness.unknown
      const { item, versions } = yield* itemOf(inputs, partition)
      const still = Staleness.evaluate(state, { codeVersion, inputs: versions, neededUntil })
      if (reason._tag !== "Forced" && still === undefined) skipped.push(partition)
      else work.push({ partition, item, inputs: versions, before: state.latest?.dataVersion })
    }
    return { work, skipped, blocked }
  }
)

/** The encoded output and the data version of one answer. */
export const encodeOutput = (asset: Asset.Any, codeVersion: string, work: Work, output: unknown) =>
  Effect.gen(function*() {
    const encoded = asset.output === undefined
      ? null
      : yield* Schema.encodeUnknownEffect(Schema.toCodecJson(asset.output))(output)
    const given = asset.dataVersion === undefined
      ? undefined
      : (encoded as { readonly [field: string]: unknown })[asset.dataVersion]
    const dataVersion = given === undefined ? DataVersion.derive(codeVersion, work.inputs, encoded) : String(given)
    return { encoded, dataVersion }
  })
