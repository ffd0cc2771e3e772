import { AlertStore } from "../../../src/runtime/store/AlertStore.ts"
import { suite } from "./AlertStoreSuite.ts"

suite("alerts in memory", AlertStore.layerMemory)
