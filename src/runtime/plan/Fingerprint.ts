/**
 * A short text of how an asset's partitions are named, what it reads and how: when it differs, the single partitions have
 * to be looked at again. It changes with the members of sets, and with windows that are added, only where a mapping reads
 * whatever is there.
 */
import * as Crypto from "node:crypto"
import type * as Asset from "../asset/Asset.ts"
import * as PartitionMapping from "../partition/PartitionMapping.ts"
import * as Partitions from "../partition/Partitions.ts"

type Universe = Partitions.Universe

/** The windows of a time dimension, as far as they follow from what was declared. */
const windowsOf = ({ end, exclude, format, grain, source, start, zone }: Partitions.TimeDimension) => [
  [grain, zone, start, end, format.pattern],
  [[...exclude.dates], [...exclude.times], exclude.crons.map(({ text }) => text)],
  source._tag === "cron" ? source.cron.text : [source.calendar.name, source.hours]
]

/** What a reading of more than the one value of the same name depends on: the values that there are. */
const valuesOf = (dimension: Partitions.Dimension, entry: PartitionMapping.DimensionMapping, universe: Universe) => {
  if (dimension._tag === "static") return dimension.values
  if (dimension._tag === "dynamic") return universe.members[dimension.set] ?? []
  if (entry._tag !== "all" && entry._tag !== "last") return windowsOf(dimension)
  const axis = Partitions.timeAxisOf(dimension, universe)
  return [...windowsOf(dimension), axis.length]
}

/** Of a downstream dimension that a mapping reads by its time. */
const timesOf = (asset: Asset.Any, entry: PartitionMapping.DimensionMapping) => {
  const dimension = asset.dimensions[PartitionMapping.dimensionOf(entry) ?? ""]
  const isTimed = entry._tag === "containing" || entry._tag === "overlapping"
  return isTimed && dimension?._tag === "time" ? windowsOf(dimension) : []
}

const readingOf = (asset: Asset.Any, { asset: upstream, mapping }: Asset.Dependency, universe: Universe) =>
  Object.entries(mapping).map(([name, entry]) => {
    const plain = entry._tag === "from" && PartitionMapping.isSingle(mapping)
    return plain ? [] : [valuesOf(upstream.dimensions[name]!, entry, universe), timesOf(asset, entry)]
  })

const known = new WeakMap<Universe, Map<Asset.Any, string>>()

const make = (asset: Asset.Any, universe: Universe): string => {
  const reads = Object.entries(asset.dependencies).map(([name, dependency]) => [
    name,
    dependency.asset.name,
    PartitionMapping.fingerprint(dependency.mapping),
    readingOf(asset, dependency, universe)
  ])
  const text = JSON.stringify([Object.keys(asset.dimensions), reads])
  return Crypto.createHash("sha256").update(text).digest("hex").slice(0, 12)
}

export const of = (asset: Asset.Any, universe: Universe): string => {
  let texts = known.get(universe)
  if (texts === undefined) known.set(universe, texts = new Map())
  let text = texts.get(asset)
  if (text === undefined) texts.set(asset, text = make(asset, universe))
  return text
}
