/** The graph of the bars. Leaving out a branch is leaving out its name here. */
import * as AssetGraph from "../runtime/asset/AssetGraph.ts"
import { barsParquet } from "./barsParquet.ts"
import { fewRejects } from "./checks.ts"
import { redshiftBars } from "./redshiftBars.ts"

export const definitions = AssetGraph.make(barsParquet, redshiftBars, fewRejects)
