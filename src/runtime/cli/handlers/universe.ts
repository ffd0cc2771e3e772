/** What exists by now, after the configured members have become those of the store. */
import * as Effect from "effect/Effect"
import * as Situation from "../../run/Situation.ts"
import { DynamicPartitions } from "../../store/DynamicPartitions.ts"
import type { Application } from "../Application.ts"

export const currentUniverse = Effect.fnUntraced(function*(application: Application) {
  const dynamic = yield* DynamicPartitions
  for (const [set, members] of Object.entries(yield* application.members)) yield* dynamic.replace(set, members)
  return yield* Situation.universe
})
