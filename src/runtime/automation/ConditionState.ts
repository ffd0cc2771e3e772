/**
 * What a condition must remember from one evaluation to the next, and what is shown of an evaluation: plain JSON, whose
 * sets are texts that outlive the universe they were made in. Pure.
 */
import * as Crypto from "node:crypto"
import * as Condition from "../asset/Condition.ts"
import type * as Partitions from "../partition/Partitions.ts"
import * as PartitionSelector from "../partition/PartitionSelector.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import type { Failures } from "./Brake.ts"

/**
 * What a part of a condition answered: for how many partitions it held, of how many, since when its answer is this one
 * (epoch milliseconds), for which (`*` for all, `#…` where the text would be too long), and the same for its parts. Those
 * of `anyDeps` and `allDeps` are one for each dependency, about the dependency's partitions.
 */
export type Answer = readonly [
  count: number,
  total: number,
  since: number,
  partitions: string,
  below: ReadonlyArray<Answer>
]

export interface State {
  /** Of the condition: another one starts anew. */
  readonly condition: string
  /** Taken from the numbers of runs when the evaluation began. */
  readonly number: number
  /** Epoch milliseconds; goes back only where the clock was wrong before, see `Schedule.WRONG`. */
  readonly at: number
  /** Path of a part to the partitions that it remembers. */
  readonly sets: { readonly [path: string]: string }
  /** Asset to run number to the partitions whose change in this run was seen, of runs that may change more of them. */
  readonly seen: { readonly [asset: string]: { readonly [run: string]: string } }
  /** What was asked for last. */
  readonly asked: { readonly number: number; readonly partitions: string }
  /** Undefined when the last run of those that it asked for did not fail. */
  readonly failures?: Failures | undefined
  readonly answer: Answer
}

const known = new WeakMap<Condition.Condition, string>()

/** A short text that differs when the condition does. */
export const fingerprint = (condition: Condition.Condition): string => {
  let text = known.get(condition)
  if (text === undefined) {
    text = Crypto.createHash("sha256").update(Condition.fingerprint(condition)).digest("hex").slice(0, 12)
    known.set(condition, text)
  }
  return text
}

export const toText = PartitionSet.toLastingText

export const toSet = (text: string | undefined, space: Partitions.Space): PartitionSet.PartitionSet =>
  text === undefined ? PartitionSet.none(space) : PartitionSelector.toKnown(text, space)

/** Longer texts are not kept with an answer. */
const SHOWN = 2_000

const answerText = (set: PartitionSet.PartitionSet, total: number): string => {
  const count = PartitionSet.size(set)
  if (count === 0 || count === total) return count === 0 ? "" : "*"
  const text = toText(set)
  return text.length <= SHOWN ? text : `#${Crypto.createHash("sha256").update(text).digest("hex").slice(0, 12)}`
}

/** `before` is what the same part answered at the last evaluation. */
export const answer = (
  set: PartitionSet.PartitionSet,
  now: number,
  below: ReadonlyArray<Answer>,
  before: Answer | undefined
): Answer => {
  const total = set.space.existing.size
  const text = answerText(set, total)
  return [PartitionSet.size(set), total, before?.[3] === text ? before[2] : now, text, below]
}
