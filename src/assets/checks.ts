/** What is asked of the bars once they are there. Rows are judged one by one before, in `BarRule`. */
import * as Effect from "effect/Effect"
import * as Quality from "../layers/bars/Quality.ts"
import * as Rule from "../layers/bars/Rule.ts"
import * as Check from "../runtime/asset/Check.ts"
import { factorBetween, KnownSplits } from "./KnownSplits.ts"
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

/** History that the vendor rewrites is loaded, kept beside what it was, and told. */
export const notRestated = Check.make(
  "not_restated",
  { asset: stagedBars, severity: "warn", description: "No bar that was staged before is another one now, or gone" },
  ({ output: { removed, restated } }) =>
    Effect.succeed({
      passed: restated + removed === 0,
      description: `${restated} bars restated, ${removed} removed: see staging.bar_history`,
      metadata: { restated, removed }
    })
)

/**
 * Rows that are odd but possible: each rule that only warns, with its count. A step to the session counts when no split
 * that is known by now explains it: asked again, the check forgets the warning of a split that has become known.
 */
export const noWarnings = Check.make(
  "no_warnings",
  { asset: stagedBars, severity: "warn", description: "No quality rule that warns was broken" },
  Effect.fnUntraced(function*({ output: { step, warnings }, partition }) {
    const odd = step === undefined ? undefined : yield* oddStep(partition, step)
    const counts = odd === undefined ? warnings : { ...warnings, [odd]: (warnings[odd] ?? 0) + 1 }
    const broken = Object.entries(counts).filter(([, count]) => count > 0)
    return {
      passed: broken.length === 0,
      description: broken.map(([rule, count]) => `${rule} ${count}`).join(", "),
      metadata: Object.fromEntries(broken)
    }
  })
)

const oddStep = Effect.fnUntraced(function*(
  { session, symbol }: { readonly symbol: string; readonly session: string },
  { after, ratio }: { readonly after: string; readonly ratio: number }
) {
  const splits = yield* (yield* KnownSplits).of(symbol)
  return Quality.oddStep(ratio / factorBetween(splits, after, session), yield* Rule.Active)
})
