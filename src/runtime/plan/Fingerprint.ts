/** A short text of what an asset reads and how: when it differs, the single partitions have to be looked at again. */
import * as Crypto from "node:crypto"
import type * as Asset from "../asset/Asset.ts"
import * as PartitionMapping from "../partition/PartitionMapping.ts"
import type * as Partitions from "../partition/Partitions.ts"

/** A reading of many changes with the members of the sets that it reads, also when one is taken away. */
const membership = (dimensions: Partitions.Dimensions, universe: Partitions.Universe) =>
  Object.values(dimensions).flatMap((dimension) =>
    dimension._tag === "dynamic" ? [universe.members[dimension.set] ?? []] : []
  )

const known = new WeakMap<Partitions.Universe, Map<Asset.Any, string>>()

const make = (asset: Asset.Any, universe: Partitions.Universe): string => {
  const reads = Object.entries(asset.dependencies).map(([name, { asset: upstream, mapping }]) => [
    name,
    upstream.name,
    PartitionMapping.fingerprint(mapping),
    PartitionMapping.isSingle(mapping) ? [] : membership(upstream.dimensions, universe)
  ])
  return reads.length === 0 ? "" : Crypto.createHash("sha256").update(JSON.stringify(reads)).digest("hex").slice(0, 12)
}

export const of = (asset: Asset.Any, universe: Partitions.Universe): string => {
  let texts = known.get(universe)
  if (texts === undefined) known.set(universe, texts = new Map())
  let text = texts.get(asset)
  if (text === undefined) texts.set(asset, text = make(asset, universe))
  return text
}
