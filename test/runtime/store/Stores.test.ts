import * as TestGraph from "../../support/TestGraph.ts"
import * as StoreSuite from "./StoreSuite.ts"

StoreSuite.suite("in memory", TestGraph.layerMemory)
