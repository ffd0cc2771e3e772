/** What the loads of a plan will be in Redshift: how much, in which way, and why. A part of the composition. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { redshiftBars } from "./assets/redshiftBars.ts"
import { stagedBars, StagedSession } from "./assets/stagedBars.ts"
import * as LoadPlan from "./layers/warehouse/LoadPlan.ts"
import * as RedshiftSql from "./layers/warehouse/RedshiftSql.ts"
import type { RedshiftTarget } from "./layers/warehouse/RedshiftTarget.ts"
import * as PartitionKey from "./runtime/partition/PartitionKey.ts"
import * as PartitionSet from "./runtime/partition/PartitionSet.ts"
import * as Plan from "./runtime/plan/Plan.ts"
import { MaterializationStore } from "./runtime/store/MaterializationStore.ts"

/** So many sessions speak for all: a plan may have a million, and one is much like another. */
const ASKED = 256

const decode = Schema.decodeUnknownOption(Schema.toCodecJson(StagedSession))

/** What is staged says how many rows a session has; of one that is not, the calendar does: `most` of its date. */
const rowsOf = Effect.fnUntraced(function*(planned: PartitionSet.PartitionSet, most: (session: string) => number) {
  const sample = PartitionSet.slice(planned, 0, ASKED)
  const texts = [...PartitionSet.texts(sample)]
  const states = (yield* (yield* MaterializationStore).states(new Map([[stagedBars.name, texts]]))).get(stagedBars.name)
  const staged = texts.map((text) => Option.getOrUndefined(decode(states?.get(text)?.output))?.rows)
  const rows = staged.map((known, at) => known ?? most(PartitionKey.fromText(texts[at]!)["session"] ?? ""))
  return { perSession: rows.reduce((sum, one) => sum + one, 0) / texts.length, isStaged: !staged.includes(undefined) }
})

/** A line of a plan; none where it loads nothing. `most` is how many bars a session has at most. */
export const forecast = Effect.fnUntraced(function*(
  plan: Plan.Plan,
  target: RedshiftTarget,
  most: (session: string) => number
) {
  const planned = plan.assets.find(({ asset }) => asset.name === redshiftBars.name)
  if (planned === undefined || PartitionSet.isEmpty(planned.planned)) return []
  const { isStaged, perSession } = yield* rowsOf(planned.planned, most)
  const sessions = Math.min(PartitionSet.size(planned.planned), planned.asset.batch.max)
  const rows = Math.ceil(perSession * sessions)
  const load = LoadPlan.estimate(rows, RedshiftSql.limits, target.copy !== undefined)
  const loads = Plan.callCount(planned)
  return [
    `${redshiftBars.name}: ${loads} ${loads === 1 ? "load" : "loads"} of up to ${sessions} sessions, each `
    + `${isStaged ? "about" : "at most about"} ${LoadPlan.explain(load, rows)}`
  ]
})
