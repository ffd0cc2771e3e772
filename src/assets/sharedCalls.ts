/** The same graph where one call of the source serves several payloads, for the composition root. */
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
): AssetGraph.AssetGraph<Name, R> =>
  AssetGraph.mapAssets(
    graph,
    (asset) => asset.name === rawBars.name ? { ...asset, batch: { max, by: (key) => key[by]! } } : asset
  )
