import * as Layer from "effect/Layer"
import { BackfillStore } from "../../../src/runtime/store/BackfillStore.ts"
import { Claims } from "../../../src/runtime/store/Claims.ts"
import { suite } from "./BackfillStoreSuite.ts"

suite("backfills in memory", Layer.merge(BackfillStore.layerMemory, Claims.layerMemory))
