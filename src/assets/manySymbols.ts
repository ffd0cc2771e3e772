/** The same graph where one call of the source serves several symbols of a month, for the composition root. */
import type * as Asset from "../runtime/asset/Asset.ts"
import * as AssetGraph from "../runtime/asset/AssetGraph.ts"
import { rawBars } from "./rawBars.ts"

/** `max` symbols to a call; 1 leaves the graph as it is. */
export const manySymbols = <Name extends string, R>(
  graph: AssetGraph.AssetGraph<Name, R>,
  max: number
): AssetGraph.AssetGraph<Name, R> => {
  if (max === 1) return graph
  const changed = new Map<Asset.Any, Asset.Any>()
  for (const asset of graph.assets.values()) {
    const dependencies = Object.entries(asset.dependencies).map(([name, dependency]) =>
      [name, { ...dependency, asset: changed.get(dependency.asset)! }] as const
    )
    changed.set(asset, {
      ...asset,
      dependencies: Object.fromEntries(dependencies),
      batch: asset.name === rawBars.name ? { ...asset.batch, max } : asset.batch
    })
  }
  return AssetGraph.make(...changed.values()) as unknown as AssetGraph.AssetGraph<Name, R>
}
