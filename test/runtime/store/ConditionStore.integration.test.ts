import { layer } from "@effect/vitest"
import * as Layer from "effect/Layer"
import { engine } from "../../../src/engine.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import { suite } from "./ConditionStoreSuite.ts"

const stores = Layer.provideMerge(engine, EmbeddedDatabase.layer)

layer(stores, { timeout: "60 seconds", excludeTestServices: true })("conditions in PostgreSQL", suite)
