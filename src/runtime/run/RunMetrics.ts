/**
 * What the runs of this process do, as metrics. Counted per event, by asset: a series is made once and kept, so that an
 * update is a few hundred nanoseconds.
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { Event, RunStatus, StepResult } from "./Event.ts"
import { addNumbers } from "./Summary.ts"

const counter = (name: string, description: string, attributes: Metric.Metric.AttributeSet) =>
  Metric.counter(name, { description, attributes, incremental: true })

/** From a tenth of a second to half a day. */
const SECONDS = [0.1, 0.3, 1, 3, 10, 30, 60, 300, 1800, 7200, 43_200]

const seconds = (name: string, description: string, attributes: Metric.Metric.AttributeSet) =>
  Metric.histogram(name, { description, attributes, boundaries: SECONDS })

const memoized = <K, A>(make: (key: K) => A) => {
  const made = new Map<K, A>()
  return (key: K): A => {
    const known = made.get(key)
    if (known !== undefined) return known
    const one = make(key)
    made.set(key, one)
    return one
  }
}

const partitions = (asset: string, outcome: string) =>
  counter("barograph_partitions_total", "Partitions by what became of them", { asset, outcome })

const ofAsset = memoized((asset: string) => ({
  materialized: partitions(asset, "materialized"),
  skipped: partitions(asset, "skipped"),
  failed: partitions(asset, "failed"),
  blocked: partitions(asset, "blocked"),
  steps: seconds("barograph_step_duration_seconds", "Time of a call of an asset", { asset }),
  retries: counter("barograph_step_retries_total", "Calls that failed and were tried again", { asset }),
  rows: counter("barograph_rows_total", "Rows that materializations recorded", { asset }),
  rejected: counter("barograph_rejected_rows_total", "Rows that were refused", { asset }),
  bytes: counter("barograph_bytes_total", "Bytes that materializations recorded", { asset })
}))

const ended = memoized((status: RunStatus) =>
  counter("barograph_runs_ended_total", "Runs that this process ended", { status })
)

/** As what a run can end. */
const ENDED = ["succeeded", "failed", "interrupted", "canceled"] as const satisfies ReadonlyArray<RunStatus>

const duration = seconds("barograph_run_duration_seconds", "Time of a run, without waiting for its turn", {})

const addOutputs = (asset: string, results: ReadonlyArray<StepResult>, update: Update): void => {
  const sums: { [field: string]: number } = {}
  for (const { output } of results) addNumbers(sums, output)
  const { bytes, rejected, rows } = ofAsset(asset)
  if ((sums["rows"] ?? 0) > 0) update(rows, sums["rows"]!)
  if ((sums["rejected"] ?? 0) > 0) update(rejected, sums["rejected"]!)
  if ((sums["bytes"] ?? 0) > 0) update(bytes, sums["bytes"]!)
}

type Update = (metric: Metric.Metric<number, unknown>, value: number) => void

const add = (event: Event, update: Update): void => {
  switch (event.type) {
    case "Materialized": {
      const { materialized, steps } = ofAsset(event.asset)
      update(materialized, event.results.length)
      update(steps, event.seconds)
      return addOutputs(event.asset, event.results, update)
    }
    case "Skipped":
      return update(ofAsset(event.asset).skipped, event.partitions.length)
    case "Failed":
      return update(ofAsset(event.asset)[event.blocked ? "blocked" : "failed"], event.partitions.length)
    case "Blocked":
      return update(ofAsset(event.asset).blocked, event.count)
    case "StepRetrying":
      return update(ofAsset(event.asset).retries, 1)
  }
}

const updating = (use: (update: Update) => void): Effect.Effect<void> =>
  Effect.contextWith((context) => Effect.sync(() => use((metric, value) => metric.updateUnsafe(value, context))))

export const record = (events: ReadonlyArray<Event>): Effect.Effect<void> =>
  updating((update) => {
    for (const event of events) add(event, update)
  })

/**
 * The series of these assets and of runs, at zero. To Prometheus, a series that appears with a value has not increased: a
 * week's load, or its failure, would be drawn nowhere. Not those of call times, which are fourteen for each asset.
 */
export const atZero = (assets: Iterable<string>): Effect.Effect<void> =>
  Effect.andThen(
    Metric.value(duration),
    updating((update) => {
      for (const status of ENDED) update(ended(status), 0)
      for (const asset of assets) {
        const { steps: _, ...counters } = ofAsset(asset)
        for (const one of Object.values(counters)) update(one, 0)
      }
    })
  )

/** Without its time where it did not begin. */
export const runEnded = (status: RunStatus, took?: number): Effect.Effect<void> =>
  updating((update) => {
    update(ended(status), 1)
    if (took !== undefined) update(duration, took)
  })
