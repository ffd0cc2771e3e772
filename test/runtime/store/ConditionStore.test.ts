import { layer } from "@effect/vitest"
import * as TestGraph from "../../support/TestGraph.ts"
import { suite } from "./ConditionStoreSuite.ts"

layer(TestGraph.layerMemory)("conditions in memory", suite)
