/** Which partitions of which assets matter to a request: its targets and, over the mappings, everything upstream. */
import type * as AssetGraph from "../asset/AssetGraph.ts"
import * as PartitionMapping from "../partition/PartitionMapping.ts"
import * as Partitions from "../partition/Partitions.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"

export interface Target {
  readonly asset: string
  readonly set: PartitionSet.PartitionSet
}

/** One reading of an asset's partitions by others that matter. */
export interface Reader {
  readonly mapping: PartitionMapping.PartitionMapping
  readonly demanded: PartitionSet.PartitionSet
}

export interface Demand {
  readonly demanded: PartitionSet.PartitionSet
  readonly readers: ReadonlyArray<Reader>
  /** Those that need an upstream partition which does not exist, per dependency. */
  readonly lacking: ReadonlyMap<string, PartitionSet.PartitionSet>
}

interface Open {
  demanded: PartitionSet.PartitionSet
  readonly readers: Array<Reader>
  readonly lacking: Map<string, PartitionSet.PartitionSet>
}

/** Per asset that matters. Downstream first, so that all demand of an asset is known before its own inputs are walked. */
export const collect = (
  graph: AssetGraph.Any,
  targets: ReadonlyArray<Target>,
  universe: Partitions.Universe
): ReadonlyMap<string, Demand> => {
  const found = new Map<string, Open>()
  const add = (asset: string, set: PartitionSet.PartitionSet): Open => {
    const known = found.get(asset)
    if (known === undefined) {
      const fresh: Open = { demanded: set, readers: [], lacking: new Map() }
      found.set(asset, fresh)
      return fresh
    }
    known.demanded = PartitionSet.union(known.demanded, set)
    return known
  }
  for (const { asset, set } of targets) if (!PartitionSet.isEmpty(set)) add(asset, set)
  for (const asset of [...graph.assets.values()].reverse()) {
    const own = found.get(asset.name)
    if (own === undefined) continue
    for (const [name, dependency] of Object.entries(asset.dependencies)) {
      const up = Partitions.space(dependency.asset.dimensions, universe)
      const { keys, missing } = PartitionMapping.upstream(dependency.mapping, up, own.demanded)
      add(dependency.asset.name, keys).readers.push({ mapping: dependency.mapping, demanded: own.demanded })
      if (!PartitionSet.isEmpty(missing)) own.lacking.set(name, missing)
    }
  }
  return found
}

/**
 * Up to when a partition is needed, epoch milliseconds: a window that is still open may be asked to reach as far as the
 * windows that read it do, never past its own end. Undefined when nothing that matters reads it, or when the window had
 * ended by `seenAt`: then there is nothing more to be had.
 */
export const neededUntil = (
  readers: ReadonlyArray<Reader>,
  space: Partitions.Space,
  key: { readonly [dimension: string]: string },
  seenAt: number
): number | undefined => {
  const own = Partitions.keyEnd(space, key)
  if (own === undefined || own <= seenAt) return undefined
  const one = PartitionSet.fromKeys(space, [key])
  let until: number | undefined
  for (const { demanded, mapping } of readers) {
    const reading = PartitionSet.intersection(PartitionMapping.downstream(mapping, demanded.space, one), demanded)
    for (const reader of PartitionSet.keys(reading)) {
      const end = Math.min(own, Partitions.keyEnd(demanded.space, reader) ?? Number.NEGATIVE_INFINITY)
      if (end > (until ?? Number.NEGATIVE_INFINITY)) until = end
    }
  }
  return until
}
