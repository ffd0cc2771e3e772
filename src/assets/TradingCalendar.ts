/**
 * Which calendar the sessions are on. A source has one: stocks New York's, crypto every UTC day.
 *
 * The assets declare New York's. `onCalendar` is the same graph on another one, for the composition root, which also
 * provides the reference: what an asset computes must agree with the partitions that it has.
 */
import * as Context from "effect/Context"
import * as Record from "effect/Record"
import * as AssetGraph from "../runtime/asset/AssetGraph.ts"
import type { Calendar } from "../runtime/partition/Calendar.ts"
import type { Dimension } from "../runtime/partition/Partitions.ts"
import { nyse } from "./nyse.ts"

export const TradingCalendar = Context.Reference<Calendar>("barograph/assets/TradingCalendar", {
  defaultValue: () => nyse
})

/** Every window of New York's moved to the calendar, checks included; other dimensions and other exchanges stay. */
export const onCalendar = <Name extends string, R>(
  graph: AssetGraph.AssetGraph<Name, R>,
  calendar: Calendar
): AssetGraph.AssetGraph<Name, R> => {
  if (calendar === nyse) return graph
  const on = movedTo(calendar)
  return AssetGraph.mapAssets(graph, (asset) => ({ ...asset, dimensions: Record.map(asset.dimensions, on) }))
}

/** The same object for the same dimension: what is remembered of a dimension is remembered once. */
const movedTo = (calendar: Calendar) => {
  const known = new Map<Dimension, Dimension>()
  return (dimension: Dimension): Dimension => {
    let found = known.get(dimension)
    if (found === undefined) known.set(dimension, found = replaced(dimension, calendar))
    return found
  }
}

const replaced = (dimension: Dimension, calendar: Calendar): Dimension => {
  if (dimension._tag !== "time" || dimension.zone !== nyse.zone) return dimension
  const { source, ...rest } = { ...dimension, zone: calendar.zone }
  if (source._tag !== "calendar") return { ...rest, source }
  return source.calendar === nyse
    ? { ...rest, grain: `sessions ${calendar.name}`, source: { ...source, calendar } }
    : dimension
}
