/** What a run did, per asset: counted from its events, so that the screen, `--json` and the store say the same. */
import type { Severity } from "../asset/Check.ts"
import type { Event, RunStatus } from "./Event.ts"

export interface AssetTotals {
  /** Without those that a blocking check rejected: they are among the failed. */
  readonly materialized: number
  /** Of those, how many have another data version than before. */
  readonly changed: number
  readonly skipped: number
  readonly failed: number
  /** Time in calls, in seconds; calls overlap. */
  readonly seconds: number
  /** Sums of the numbers that the materializations recorded: rows, bytes, … */
  readonly sums: { readonly [field: string]: number }
}

/** Partitions of an asset that failed alike. */
export interface Failure {
  readonly asset: string
  readonly error: string
  readonly tag: string | undefined
  /** That of the error's reason, when it has one. */
  readonly reason?: string | undefined
  readonly blocked: boolean
  readonly count: number
  /** The first of them. */
  readonly partitions: ReadonlyArray<string>
}

/** Partitions that did not pass a check. Only a blocking one makes them failures. */
export interface FailedCheck {
  readonly asset: string
  readonly check: string
  readonly severity: Severity
  readonly blocking: boolean
  readonly count: number
  /** What was said of the first of them. */
  readonly description: string | undefined
  /** The first of them. */
  readonly partitions: ReadonlyArray<string>
}

export interface Summary {
  readonly runId: string
  readonly status: Exclude<RunStatus, "queued" | "running">
  readonly seconds: number
  readonly assets: { readonly [asset: string]: AssetTotals }
  readonly failures: ReadonlyArray<Failure>
  /** Why the run failed as a whole, if it did. */
  readonly why: string | undefined
  readonly failedChecks: ReadonlyArray<FailedCheck>
}

/** What cut a run short. */
export type Cut = "canceled" | { readonly why: string }

export interface Builder {
  readonly add: (event: Event) => void
  readonly build: (endedAt: number, cut?: Cut) => Summary
}

/** So many partitions of a failure are named. */
const NAMED = 10

/** Failures by asset and error, so that a million of them are one line. */
class Failures {
  private readonly found = new Map<string, Failure>()

  add(failure: Failure, key = `${failure.asset}/${failure.error}`): void {
    const known = this.found.get(key) ?? { ...failure, count: 0, partitions: [] }
    const partitions = known.partitions.length >= NAMED
      ? known.partitions
      : [...known.partitions, ...failure.partitions].slice(0, NAMED)
    this.found.set(key, { ...known, count: known.count + failure.count, partitions })
  }

  get all(): ReadonlyArray<Failure> {
    return [...this.found.values()]
  }
}

/** By asset and check. */
class FailedChecks {
  private readonly found = new Map<string, FailedCheck>()

  add({ asset, results }: Event & { readonly type: "Checked" }): void {
    for (const { blocking, check, description, partition, passed, severity } of results) {
      if (passed) continue
      const key = `${asset}/${check}`
      const known = this.found.get(key) ?? { asset, check, severity, blocking, description, count: 0, partitions: [] }
      const partitions = known.partitions.length >= NAMED ? known.partitions : [...known.partitions, partition]
      this.found.set(key, { ...known, count: known.count + 1, partitions })
    }
  }

  get all(): ReadonlyArray<FailedCheck> {
    return [...this.found.values()]
  }
}

/** Failures of several runs. Of what was only blocked, each asset has one: the sentence names another partition each time. */
export const mergeFailures = (failures: ReadonlyArray<Failure>): ReadonlyArray<Failure> => {
  const merged = new Failures()
  for (const one of failures) merged.add(one, one.blocked ? `${one.asset}/ blocked` : undefined)
  return merged.all
}

type Totals = { -readonly [K in keyof AssetTotals]: AssetTotals[K] } & { sums: { [field: string]: number } }

/** Adds the numbers of a recorded output, field by field. */
export const addNumbers = (sums: { [field: string]: number }, output: unknown): void => {
  if (typeof output !== "object" || output === null) return
  for (const [field, value] of Object.entries(output)) {
    if (typeof value === "number") sums[field] = (sums[field] ?? 0) + value
  }
}

export const builder = (runId: string, startedAt: number): Builder => {
  const assets: { [asset: string]: Totals } = {}
  const failures = new Failures()
  const failedChecks = new FailedChecks()
  const of = (asset: string): Totals =>
    assets[asset] ??= { materialized: 0, changed: 0, skipped: 0, failed: 0, seconds: 0, sums: {} }
  return {
    add: (event) => {
      if (event.type === "Skipped") of(event.asset).skipped += event.partitions.length
      if (event.type === "Failed") {
        of(event.asset).failed += event.partitions.length
        if (event.rejected === true) of(event.asset).materialized -= event.partitions.length
        const { asset, blocked, error, partitions, reason, tag } = event
        const names = { tag, ...(reason === undefined ? {} : { reason }) }
        failures.add({ asset, partitions, error, ...names, blocked, count: partitions.length })
      }
      if (event.type === "Blocked") {
        of(event.asset).failed += event.count
        const { asset, count, error, partitions } = event
        failures.add({ asset, partitions, error, tag: undefined, blocked: true, count })
      }
      if (event.type === "Checked") failedChecks.add(event)
      if (event.type !== "Materialized") return
      const totals = of(event.asset)
      totals.materialized += event.results.length
      totals.seconds += event.seconds
      for (const result of event.results) {
        if (result.changed) totals.changed++
        addNumbers(totals.sums, result.output)
      }
    },
    build: (endedAt, cut) => ({
      runId,
      status: cut === "canceled"
        ? "canceled"
        : cut !== undefined || failures.all.length > 0
        ? "failed"
        : "succeeded",
      why: typeof cut === "object" ? cut.why : undefined,
      seconds: Math.max(0, endedAt - startedAt) / 1000,
      assets,
      failures: failures.all,
      failedChecks: failedChecks.all
    })
  }
}
