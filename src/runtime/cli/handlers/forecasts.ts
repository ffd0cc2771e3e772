/** What a plan's calls mean for the quotas of today, in lines. */
import * as Effect from "effect/Effect"
import * as Plan from "../../plan/Plan.ts"
import type { Application } from "../Application.ts"

export const forecasts = (application: Application, plan: Plan.Plan) =>
  Effect.map(
    Effect.forEach(
      Object.entries(Plan.callsPerPool(plan)),
      ([pool, calls]) => application.forecast?.(pool, calls) ?? Effect.succeed(undefined)
    ),
    (lines) => lines.filter((line) => line !== undefined)
  )
