/** `run list`, `show`, `cancel` and `retry`. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import * as RunRequest from "../../plan/RunRequest.ts"
import type { RunStatus } from "../../run/Event.ts"
import * as Summary from "../../run/Summary.ts"
import { type RecordedEvent, type Run, RunStore } from "../../store/RunStore.ts"
import type { StoreError } from "../../store/StoreError.ts"
import { ApplicationLoader } from "../Application.ts"
import { usage } from "../Failure.ts"
import * as EventText from "../render/EventText.ts"
import * as Print from "../render/Print.ts"
import * as SummaryText from "../render/SummaryText.ts"
import * as Table from "../render/Table.ts"
import { order } from "./materialize.ts"

const time = (millis: number): string => `${new Date(millis).toISOString().slice(0, 19).replace("T", " ")}Z`

const seconds = (from: number, to: number | undefined): string =>
  to === undefined ? "-" : `${((to - from) / 1000).toFixed(1)} s`

const withRuns = <A, E, R>(use: (runs: RunStore["Service"]) => Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const stores = yield* (yield* ApplicationLoader).stores
    return yield* Effect.flatMap(RunStore, use).pipe(Effect.provide(stores))
  })

export interface ListInput {
  readonly limit: number
  readonly before: Option.Option<string>
  readonly status: Option.Option<RunStatus>
  readonly tag: Readonly<Record<string, string>>
  readonly json: boolean
}

const tagText = (tags: Readonly<Record<string, string>>): string =>
  Object.entries(tags).map(([key, value]) => value === "" ? key : `${key}=${value}`).join(" ")

const missing = (id: string) => usage(`There is no run "${id}".`, "barograph run list")

export const list = Effect.fnUntraced(function*(input: ListInput) {
  const before = Option.getOrUndefined(input.before)
  const page = {
    limit: input.limit,
    before,
    status: Option.getOrUndefined(input.status),
    tags: Record.isEmptyRecord(input.tag) ? undefined : input.tag
  }
  const runs = yield* withRuns((store) =>
    Effect.gen(function*() {
      yield* store.recover
      if (before !== undefined && (yield* store.find(before)) === undefined) return yield* missing(before)
      return yield* store.list(page)
    })
  )
  if (input.json) return yield* Print.json(runs)
  if (runs.length === 0) return yield* Print.lines(["No such run. Start one: materialize --asset NAME"])
  yield* Print.lines(Table.render(
    ["run", "status", "started", "took", "tags"],
    runs.map((run) => [
      run.runId,
      run.status,
      time(run.startedAt),
      seconds(run.startedAt, run.endedAt),
      tagText(run.tags)
    ])
  ))
  if (runs.length === page.limit) yield* Print.talk(`older ones: barograph run list --before ${runs.at(-1)!.runId}`)
})

/** By id, or the newest as `latest`. */
const named = (store: RunStore["Service"], id: string) =>
  id === "latest" ? Effect.map(store.list({ limit: 1 }), ([run]) => run) : store.find(id)

/** What becomes of a run that somebody wants stopped. */
const canceled = ({ runId, status }: Run): string => {
  if (status === "interrupted") return `Run ${runId} was cut off and is not taken up again`
  return status === "canceled" ? `Run ${runId} is canceled` : `Asked run ${runId} to stop`
}

export const cancel = Effect.fnUntraced(function*(input: { readonly id: string }) {
  const run = yield* withRuns((store) =>
    Effect.gen(function*() {
      yield* store.recover
      const asked = yield* named(store, input.id)
      const isStopping = asked !== undefined && (yield* store.requestCancel(asked.runId))
      return isStopping ? yield* store.find(asked.runId) : undefined
    })
  )
  if (run === undefined) return yield* usage(`Run "${input.id}" is not running.`, "barograph run list")
  yield* Print.lines([`${canceled(run)}; what it has finished is kept.`])
})

/** When it was first asked for what the run was asked for, by a run that this one is a retry of, or the one before that. */
const firstAsked = (store: RunStore["Service"], run: Run): Effect.Effect<number, StoreError> =>
  Effect.gen(function*() {
    const { requestedAt, startedAt, tags: { retry_of: earlier } } = run
    const before = earlier === undefined ? undefined : yield* store.find(earlier)
    return before === undefined ? requestedAt ?? startedAt : yield* firstAsked(store, before)
  })

const UNDERWAY: { readonly [status: string]: string } = {
  requested: "waits for a daemon, which will take it",
  queued: "is still running",
  running: "is still running"
}

/** Asks again for what the run was asked for: what it finished is up to date by now, what failed or was forced in vain is not. */
export const retry = Effect.fnUntraced(function*(input: { readonly id: string; readonly json: boolean }) {
  const found = yield* withRuns((store) =>
    Effect.gen(function*() {
      yield* store.recover
      const run = yield* named(store, input.id)
      return run === undefined ? undefined : { run, since: yield* firstAsked(store, run) }
    })
  )
  if (found === undefined) return yield* missing(input.id)
  const { run, since } = found
  const underway = UNDERWAY[run.status]
  if (underway !== undefined) {
    return yield* usage(`Run "${input.id}" ${underway}.`, `barograph run cancel ${input.id}`)
  }
  const asked = yield* Effect.mapError(
    Schema.decodeUnknownEffect(RunRequest.RunRequest)(run.request),
    () => usage(`Run "${input.id}" does not say what it was asked for.`, "materialize --asset NAME")
  )
  yield* order({
    request: { ...asked, force: asked.force === true && run.status !== "succeeded" },
    forcedSince: since,
    tag: { ...run.tags, retry_of: run.runId },
    priority: run.priority,
    json: input.json
  })
})

/** Counted from the events, so that a run that goes on has them too; from its totals where the events were forgotten. */
const numbers = (run: Run, events: ReadonlyArray<RecordedEvent>): ReadonlyArray<string> => {
  const counted = Summary.builder(run.runId, run.startedAt)
  for (const { event } of events) counted.add(event)
  const summary = counted.build(run.endedAt ?? run.startedAt)
  const isForgotten = Record.isEmptyRecord(summary.assets) && run.totals !== null && run.endedAt !== undefined
  const assets = isForgotten ? run.totals as Summary.Summary["assets"] : summary.assets
  return Record.isEmptyRecord(assets) ? [] : ["", ...SummaryText.table(assets), ...SummaryText.problems(summary)]
}

export const show = Effect.fnUntraced(function*(input: { readonly id: string; readonly json: boolean }) {
  const found = yield* withRuns((store) =>
    Effect.gen(function*() {
      yield* store.recover
      const run = yield* named(store, input.id)
      return run === undefined ? undefined : { run, events: yield* store.events(run.runId) }
    })
  )
  if (found === undefined) return yield* missing(input.id)
  if (input.json) return yield* Print.json({ ...found.run, events: found.events })
  const { events, run } = found
  yield* Print.lines([
    `${run.runId}  ${run.status}  ${time(run.startedAt)}  ${seconds(run.startedAt, run.endedAt)}`,
    `  asked for ${JSON.stringify(run.request)}`,
    ...(Record.isEmptyRecord(run.tags) ? [] : [`  tags ${tagText(run.tags)}`]),
    ...events.map(({ at, event }) => `  ${new Date(at).toISOString().slice(11, 23)}  ${EventText.render(event)}`),
    ...numbers(run, events)
  ])
})
