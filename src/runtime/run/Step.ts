/**
 * One call of one asset: look again at each partition, hand the inputs over, take the answers.
 *
 * A step decides nothing that the plan did not: between plan and call another process may have materialized a partition,
 * or an upstream partition of this run may have come out unchanged. `Staleness.evaluate` says so with today's versions.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Asset from "../asset/Asset.ts"
import * as Metadata from "../asset/Metadata.ts"
import * as PartitionKey from "../partition/PartitionKey.ts"
import * as PartitionMapping from "../partition/PartitionMapping.ts"
import * as Partitions from "../partition/Partitions.ts"
import * as DataVersion from "../plan/DataVersion.ts"
import * as Demand from "../plan/Demand.ts"
import * as Staleness from "../plan/Staleness.ts"
import { MaterializationStore, type State } from "../store/MaterializationStore.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Step } from "./Frontier.ts"

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
  /** Up to date, with the time of their success. */
  readonly skipped: ReadonlyArray<{ readonly partition: string; readonly materializedAt: number }>
  /** Partition to why it cannot be materialized. */
  readonly blocked: ReadonlyMap<string, string>
}

/** Why an upstream partition cannot be read in this run; undefined when it can. */
export type Obstacle = (asset: string, partition: string) => string | undefined

interface Input {
  readonly name: string
  readonly asset: Asset.Any
  readonly single: boolean
  /** Per own partition the upstream texts. */
  readonly texts: ReadonlyMap<string, ReadonlyArray<string>>
}

const inputsOf = ({ of, partitions }: Step): ReadonlyArray<Input> =>
  Object.entries(of.asset.dependencies).map(([name, { asset, mapping }]) => {
    const own = of.demanded.space
    const up = Partitions.space(asset.dimensions, own.universe)
    const texts = partitions.map((partition) => {
      const keys = PartitionMapping.upstreamOf(mapping, up, own, PartitionKey.fromText(partition))
      return [partition, keys.map(PartitionKey.toText)] as const
    })
    return { name, asset, single: PartitionMapping.isSingle(mapping), texts: new Map(texts) }
  })

type StateOf = (asset: string, partition: string) => State | undefined

const loadStates = Effect.fnUntraced(function*(step: Step, inputs: ReadonlyArray<Input>) {
  const asked = new Map<string, Set<string>>([[step.of.asset.name, new Set(step.partitions)]])
  for (const { asset, texts } of inputs) {
    const own = asked.get(asset.name) ?? new Set()
    asked.set(asset.name, own)
    for (const all of texts.values()) for (const text of all) own.add(text)
  }
  const states = yield* (yield* MaterializationStore).states(
    new Map([...asked].map(([asset, texts]) => [asset, [...texts]]))
  )
  return ((asset, partition) => states.get(asset)?.get(partition)) satisfies StateOf as StateOf
})

const obstacleOf = (
  inputs: ReadonlyArray<Input>,
  partition: string,
  stateOf: StateOf,
  obstacle: Obstacle
): string | undefined => {
  for (const { asset, texts } of inputs) {
    for (const text of texts.get(partition)!) {
      const why = obstacle(asset.name, text)
      if (why !== undefined) return `${asset.name} ${PartitionKey.label(text)} ${why}`
      const latest = stateOf(asset.name, text)?.latest
      if (asset.external) continue
      if (latest === undefined) return `${asset.name} ${PartitionKey.label(text)} is not materialized`
      if (latest.rejected !== undefined) {
        return `${asset.name} ${PartitionKey.label(text)} did not pass ${latest.rejected}`
      }
    }
  }
  return undefined
}

/** What the latest success recorded, as the asset's type says. */
export const decodeOutput = (asset: Asset.Any, state: State | undefined): Effect.Effect<unknown, Schema.SchemaError> =>
  asset.output === undefined || asset.external
    ? Effect.void
    : Schema.decodeUnknownEffect(Schema.toCodecJson(asset.output))(state?.output)

const itemOf = Effect.fnUntraced(function*(inputs: ReadonlyArray<Input>, partition: string, stateOf: StateOf) {
  const item: { [name: string]: unknown } = { partition: PartitionKey.fromText(partition) }
  const versions: { [dependency: string]: string } = {}
  for (const { asset, name, single, texts } of inputs) {
    const own = texts.get(partition)!
    versions[name] = DataVersion.combine(
      own.map((text) => [text, stateOf(asset.name, text)?.latest?.dataVersion ?? ""] as const)
    )
    const outputs: Array<{ readonly partition: PartitionKey.PartitionKey; readonly output: unknown }> = []
    for (const text of own) {
      outputs.push({
        partition: PartitionKey.fromText(text),
        output: yield* decodeOutput(asset, stateOf(asset.name, text))
      })
    }
    item[name] = single ? outputs[0]?.output : outputs
  }
  return { item, versions }
})

/** What was materialized by a clock that was ahead, and is right by now, tells nothing. */
const isForced = (step: Step, state: State | undefined, since: number, now: number): boolean => {
  const at = state?.latest?.materializedAt ?? Number.NEGATIVE_INFINITY
  return step.of.forced && (at < since || at > now)
}

/**
 * What of the step is left to do, now. Partitions of a forced asset that were materialized at `forcedSince` or later are
 * treated like all others: they had their turn.
 */
export const prepare: (
  step: Step,
  obstacle: Obstacle,
  forcedSince: number
) => Effect.Effect<Prepared, StoreError | Schema.SchemaError, MaterializationStore> = Effect.fnUntraced(
  function*(step, obstacle, forcedSince) {
    const inputs = inputsOf(step)
    const now = yield* Clock.currentTimeMillis
    const stateOf = yield* loadStates(step, inputs)
    const { asset, codeVersion, demanded: { space } } = step.of
    const work: Array<Work> = []
    const skipped: Array<Prepared["skipped"][number]> = []
    const blocked = new Map<string, string>()
    for (const partition of step.partitions) {
      const why = obstacleOf(inputs, partition, stateOf, obstacle)
      if (why !== undefined) {
        blocked.set(partition, why)
        continue
      }
      const state = stateOf(asset.name, partition)
      const { item, versions } = yield* itemOf(inputs, partition, stateOf)
      const still = isForced(step, state, forcedSince, now) || Staleness.evaluate(state ?? Staleness.unknown, {
            codeVersion,
            inputs: versions,
            neededUntil: Demand.neededUntil(
              step.of.readers,
              space,
              PartitionKey.fromText(partition),
              state?.latest?.materializedAt ?? Number.POSITIVE_INFINITY
            ),
            isOld: Staleness.isOld(asset.observedEvery, space.universe.now)
          }) !== undefined
      if (still) work.push({ partition, item, inputs: versions, before: state?.latest?.dataVersion })
      else skipped.push({ partition, materializedAt: state?.latest?.materializedAt ?? 0 })
    }
    return { work, skipped, blocked }
  }
)

/** The encoded output and the data version of one answer. */
export const encodeOutput = (asset: Asset.Any, codeVersion: string, work: Work, output: unknown) =>
  Effect.gen(function*() {
    const encoded = asset.output === undefined
      ? null
      : Metadata.cleanTexts(yield* Schema.encodeUnknownEffect(Schema.toCodecJson(asset.output))(output))
    const given = asset.dataVersion === undefined
      ? undefined
      : (encoded as { readonly [field: string]: unknown })[asset.dataVersion]
    const dataVersion = given === undefined ? DataVersion.derive(codeVersion, work.inputs, encoded) : String(given)
    return { encoded, dataVersion }
  })
