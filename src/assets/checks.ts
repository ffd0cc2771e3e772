/** What is asked of the bars once they are there. Rows are judged one by one before, in `BarRule`. */
import * as Effect from "effect/Effect"
import * as Check from "../runtime/asset/Check.ts"
import { stagedBars } from "./stagedBars.ts"

/** A vendor's session with more refused rows than this is worth a look: of clean sources none is refused. */
const MOST_REJECTED = 0.01

export const fewRejects = Check.make(
  "few_rejects",
  { asset: stagedBars, severity: "warn", description: "At most 1% of a session's rows were refused" },
  ({ output: { rejected, rows } }) => {
    const share = rejected === 0 ? 0 : rejected / (rejected + rows)
    return Effect.succeed({
      passed: share <= MOST_REJECTED,
      description: `${rejected} of ${rejected + rows} rows were refused`,
      metadata: { share }
    })
  }
)
