/** What a run says became of partitions of one asset, and the lines that follow from it. Pure. */
import * as PartitionKey from "../partition/PartitionKey.ts"
import * as Partitions from "../partition/Partitions.ts"
import type { Standing } from "../plan/Standing.ts"
import type { CheckResult } from "./CheckStore.ts"
import * as PartitionLine from "./PartitionLine.ts"

/** A run and the number that it took when it began. */
export interface RunRef {
  readonly runId: string
  readonly number: number
}

export interface Materialization {
  readonly partition: string
  readonly dataVersion: string
  /** Data version per dependency. */
  readonly inputs: { readonly [dependency: string]: string }
  /** The encoded output. */
  readonly output: unknown
  readonly seconds: number
  /** The data version is another one than before, or the first. */
  readonly changed: boolean
  /** See `Standing.at`. */
  readonly at: number
  /** The blocking check that it did not pass, and why: it counts as failed. */
  readonly rejected?: string | undefined
}

export interface Outcome {
  readonly asset: string
  readonly space: Partitions.Space
  readonly codeVersion: string
  /** See `Fingerprint`. */
  readonly dependencies: string
  readonly succeeded: ReadonlyArray<Materialization>
  readonly failed: ReadonlyArray<{ readonly partition: string; readonly error: string }>
  /** Partitions that were looked at and found up to date, with the time of their success: see `Standing.at`. */
  readonly verified: ReadonlyArray<{ readonly partition: string; readonly at: number }>
  /** What checks said of those that succeeded; left out when none was asked. */
  readonly checked?: ReadonlyArray<CheckResult> | undefined
}

/** A longer error would be stored with every partition that has it; the event keeps the whole text. */
const ERROR_LENGTH = 300

/** The cut may go through a pair of surrogates. */
const short = (error: string): string => error.slice(0, ERROR_LENGTH).toWellFormed()

const never: Standing = {
  asOf: 0,
  changed: 0,
  at: 0,
  codeVersion: "",
  dependencies: "",
  failure: undefined,
  rejected: false
}

type Next = PartitionLine.Change["next"]

/** Something happened since the partition was looked at: plans look without a claim. */
const isLater = (run: RunRef, before: PartitionLine.Before): before is Standing =>
  before !== undefined && before !== "suspect" && (before.asOf > run.number || before.failure !== undefined)

const nextStandings = (run: RunRef, self: Outcome): ReadonlyArray<readonly [partition: string, next: Next]> => {
  const { codeVersion, dependencies } = self
  const current = { asOf: run.number, codeVersion, dependencies, failure: undefined, rejected: false }
  const changedBefore = (before: PartitionLine.Before): number =>
    before === undefined || before === "suspect" ? run.number : before.changed
  return [
    ...self.succeeded.map(({ at, changed, partition, rejected }): readonly [string, Next] => [
      partition,
      (before) => ({
        ...current,
        at,
        changed: changed ? run.number : changedBefore(before),
        failure: rejected === undefined ? undefined : short(rejected),
        rejected: rejected !== undefined
      })
    ]),
    ...self.verified.map(({ at, partition }): readonly [string, Next] => [
      partition,
      (before) => isLater(run, before) ? before : { ...current, at, changed: changedBefore(before) }
    ]),
    // A suspect that fails may have a success before, of which nothing is known here.
    ...self.failed.map(({ error, partition }): readonly [string, Next] => [
      partition,
      (before) => before === "suspect" ? before : { ...(before ?? never), failure: short(error) }
    ])
  ]
}

/** Line to what changes in it. */
export const changes = (run: RunRef, self: Outcome): ReadonlyMap<string, Array<PartitionLine.Change>> => {
  const last = self.space.names.at(-1)
  const found = new Map<string, Array<PartitionLine.Change>>()
  for (const [partition, next] of nextStandings(run, self)) {
    const key = PartitionKey.fromText(partition)
    const line = Partitions.lineOf(self.space, key)
    const own = found.get(line) ?? []
    found.set(line, own)
    own.push({ value: last === undefined ? "" : key[last]!, next })
  }
  return found
}
