/**
 * How partitions stand, in a form that does not grow with their number: sets of partitions of which the same is known.
 *
 * Versions of single partitions are not in it. Instead it says by *number* when something happened: every run takes a
 * number when it begins and another when it ends, from one sequence of the store. An input that changed in a run which
 * had ended before `asOf`, or in the run that `asOf` is the number of, was read. Where numbers cannot say so, the versions
 * of the single partitions are compared; a number never says "fresh" of what is stale.
 */
import type * as PartitionSet from "../partition/PartitionSet.ts"

export interface Standing {
  /** The inputs are known to have been read as they were at this number; 0: there was no success. */
  readonly asOf: number
  /** Number of the run in which the data version last came out different; 0: never. */
  readonly changed: number
  /** Epoch milliseconds of the latest success, kept where it matters: a window that was still open, an observed source. */
  readonly at: number
  readonly codeVersion: string
  /** Of the dependencies and their mappings: see `Fingerprint`. */
  readonly dependencies: string
  /** The error of a try that failed after the latest success, or of a blocking check of that success. */
  readonly failure: string | undefined
  /** The latest success did not pass a blocking check: nothing may read it. */
  readonly rejected: boolean
}

/** Partitions that stand alike. `undefined`: only the history of each single one can say. */
export interface Class {
  readonly standing: Standing | undefined
  readonly set: PartitionSet.PartitionSet
}

/** True when a change in run `changed`, which ended at `ended`, was read by whatever stands at `asOf`. */
export const hasRead = (asOf: number, changed: number, ended: number): boolean => changed === asOf || ended < asOf
