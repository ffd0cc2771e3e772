/** What happens in a run, as values: kept in the store first, shown afterwards. */
import type { CheckResult } from "../store/CheckStore.ts"

export interface StepResult {
  readonly partition: string
  readonly dataVersion: string
  readonly output: unknown
  /** The data version differs from the one before, or there was none. */
  readonly changed: boolean
}

/** A requested run waits for a daemon, a queued one for its turn. */
export const STATUSES = ["requested", "queued", "running", "succeeded", "failed", "interrupted", "canceled"] as const
export type RunStatus = (typeof STATUSES)[number]

export type Event =
  | { readonly type: "RunStarted"; readonly partitions: number }
  /** The plan says so before anything is tried; `partitions` names some of them. */
  | {
    readonly type: "Blocked"
    readonly asset: string
    readonly count: number
    readonly partitions: ReadonlyArray<string>
    readonly error: string
  }
  | { readonly type: "StepStarted"; readonly step: number; readonly asset: string; readonly partitions: number }
  | {
    readonly type: "StepRetrying"
    readonly step: number
    readonly asset: string
    readonly attempt: number
    readonly error: string
  }
  | {
    readonly type: "Materialized"
    readonly step: number
    readonly asset: string
    readonly seconds: number
    readonly results: ReadonlyArray<StepResult>
  }
  /** Told together with the materialization; those before a failure that they are the reason of. */
  | {
    readonly type: "Checked"
    readonly step: number
    readonly asset: string
    readonly results: ReadonlyArray<Omit<CheckResult, "asset">>
  }
  | {
    readonly type: "Skipped"
    readonly step: number
    readonly asset: string
    readonly partitions: ReadonlyArray<string>
    readonly why: string
  }
  | {
    readonly type: "Failed"
    readonly step: number
    readonly asset: string
    readonly partitions: ReadonlyArray<string>
    readonly error: string
    /** The error's tag, when it has one. */
    readonly tag?: string | undefined
    /** That of the error's reason, when it has one. */
    readonly reason?: string | undefined
    /** Nothing was tried: an upstream partition is not there. */
    readonly blocked: boolean
    /** It was materialized, and did not pass a blocking check. */
    readonly rejected?: boolean | undefined
  }
  /** Not its turn yet. */
  | { readonly type: "RunQueued" }
  | { readonly type: "RunEnded"; readonly status: RunStatus; readonly why?: string | undefined }
