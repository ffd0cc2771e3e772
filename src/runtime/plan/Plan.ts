/** A plan is data: which partitions of which assets, why, in which calls, in what order, and what is not to be done. */
import type { Reason } from "./Staleness.ts"
import * as Staleness from "./Staleness.ts"

export interface PlannedPartition {
  /** Canonical text of the key. */
  readonly partition: string
  readonly reason: Reason
  /** See `Staleness.Current.neededUntil`. */
  readonly neededUntil: number | undefined
}

/** One call of one asset. */
export interface Step {
  /** Position in `Plan.steps`; every step comes after those in `after`. */
  readonly id: number
  readonly asset: string
  readonly pool: string | undefined
  readonly partitions: ReadonlyArray<PlannedPartition>
  readonly after: ReadonlyArray<number>
}

export interface Blocked {
  readonly asset: string
  readonly partition: string
  /** A sentence: which upstream partition is missing and how to get it. */
  readonly why: string
}

export interface Plan {
  readonly steps: ReadonlyArray<Step>
  /** Per asset, how many of the partitions looked at need nothing. */
  readonly upToDate: { readonly [asset: string]: number }
  /** How many have a reason that the request did not ask for. */
  readonly leftAlone: number
  readonly blocked: ReadonlyArray<Blocked>
  /** Per asset, as they were when the plan was made. */
  readonly codeVersions: { readonly [asset: string]: string }
}

export const partitionCount = (self: Plan): number => self.steps.reduce((sum, step) => sum + step.partitions.length, 0)

/** Calls per pool: what a quota will be asked for. */
export const callsPerPool = (self: Plan): { readonly [pool: string]: number } => {
  const calls: { [pool: string]: number } = {}
  for (const step of self.steps) if (step.pool !== undefined) calls[step.pool] = (calls[step.pool] ?? 0) + 1
  return calls
}

export interface AssetSummary {
  readonly asset: string
  readonly partitions: number
  readonly steps: number
  /** How many partitions for each explanation. */
  readonly reasons: { readonly [explanation: string]: number }
  readonly upToDate: number
}

/** Per asset, in the plan's order: how much and why. */
export const summarize = (self: Plan): ReadonlyArray<AssetSummary> => {
  const found = new Map<string, { partitions: number; steps: number; reasons: { [explanation: string]: number } }>()
  for (const asset of Object.keys(self.codeVersions)) found.set(asset, { partitions: 0, steps: 0, reasons: {} })
  for (const step of self.steps) {
    const entry = found.get(step.asset)!
    entry.steps++
    entry.partitions += step.partitions.length
    for (const { reason } of step.partitions) {
      const why = Staleness.explain(reason)
      entry.reasons[why] = (entry.reasons[why] ?? 0) + 1
    }
  }
  return [...found].map(([asset, entry]) => ({ asset, ...entry, upToDate: self.upToDate[asset] ?? 0 }))
}
