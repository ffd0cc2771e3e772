import { layerMemory } from "../../../src/layers/lake/Memory.ts"
import { suite } from "./ObjectStoreSuite.ts"

suite("objects in memory", layerMemory())
