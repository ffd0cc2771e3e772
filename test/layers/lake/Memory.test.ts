import { layerMemory } from "../../../src/layers/lake/Memory.ts"
import { suite } from "./ObjectStoreSuite.ts"
import { suite as publicationSuite } from "./PublicationSuite.ts"

suite("objects in memory", layerMemory())
publicationSuite("published in memory", layerMemory())
