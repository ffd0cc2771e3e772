/** The graph of the bars. Leaving out a branch is leaving out its name here. */
import * as AssetGraph from "../runtime/asset/AssetGraph.ts"
import { barsParquet } from "./barsParquet.ts"
import { barsByDate, barsByMonth } from "./compactedBars.ts"
import { redshiftBars } from "./redshiftBars.ts"

export const definitions = AssetGraph.make(barsParquet, redshiftBars)

/** With the larger files that a layout of the lake asks for. */
export const byLayout = {
  "symbol/date": definitions,
  "symbol/month": AssetGraph.make(barsByMonth, redshiftBars),
  date: AssetGraph.make(barsByDate, redshiftBars)
} as const
