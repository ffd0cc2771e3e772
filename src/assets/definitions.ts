/** The graph of the bars, and what is derived from them. Leaving out a branch is leaving out its name here. */
import type { Layout } from "../layers/lake/Layout.ts"
import * as AssetGraph from "../runtime/asset/AssetGraph.ts"
import { adjustedBars } from "./adjustedBars.ts"
import { barsParquet } from "./barsParquet.ts"
import { fewRejects, notRestated, noWarnings } from "./checks.ts"
import { barsByDate, barsByMonth } from "./compactedBars.ts"
import { coverage } from "./coverage.ts"
import { redshiftBars } from "./redshiftBars.ts"
import { sessionBars } from "./sessionBars.ts"

const others = [adjustedBars, sessionBars, coverage, fewRejects, notRestated, noWarnings] as const

/** With the larger files that a layout of the lake asks for. */
const byLayout = {
  "symbol/date": AssetGraph.make(barsParquet, redshiftBars, ...others),
  "symbol/month": AssetGraph.make(barsByMonth, redshiftBars, ...others),
  date: AssetGraph.make(barsByDate, redshiftBars, ...others)
} as const

export const definitions = byLayout["symbol/date"]

export const withLayout = (layout: Layout) => byLayout[layout]
