/** Whether the mapping of a dependency fits the partitions of the two assets; the compiler says the same earlier. */
import * as PartitionMapping from "../partition/PartitionMapping.ts"
import * as Partitions from "../partition/Partitions.ts"
import type * as Asset from "./Asset.ts"

const kindOf = (dimension: Partitions.Dimension): string =>
  dimension._tag === "dynamic" ? `the dynamic set "${dimension.set}"` : `${Partitions.kindOf(dimension)} partitions`

/** `containing` and `overlapping` compare windows; `from` compares values, which are alike in one kind only. */
const clash = (
  entry: PartitionMapping.DimensionMapping,
  upstream: Partitions.Dimension,
  downstream: Partitions.Dimension
): string | undefined => {
  if (entry._tag === "from") {
    return kindOf(upstream) === kindOf(downstream)
      ? undefined
      : `is ${kindOf(upstream)} there and ${kindOf(downstream)} here`
  }
  if (entry._tag !== "containing" && entry._tag !== "overlapping") return undefined
  return downstream._tag === "time" && upstream._tag === "time"
    ? undefined
    : `is mapped by "${entry._tag}", which needs time windows on both sides, not ${kindOf(downstream)} and ${
      kindOf(upstream)
    }`
}

/** What the entry alone says that cannot be. */
const contradiction = (
  entry: PartitionMapping.DimensionMapping,
  upstream: Partitions.Dimension
): string | undefined => {
  if (!KINDS.includes(entry._tag)) return "is not mapped by anything that PartitionMapping made"
  if (entry._tag === "overlapping") {
    const { endOffset, startOffset } = entry
    if (Number.isInteger(startOffset) && Number.isInteger(endOffset) && startOffset <= endOffset) return undefined
    return `is read from offset ${startOffset} to ${endOffset}, which are not whole numbers of windows in order`
  }
  const named = entry._tag === "specific"
    ? entry.values
    : entry._tag === "listed"
    ? Object.values(entry.values).flat()
    : []
  const lost = upstream._tag === "static" ? named.find((value) => !upstream.values.includes(value)) : undefined
  return lost === undefined ? undefined : `is mapped to "${lost}", which is none of its values`
}

const KINDS = ["from", "containing", "overlapping", "all", "last", "specific", "listed", "custom"]

const problem = (
  entry: PartitionMapping.DimensionMapping | undefined,
  name: string,
  upstream: Partitions.Dimension,
  own: Partitions.Dimensions
): string | undefined => {
  if (entry === undefined) return `has dimension "${name}", of which the mapping says nothing`
  const contradicted = contradiction(entry, upstream)
  if (contradicted !== undefined) return `has dimension "${name}", which ${contradicted}`
  const read = PartitionMapping.dimensionOf(entry)
  if (read === undefined) return undefined
  const downstream = own[read]
  if (downstream !== undefined) {
    const why = clash(entry, upstream, downstream)
    return why === undefined ? undefined : `has dimension "${name}", which ${why}`
  }
  return entry._tag === "from" && read === name
    ? `is partitioned by "${name}", which this asset is not`
    : `is mapped from dimension "${read}", which this asset does not have`
}

const surplus = (asset: Asset.Any, { asset: upstream, mapping }: Asset.Dependency): ReadonlyArray<string> =>
  Object.keys(mapping).filter((name) => upstream.dimensions[name] === undefined).map((name) =>
    `"${asset.name}" maps dimension "${name}" of "${upstream.name}", which it does not have: take it out.`
  )

/** One sentence for each upstream dimension whose values cannot be found, and for each that is not there. */
export const problems = (asset: Asset.Any, name: string, dependency: Asset.Dependency): ReadonlyArray<string> => [
  ...surplus(asset, dependency),
  ...Object.entries(dependency.asset.dimensions).flatMap(([dimension, upstream]) => {
    const why = problem(dependency.mapping[dimension], dimension, upstream, asset.dimensions)
    if (why === undefined) return []
    const read = name === dependency.asset.name ? `"${name}"` : `"${dependency.asset.name}" (as "${name}")`
    return [
      `"${asset.name}" reads ${read}, which ${why}: say with Asset.mapped(...) where its "${dimension}" comes from.`
    ]
  })
]
