/** Whether the mapping of a dependency fits the partitions of the two assets; the compiler says the same earlier. */
import type * as PartitionMapping from "../partition/PartitionMapping.ts"
import type * as Partitions from "../partition/Partitions.ts"
import type * as Asset from "./Asset.ts"

const kindOf = (dimension: Partitions.Dimension): string =>
  dimension._tag === "dynamic" ? `the dynamic set "${dimension.set}"` : `${dimension._tag} partitions`

/** What a time mapping translates: from the downstream kind to the upstream one. */
const TRANSLATES = { containing: ["session", "month"], within: ["month", "session"] } as const

const clash = (
  entry: Exclude<PartitionMapping.DimensionMapping, PartitionMapping.All>,
  upstream: Partitions.Dimension,
  downstream: Partitions.Dimension
): string | undefined => {
  if (entry._tag === "from") {
    return kindOf(upstream) === kindOf(downstream) ?
      undefined :
      `is ${kindOf(upstream)} there and ${kindOf(downstream)} here`
  }
  const [own, read] = TRANSLATES[entry._tag]
  return downstream._tag === own && upstream._tag === read
    ? undefined
    : `is mapped by "${entry._tag}", which leads from ${own} to ${read} partitions, not from ${kindOf(downstream)} to ${
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
  if (entry._tag === "all") return undefined
  const downstream = own[entry.dimension]
  if (downstream !== undefined) {
    const why = clash(entry, upstream, downstream)
    return why === undefined ? undefined : `has dimension "${name}", which ${why}`
  }
  return entry._tag === "from" && entry.dimension === name
    ? `is partitioned by "${name}", which this asset is not`
    : `is mapped from dimension "${entry.dimension}", which this asset does not have`
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
