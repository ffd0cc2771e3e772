/**
 * Why a partition must be materialized, or why not. Pure: compares what a materialization recorded with how things are.
 */

/** What the latest success of a partition recorded. `inputs` maps a dependency's name to the data version it read. */
export interface Recorded {
  readonly codeVersion: string
  readonly dataVersion: string
  readonly inputs: { readonly [dependency: string]: string }
  /** Epoch milliseconds. */
  readonly materializedAt: number
  /** The blocking check that it did not pass, and why: nothing may read it. */
  readonly rejected?: string | undefined
}

/** What the store knows of one partition. */
export interface PartitionState {
  readonly latest: Recorded | undefined
  /** The error of a try that failed after the latest success, or of a blocking check of that success. */
  readonly failure: string | undefined
}

export const unknown: PartitionState = { latest: undefined, failure: undefined }

export type Reason =
  | { readonly _tag: "Forced" }
  | { readonly _tag: "NeverMaterialized" }
  | { readonly _tag: "Failed"; readonly error: string }
  | { readonly _tag: "CodeVersionChanged"; readonly from: string; readonly to: string }
  | { readonly _tag: "DependencyAdded"; readonly dependency: string }
  | { readonly _tag: "InputChanged"; readonly dependency: string }
  /** The window was still open when it was last materialized, and something downstream needs what came after. */
  | { readonly _tag: "WindowGrew" }
  /** An observed source is looked at again: only then is it known whether it changed. */
  | { readonly _tag: "Unobserved" }
  /** An upstream partition is materialized in this plan; runs only if its data version comes out different. */
  | { readonly _tag: "InputPlanned"; readonly dependency: string }

/** What `--only` can ask for. */
export const KINDS = ["missing", "failed", "stale", "all"] as const
export type Kind = (typeof KINDS)[number]

/** Which of the kinds a reason is. Forced is every kind: it was asked for by name. */
export const isOfKind = (reason: Reason, kind: Kind): boolean => {
  if (kind === "all" || reason._tag === "Forced") return true
  if (reason._tag === "NeverMaterialized") return kind === "missing"
  return reason._tag === "Failed" ? kind === "failed" : kind === "stale"
}

export interface Current {
  readonly codeVersion: string
  /** Data version per dependency, as they are now. */
  readonly inputs: { readonly [dependency: string]: string }
  /** The partition must hold everything up to this instant, if it is a time window. */
  readonly neededUntil: number | undefined
  /** Whether an observation of then holds no longer; never, for what is materialized. */
  readonly isOld?: ((observedAt: number) => boolean) | undefined
}

/**
 * The instant that an observation counts as having been made at: in hundredths of the time that it holds, so that those
 * of one run stand alike and are kept as one.
 */
export const observedAt = (every: number, instant: number): number =>
  instant - instant % Math.max(1, Math.floor(every / 100))

/** Whether what was observed then has to be observed again by now. */
export const isOld = (every: number | undefined, now: number) => (instant: number): boolean =>
  every !== undefined && now - observedAt(every, instant) >= every

const changedInput = (latest: Recorded, current: Current): Reason | undefined => {
  for (const dependency in current.inputs) {
    const before = latest.inputs[dependency]
    if (before === undefined) return { _tag: "DependencyAdded", dependency }
    if (before !== current.inputs[dependency]) return { _tag: "InputChanged", dependency }
  }
  return undefined
}

/** The first reason that holds, or undefined when the partition is up to date. */
export const evaluate = (state: PartitionState, current: Current): Reason | undefined => {
  const { latest } = state
  if (state.failure !== undefined) return { _tag: "Failed", error: state.failure }
  if (latest === undefined) return { _tag: "NeverMaterialized" }
  if (latest.codeVersion !== current.codeVersion) {
    return { _tag: "CodeVersionChanged", from: latest.codeVersion, to: current.codeVersion }
  }
  if (current.isOld?.(latest.materializedAt) === true) return { _tag: "Unobserved" }
  if (current.neededUntil !== undefined && latest.materializedAt < current.neededUntil) return { _tag: "WindowGrew" }
  return changedInput(latest, current)
}

/** One line for a person. */
export const explain = (reason: Reason): string => {
  switch (reason._tag) {
    case "Forced":
      return "forced"
    case "NeverMaterialized":
      return "never materialized"
    case "Failed":
      return `failed last time: ${reason.error}`
    case "CodeVersionChanged":
      return `code version changed: ${reason.from} -> ${reason.to}`
    case "DependencyAdded":
      return `dependency added: ${reason.dependency}`
    case "InputChanged":
      return `input changed: ${reason.dependency}`
    case "WindowGrew":
      return "the window was still open when last materialized"
    case "Unobserved":
      return "not observed lately"
    case "InputPlanned":
      return `if ${reason.dependency} changes`
  }
}
