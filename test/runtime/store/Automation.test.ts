import { layer } from "@effect/vitest"
import * as Layer from "effect/Layer"
import { AutomationStore } from "../../../src/runtime/store/AutomationStore.ts"
import { Leadership } from "../../../src/runtime/store/Leadership.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as AutomationStoreSuite from "./AutomationStoreSuite.ts"
import * as LeadershipSuite from "./LeadershipSuite.ts"
import * as RunQueueSuite from "./RunQueueSuite.ts"
import * as SignalsSuite from "./SignalsSuite.ts"

const stores = Layer.mergeAll(AutomationStore.layerMemory, Leadership.layerMemory).pipe(
  Layer.provideMerge(RunStore.layerMemory)
)

layer(stores, { excludeTestServices: true })("in memory", (it) => {
  AutomationStoreSuite.suite(it)
  LeadershipSuite.suite(it)
  RunQueueSuite.suite(it)
  SignalsSuite.suite(it)
})
