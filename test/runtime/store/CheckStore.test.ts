import { layer } from "@effect/vitest"
import * as TestGraph from "../../support/TestGraph.ts"
import { suite } from "./CheckStoreSuite.ts"

layer(TestGraph.layerMemory)("checks and history in memory", suite)
