/** What a plan says to a person, and to a program. */
import * as Duration from "effect/Duration"
import { label } from "../../partition/PartitionKey.ts"
import * as PartitionSet from "../../partition/PartitionSet.ts"
import * as Cost from "../../plan/Cost.ts"
import * as Plan from "../../plan/Plan.ts"
import * as Staleness from "../../plan/Staleness.ts"
import * as Table from "./Table.ts"

/** At most this many reasons for being blocked are told one by one. */
const TOLD = 10

const reasons = (summary: Plan.AssetSummary): string => {
  const parts = Object.entries(summary.reasons).map(([why, count]) => `${count} ${why}`)
  if (summary.upToDate > 0) parts.push(`${summary.upToDate} up to date`)
  return parts.join(", ") || "nothing asked for"
}

const blocked = (plan: Plan.Plan): ReadonlyArray<string> => {
  const all = plan.assets.flatMap(({ asset, blocked }) =>
    blocked.map(({ set, why }) => {
      const first = label(PartitionSet.texts(set).next().value!)
      const more = PartitionSet.size(set) > 1 ? ` and ${PartitionSet.size(set) - 1} more` : ""
      return `blocked: ${asset.name} ${first}${more}: ${why}`
    })
  )
  return all.length > TOLD ? [...all.slice(0, TOLD), `blocked: ${all.length - TOLD} more reasons`] : all
}

export type PoolLimits = { readonly [pool: string]: Cost.PoolLimit }

export const costs = (plan: Plan.Plan, limits: PoolLimits): ReadonlyArray<Cost.Estimate> =>
  Object.entries(Plan.callsPerPool(plan)).map(([pool, calls]) => Cost.estimate(pool, calls, limits[pool]))

const duration = (seconds: number): string => Duration.format(Duration.seconds(seconds))

const cost = ({ calls, perDay, pool, seconds }: Cost.Estimate): string => {
  const said = `${calls} calls from pool ${pool}`
  if (perDay !== undefined && calls > perDay) {
    const days = Math.ceil(calls / perDay)
    return `${said}: ${perDay} a day by its quota, so the last is made on day ${days}`
  }
  return seconds === 0 ? said : `${said}: at least ${duration(seconds)} by its quota`
}

/** `forecasts` is what the project knows besides: of today's quotas, of how data will travel. */
export const render = (
  plan: Plan.Plan,
  limits: PoolLimits,
  forecasts: ReadonlyArray<string>
): ReadonlyArray<string> => {
  if (Plan.isEmpty(plan)) return nothingToDo(plan)
  const rows = Plan.summarize(plan).map((summary) => [
    summary.asset,
    String(summary.partitions),
    String(summary.steps),
    reasons(summary)
  ])
  return [
    ...Table.render(["asset", "partitions", "steps", "why"], rows),
    ...costs(plan, limits).map(cost),
    ...forecasts,
    ...blocked(plan)
  ]
}

/** Per asset that was looked at, how many partitions need nothing. */
export const upToDate = (plan: Plan.Plan): { readonly [asset: string]: number } =>
  Object.fromEntries(plan.assets.map(({ asset, upToDate }) => [asset.name, upToDate]))

export const nothingToDo = (plan: Plan.Plan): ReadonlyArray<string> => {
  const leftAlone = plan.assets.reduce((sum, one) => sum + one.leftAlone, 0)
  if (leftAlone > 0) return [`Nothing to do of this kind; ${leftAlone} partitions are left for --only all.`]
  const counts = plan.assets.map(({ asset, upToDate }) => `${asset.name} ${upToDate}`)
  return [
    counts.length === 0
      ? "Nothing to do: no partition exists yet."
      : `Nothing to do: everything is up to date (${counts.join(", ")}).`
  ]
}

export const toJson = (plan: Plan.Plan, limits: PoolLimits, forecasts: ReadonlyArray<string>) => ({
  assets: Plan.summarize(plan),
  partitions: plan.assets.flatMap(({ asset, reasons }) =>
    reasons.map(({ reason, set }) => ({
      asset: asset.name,
      partitions: PartitionSet.toText(set),
      count: PartitionSet.size(set),
      reason,
      why: Staleness.explain(reason)
    }))
  ),
  leftAlone: plan.assets.reduce((sum, one) => sum + one.leftAlone, 0),
  blocked: plan.assets.flatMap(({ asset, blocked }) =>
    blocked.map(({ set, why }) => ({
      asset: asset.name,
      partitions: PartitionSet.toText(set),
      count: PartitionSet.size(set),
      why
    }))
  ),
  calls: Plan.callsPerPool(plan),
  costs: costs(plan, limits),
  forecasts
})
