/** The same graph where one call of the source serves several payloads, for the composition root. */
import type * as Asset from "../runtime/asset/Asset.ts"
import * as AssetGraph from "../runtime/asset/AssetGraph.ts"
import { rawBars } from "./rawBars.ts"

/** A call serves so many symbols of a month, or so many months of a symbol. */
export interface Sharing {
  readonly max: number
  readonly by: "month" | "symbol"
}

export const sharedCalls = <Name extends string, R>(
  graph: AssetGraph.AssetGraph<Name, R>,
  { by, max }: Sharing
): AssetGraph.AssetGraph<Name, R> => {
  const changed = new Map<Asset.Any, Asset.Any>()
  for (const asset of graph.assets.values()) {
    const dependencies = Object.entries(asset.dependencies).map(([name, dependency]) =>
      [name, { ...dependency, asset: changed.get(dependency.asset)! }] as const
    )
    changed.set(asset, {
      ...asset,
      dependencies: Object.fromEntries(dependencies),
      batch: asset.name === rawBars.name ? { max, by: (key) => key[by]! } : asset.batch
    })
  }
  return AssetGraph.make(...changed.values()) as unknown as AssetGraph.AssetGraph<Name, R>
}
