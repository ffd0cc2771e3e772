/**
 * What a daemon does, as metrics: what happens is counted where it happens, how things stand is looked up in the stores
 * when somebody asks.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Process from "node:process"
import * as RunMetrics from "../run/RunMetrics.ts"
import { AlertStore } from "../store/AlertStore.ts"
import { AutomationStore } from "../store/AutomationStore.ts"
import { BackfillStore } from "../store/BackfillStore.ts"
import { RunStore } from "../store/RunStore.ts"
import { type NewTick, OUTCOMES } from "../store/Tick.ts"
import * as AlertChannels from "./AlertChannels.ts"
import * as Leaving from "./Leaving.ts"
import * as Outbox from "./Outbox.ts"
import { keyOf, type Project } from "./Project.ts"

/** Told when the lead is won or lost. */
export const leads = (term: number | undefined): Effect.Effect<void> =>
  Metric.update(
    Metric.gauge("barograph_leader", { description: "1 where this process leads" }),
    term === undefined ? 0 : 1
  )

const ticks = ({ name, outcome }: Pick<NewTick, "name" | "outcome">) =>
  Metric.counter("barograph_ticks_total", {
    description: "Evaluations of schedules and sensors, by what became of them",
    attributes: { automation: name, outcome },
    incremental: true
  })

export const ticked = (tick: Pick<NewTick, "name" | "outcome">): Effect.Effect<void> => Metric.update(ticks(tick), 1)

const wait = Metric.histogram("barograph_run_wait_seconds", {
  description: "Time from the request of a run to when a daemon takes it",
  boundaries: [0.05, 0.1, 0.3, 1, 3, 10, 60, 300, 1800, 7200]
})

export const waited = (millis: number): Effect.Effect<void> => Metric.update(wait, Math.max(0, millis) / 1000)

/** What a daemon of this graph may count, at zero: `RunMetrics.atZero` says why. */
export const atZero = ({ automations, graph }: Pick<Project, "automations" | "graph">): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* RunMetrics.atZero(graph.assets.keys())
    yield* Metric.value(wait)
    for (const name of automations.map(keyOf)) {
      for (const outcome of OUTCOMES) yield* Metric.update(ticks({ name, outcome }), 0)
    }
  })

const gauge = (name: string, description: string, value: number, attributes: Metric.Metric.AttributeSet = {}) =>
  Metric.update(Metric.gauge(name, { description, attributes }), value)

const runs = Effect.gen(function*() {
  const { oldestRequest, ...counts } = yield* (yield* RunStore).waiting
  for (const [status, count] of Object.entries(counts)) {
    yield* gauge("barograph_runs", "Runs that are not over", count, { status })
  }
  const age = oldestRequest === undefined ? 0 : (yield* Clock.currentTimeMillis) - oldestRequest
  yield* gauge(
    "barograph_oldest_request_age_seconds",
    "How long the run waits that could have begun first",
    Math.max(0, age) / 1000
  )
})

const backfills = Effect.gen(function*() {
  const open = yield* (yield* BackfillStore).open
  yield* gauge("barograph_backfills_open", "Backfills that are not over", open.length)
})

const FRESHNESS = "freshness/"

const automations = Effect.gen(function*() {
  for (const [name, { cursor, failures }] of yield* (yield* AutomationStore).all) {
    if (name.startsWith(FRESHNESS)) {
      const asset = name.slice(FRESHNESS.length)
      yield* gauge("barograph_asset_overdue", "1 where an asset is not as fresh as declared", +(cursor === "overdue"), {
        asset
      })
    } else {
      yield* gauge("barograph_automation_failures", "Evaluations that failed in a row", failures, { automation: name })
    }
  }
})

const alerts = Effect.gen(function*() {
  const store = yield* AlertStore
  const now = yield* Clock.currentTimeMillis
  yield* gauge("barograph_incidents_open", "Troubles that go on", (yield* store.open).length)
  for (const { name: channel } of yield* AlertChannels.AlertChannels) {
    const state = yield* store.channel(channel)
    const undelivered = Outbox.overdue(yield* store.pending(channel), state?.since ?? now, now)
    yield* gauge("barograph_alerts_undelivered", "Alerts that a channel should know and does not", undelivered.length, {
      channel
    })
  }
})

const cpu = Metric.counter("process_cpu_seconds_total", { description: "Processor time", incremental: true })

let told = 0

const process = Effect.gen(function*() {
  yield* gauge("process_resident_memory_bytes", "Resident memory", Process.memoryUsage.rss())
  const started = (yield* Clock.currentTimeMillis) / 1000 - Process.uptime()
  yield* gauge("process_start_time_seconds", "Start of the process, seconds since 1970", started)
  const { system, user } = Process.cpuUsage()
  const used = (system + user) / 1_000_000
  yield* Metric.update(cpu, used - told)
  told = used
})

/** How things stand now. A database that does not answer is a value too. */
export const refresh = Effect.gen(function*() {
  yield* process
  const found = yield* Leaving.timeoutOrElse(Effect.as(Effect.all([runs, backfills, automations, alerts]), 1), {
    duration: "2 seconds",
    orElse: () => Effect.succeed(0)
  }).pipe(Effect.catch(() => Effect.succeed(0)))
  yield* gauge("barograph_database_up", "1 where the database answers", found)
})
