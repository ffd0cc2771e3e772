/**
 * Asks checks about partitions that are materialized. A check that fails, dies or takes too long is one that is not
 * passed, so asking never fails; results are told by the caller.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Check from "../asset/Check.ts"
import * as Metadata from "../asset/Metadata.ts"
import * as PartitionKey from "../partition/PartitionKey.ts"
import type { CheckResult } from "../store/CheckStore.ts"
import { message } from "./CauseText.ts"
import type { Event } from "./Event.ts"

/** A partition and what its latest materialization recorded, decoded. */
export interface Item {
  readonly partition: string
  /** An effect where it has still to be decoded: one that fails is a check that is not passed. */
  readonly output: Effect.Effect<unknown, unknown>
}

/** A longer description is cut: it is kept per partition. */
const LENGTH = 1000

const outcome = (check: Check.Any, item: Item): Effect.Effect<Check.Result, unknown, unknown> =>
  Effect.flatMap(item.output, (output) => check.run({ partition: PartitionKey.fromText(item.partition), output })).pipe(
    Effect.map(({ description, metadata, passed }): Check.Result => ({
      passed: passed === true,
      description: description === undefined ? undefined : String(description),
      metadata: metadata ?? {}
    })),
    Effect.scoped,
    Effect.timeoutOrElse({
      duration: check.timeout,
      orElse: () => Effect.succeed({ passed: false, description: `no answer within ${Duration.format(check.timeout)}` })
    })
  )

const ask = (check: Check.Any, item: Item): Effect.Effect<CheckResult, never, unknown> =>
  outcome(check, item).pipe(
    Effect.catchCause((cause) =>
      Cause.hasInterrupts(cause)
        ? Effect.failCause(cause as Cause.Cause<never>)
        : Effect.succeed<Check.Result>({ passed: false, description: message(cause) })
    ),
    Effect.map(({ description, metadata, passed }) => ({
      asset: check.asset.name,
      check: check.name,
      partition: item.partition,
      passed,
      severity: check.severity,
      blocking: check.blocking,
      description: description === undefined ? undefined : Metadata.cleanText(description.slice(0, LENGTH)),
      metadata: Metadata.clean(metadata ?? {})
    }))
  )

/** All checks on all items, so many at a time. */
export const run = (
  checks: ReadonlyArray<Check.Any>,
  items: ReadonlyArray<Item>,
  concurrency: number
): Effect.Effect<ReadonlyArray<CheckResult>, never, unknown> => {
  const pairs = items.flatMap((item) => checks.map((check) => [check, item] as const))
  return Effect.forEach(pairs, ([check, item]) => ask(check, item), { concurrency })
}

/** Partition to why it counts as failed: the first blocking check that it did not pass. */
export const rejections = (results: ReadonlyArray<CheckResult>): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (const { blocking, check, description, partition, passed } of results) {
    if (passed || !blocking || found.has(partition)) continue
    found.set(partition, `check ${check}: ${description || "not passed"}`)
  }
  return found
}

/** What is told of the results: the results, and a failure for each reason to reject. */
export const events = (step: number, asset: string, results: ReadonlyArray<CheckResult>): ReadonlyArray<Event> => {
  if (results.length === 0) return []
  const rejected = new Map<string, Array<string>>()
  for (const [partition, error] of rejections(results)) {
    rejected.set(error, [...(rejected.get(error) ?? []), partition])
  }
  return [
    { type: "Checked", step, asset, results: results.map(({ asset: _, ...rest }) => rest) },
    ...[...rejected].map(([error, partitions]): Event => ({
      type: "Failed",
      step,
      asset,
      partitions,
      error,
      blocked: false,
      rejected: true
    }))
  ]
}
