/** The graph of the bars, and what is derived from them. Leaving out a branch is leaving out its name here. */
import type { Layout } from "../layers/lake/Layout.ts"
import * as AssetGraph from "../runtime/asset/AssetGraph.ts"
import { adjustedBars } from "./adjustedBars.ts"
import { barsParquet } from "./barsParquet.ts"
import { barsByDate, barsByMonth } from "./compactedBars.ts"
import { coverage } from "./coverage.ts"
import { redshiftBars } from "./redshiftBars.ts"
import { sessionBars } from "./sessionBars.ts"

const derived = [adjustedBars, sessionBars, coverage] as const

/** With the larger files that a layout of the lake asks for. */
const byLayout = {
  "symbol/date": AssetGraph.make(barsParquet, redshiftBars, ...derived),
  "symbol/month": AssetGraph.make(barsByMonth, redshiftBars, ...derived),
  date: AssetGraph.make(barsByDate, redshiftBars, ...derived)
} as const

export const definitions = byLayout["symbol/date"]

export const withLayout = (layout: Layout) => byLayout[layout]
