/**
 * Whether a mapping can be, between these upstream and downstream dimensions. The compiler says most of this earlier;
 * plain JavaScript and values of wide types come here.
 */
import type { DimensionMapping, PartitionMapping } from "./PartitionMapping.ts"
import * as Partitions from "./Partitions.ts"

type Named = readonly [name: string, dimension: Partitions.Dimension]

const kindOf = (dimension: Partitions.Dimension): string =>
  dimension._tag === "dynamic" ? `the dynamic set "${dimension.set}"` : `${Partitions.kindOf(dimension)} partitions`

const fromProblem = ([name, up]: Named, [read, down]: Named): string | undefined =>
  name !== read || kindOf(up) === kindOf(down)
    ? undefined
    : `"${name}" is ${kindOf(up)} there and ${kindOf(down)} here: say with Asset.mapped(...) where it comes from`

const timeProblem = (entry: DimensionMapping, both: ReadonlyArray<Named>): string | undefined => {
  const untimed = both.find(([, dimension]) => dimension._tag !== "time")
  return untimed === undefined
    ? undefined
    : `PartitionMapping.${entry._tag} compares time windows, and "${untimed[0]}" is ${kindOf(untimed[1])}`
}

const offsetProblem = ({ endOffset, startOffset }: DimensionMapping & { _tag: "overlapping" }): string | undefined => {
  const whole = Number.isInteger(startOffset) && Number.isInteger(endOffset)
  if (!whole) return `the offsets ${startOffset} and ${endOffset} are not both whole numbers of windows`
  return startOffset > endOffset
    ? `the reading begins at offset ${startOffset}, after its end at ${endOffset}`
    : undefined
}

const valueProblem = ([name, up]: Named, values: ReadonlyArray<string>): string | undefined => {
  const lost = up._tag === "static" ? values.find((value) => !up.values.includes(value)) : undefined
  return lost === undefined ? undefined : `"${lost}" is not among the values of "${name}"`
}

const KINDS = ["from", "containing", "overlapping", "all", "last", "specific", "listed", "custom"]

const entryProblem = (
  entry: DimensionMapping | undefined,
  up: Named,
  down: Partitions.Dimensions
): string | undefined => {
  if (entry === undefined) return `nothing says where "${up[0]}" comes from: map it with Asset.mapped(...)`
  if (!KINDS.includes(entry._tag)) return `what "${up[0]}" is mapped by was not made by PartitionMapping`
  if (entry._tag === "all" || entry._tag === "last") return undefined
  if (entry._tag === "specific") return valueProblem(up, entry.values)
  const dimension = down[entry.dimension]
  if (dimension === undefined) {
    return entry._tag === "from" && entry.dimension === up[0]
      ? `it is partitioned by "${up[0]}", and this asset is not: say with Asset.mapped(...) where it comes from`
      : `"${up[0]}" is mapped from "${entry.dimension}", which this asset does not have`
  }
  const read: Named = [entry.dimension, dimension]
  if (entry._tag === "from") return fromProblem(up, read)
  if (entry._tag === "listed") return valueProblem(up, Object.values(entry.values).flat())
  if (entry._tag === "custom") return undefined
  return timeProblem(entry, [up, read]) ?? (entry._tag === "overlapping" ? offsetProblem(entry) : undefined)
}

/** The first thing that is wrong, as the end of a sentence; undefined when the mapping can be. */
export const problem = (
  mapping: PartitionMapping,
  up: Partitions.Dimensions,
  down: Partitions.Dimensions
): string | undefined => {
  const unknown = Object.keys(mapping).find((name) => up[name] === undefined)
  if (unknown !== undefined) return `its mapping names "${unknown}", which is none of its dimensions`
  for (const one of Object.entries(up)) {
    const found = entryProblem(mapping[one[0]], one, down)
    if (found !== undefined) return found
  }
  return undefined
}
