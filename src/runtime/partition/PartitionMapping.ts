/**
 * Which upstream partitions a downstream partition is made from.
 *
 * A mapping says for each upstream dimension where its values come from: the same value of a downstream dimension, the
 * month that contains a session, the sessions within a month, or all there are. Values that would be needed but do not
 * exist are answered apart: they block, and are shown.
 */
import * as PartitionKey from "./PartitionKey.ts"
import * as Partitions from "./Partitions.ts"

export interface From<out Dimension extends string = string> {
  readonly _tag: "from"
  readonly dimension: Dimension
}

export interface Containing<out Dimension extends string = string> {
  readonly _tag: "containing"
  readonly dimension: Dimension
}

export interface Within<out Dimension extends string = string> {
  readonly _tag: "within"
  readonly dimension: Dimension
}

export interface All {
  readonly _tag: "all"
}

export type DimensionMapping = From | Containing | Within | All

/** One entry per upstream dimension; `dimension` inside an entry is a downstream one. */
export interface PartitionMapping {
  readonly [upstreamDimension: string]: DimensionMapping
}

/** The value that the downstream dimension has. */
export const from = <const D extends string>(dimension: D): From<D> => ({ _tag: "from", dimension })

/** The month that contains the downstream session. */
export const containing = <const D extends string>(dimension: D): Containing<D> => ({ _tag: "containing", dimension })

/** Every session within the downstream month. */
export const within = <const D extends string>(dimension: D): Within<D> => ({ _tag: "within", dimension })

/** Every value of the upstream dimension. */
export const all: All = { _tag: "all" }

/** The mapping of a dependency that gives none: each dimension from its namesake. */
export const identity = (upstream: Partitions.Dimensions): PartitionMapping =>
  Object.fromEntries(Object.keys(upstream).map((name) => [name, from(name)]))

/** True when a downstream partition reads at most one upstream partition. */
export const isSingle = (mapping: PartitionMapping): boolean =>
  Object.values(mapping).every((entry) => entry._tag === "from" || entry._tag === "containing")

/** Texts of upstream partitions: those that exist, and those that would be needed but do not exist. */
export interface Upstream {
  readonly keys: ReadonlyArray<PartitionKey.PartitionKey>
  readonly nonexistent: ReadonlyArray<PartitionKey.PartitionKey>
}

const valuesFor = (
  entry: DimensionMapping,
  upstream: Partitions.Dimension,
  key: PartitionKey.PartitionKey,
  universe: Partitions.Universe
): ReadonlyArray<string> => {
  switch (entry._tag) {
    case "from":
      return [key[entry.dimension]!]
    case "containing":
      return [key[entry.dimension]!.slice(0, 7)]
    case "within":
      return Partitions.valuesOf(upstream, universe).filter((value) => value.startsWith(`${key[entry.dimension]}-`))
    case "all":
      return Partitions.valuesOf(upstream, universe)
  }
}

const isRequired = (mapping: PartitionMapping): boolean => isSingle(mapping)

/** The upstream partitions that the downstream `key` is made from. */
export const upstreamOf = (
  mapping: PartitionMapping,
  upstream: Partitions.Dimensions,
  key: PartitionKey.PartitionKey,
  universe: Partitions.Universe
): Upstream => {
  let found: ReadonlyArray<PartitionKey.PartitionKey> = [PartitionKey.unpartitioned]
  for (const name in upstream) {
    const values = valuesFor(mapping[name]!, upstream[name]!, key, universe)
    found = found.flatMap((partial) => values.map((value) => ({ ...partial, [name]: value })))
  }
  const keys = found.filter((candidate) => Partitions.contains(upstream, candidate, universe))
  if (keys.length === found.length || !isRequired(mapping)) return { keys, nonexistent: [] }
  return { keys, nonexistent: found.filter((candidate) => !keys.includes(candidate)) }
}
