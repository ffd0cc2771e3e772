/** What a plan says to a person, and to a program. */
import { label } from "../../partition/PartitionKey.ts"
import * as Plan from "../../plan/Plan.ts"
import * as Staleness from "../../plan/Staleness.ts"
import * as Table from "./Table.ts"

/** At most this many blocked partitions are told one by one. */
const TOLD = 10

const reasons = (summary: Plan.AssetSummary): string => {
  const parts = Object.entries(summary.reasons).map(([why, count]) => `${count} ${why}`)
  if (summary.upToDate > 0) parts.push(`${summary.upToDate} up to date`)
  return parts.join(", ") || "nothing asked for"
}

const blocked = (plan: Plan.Plan): ReadonlyArray<string> => {
  const told = plan.blocked.slice(0, TOLD).map(({ asset, partition, why }) =>
    `blocked: ${asset} ${label(partition)}: ${why}`
  )
  return plan.blocked.length > TOLD ? [...told, `blocked: ${plan.blocked.length - TOLD} more`] : told
}

const calls = (plan: Plan.Plan): ReadonlyArray<string> =>
  Object.entries(Plan.callsPerPool(plan)).map(([pool, count]) => `${count} calls from pool ${pool}`)

export const render = (plan: Plan.Plan): ReadonlyArray<string> => {
  if (plan.steps.length === 0 && plan.blocked.length === 0) return nothingToDo(plan)
  const rows = Plan.summarize(plan).map((summary) => [
    summary.asset,
    String(summary.partitions),
    String(summary.steps),
    reasons(summary)
  ])
  return [...Table.render(["asset", "partitions", "steps", "why"], rows), ...calls(plan), ...blocked(plan)]
}

export const nothingToDo = (plan: Plan.Plan): ReadonlyArray<string> => {
  if (plan.leftAlone > 0) return [`Nothing to do of this kind; ${plan.leftAlone} partitions are left for --only all.`]
  const counts = Object.entries(plan.upToDate).map(([asset, count]) => `${asset} ${count}`)
  return [
    counts.length === 0
      ? "Nothing to do: no partition exists yet."
      : `Nothing to do: everything is up to date (${counts.join(", ")}).`
  ]
}

export const toJson = (plan: Plan.Plan) => ({
  assets: Plan.summarize(plan),
  steps: plan.steps.map((step) => ({
    ...step,
    partitions: step.partitions.map(({ partition, reason }) => ({ partition, reason, why: Staleness.explain(reason) }))
  })),
  leftAlone: plan.leftAlone,
  blocked: plan.blocked,
  calls: Plan.callsPerPool(plan)
})
