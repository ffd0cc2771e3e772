/** The graph of the bars, and what is derived from them. Leaving out a branch is leaving out its name here. */
import * as AssetGraph from "../runtime/asset/AssetGraph.ts"
import { adjustedBars } from "./adjustedBars.ts"
import { barsParquet } from "./barsParquet.ts"
import { coverage } from "./coverage.ts"
import { redshiftBars } from "./redshiftBars.ts"
import { sessionBars } from "./sessionBars.ts"

export const definitions = AssetGraph.make(barsParquet, redshiftBars, adjustedBars, sessionBars, coverage)
