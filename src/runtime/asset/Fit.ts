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

const problem = (
  entry: PartitionMapping.DimensionMapping | undefined,
  name: string,
  upstream: Partitions.Dimension,
  own: Partitions.Dimensions
): string | undefined => {
  if (entry === undefined) return `has dimension "${name}", of which the mapping says nothing`
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

/** One sentence for each upstream dimension whose values cannot be found. */
export const problems = (asset: Asset.Any, name: string, dependency: Asset.Dependency): ReadonlyArray<string> =>
  Object.entries(dependency.asset.dimensions).flatMap(([dimension, upstream]) => {
    const why = problem(dependency.mapping[dimension], dimension, upstream, asset.dimensions)
    if (why === undefined) return []
    const read = name === dependency.asset.name ? `"${name}"` : `"${dependency.asset.name}" (as "${name}")`
    return [
      `"${asset.name}" reads ${read}, which ${why}: say with Asset.mapped(...) where its "${dimension}" comes from.`
    ]
  })
