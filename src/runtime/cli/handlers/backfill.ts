/** `backfill start`, `list`, `show`, `cancel` and `resume`. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Slices from "../../plan/Slices.ts"
import * as Backfill from "../../run/Backfill.ts"
import * as Situation from "../../run/Situation.ts"
import * as BackfillStore from "../../store/BackfillStore.ts"
import { RunStore } from "../../store/RunStore.ts"
import { type Application, ApplicationLoader } from "../Application.ts"
import { Failure, usage } from "../Failure.ts"
import * as BackfillProgress from "../render/BackfillProgress.ts"
import * as BackfillText from "../render/BackfillText.ts"
import * as PlanText from "../render/PlanText.ts"
import * as Print from "../render/Print.ts"
import { type Asked, resolved, wordsOf } from "./request.ts"

export interface StartInput extends Asked {
  readonly slice: number
  readonly tag: Readonly<Record<string, string>>
  readonly detach: boolean
  readonly plan: boolean
  readonly json: boolean
}

interface Named {
  readonly id: string
  readonly json: boolean
}

const load = Effect.flatMap(ApplicationLoader, ({ load }) => load)

/** By id, or the newest as `latest`. */
const named = Effect.fnUntraced(function*(id: string) {
  const store = yield* BackfillStore.BackfillStore
  yield* store.recover
  yield* (yield* RunStore).recover
  const found = id === "latest" ? (yield* store.list(1))[0] : yield* store.find(id)
  return found ?? (yield* usage(`There is no backfill "${id}".`, "barograph backfill list"))
})

/** Everything that is known of a backfill, what running slices do just now included. */
const standing = Effect.fnUntraced(function*(backfill: BackfillStore.Backfill) {
  const runs = yield* RunStore
  const slices: Array<BackfillStore.Slice> = []
  let meanwhile = 0
  for (const slice of yield* (yield* BackfillStore.BackfillStore).slices(backfill.backfillId)) {
    const isRunning = slice.status === "running" && slice.runId !== undefined
    const events = isRunning ? yield* runs.events(slice.runId) : []
    const done = Backfill.doneIn(slice, events.map(({ event }) => event))
    meanwhile += done
    slices.push({ ...slice, done: slice.done + done })
  }
  return {
    backfill: { ...backfill, done: backfill.done + meanwhile },
    slices,
    failures: Backfill.failuresOf(slices)
  } satisfies BackfillText.Standing
})

/** 4 when all that failed by itself lies with the outer world, as for a run. */
const failed = (application: Application, found: BackfillText.Standing): Failure => {
  const { backfill: { backfillId, status }, failures } = found
  if (status === "canceled") {
    return new Failure({
      exitCode: 1,
      message: "the backfill was canceled; what it finished is kept",
      fix: `barograph backfill resume ${backfillId}`
    })
  }
  const tags = failures.filter(({ blocked }) => !blocked).map(({ tag }) => tag)
  const upstream = tags.length > 0 && tags.every((tag) => tag !== undefined && application.upstreamErrors.includes(tag))
  return new Failure({
    exitCode: upstream ? 4 : 1,
    message: upstream ? "the backfill failed: the source did not answer" : "the backfill failed",
    fix: `barograph backfill resume ${backfillId} takes up what failed`
  })
}

const workOn = Effect.fnUntraced(function*(application: Application, backfill: BackfillStore.Backfill, json: boolean) {
  const progress = yield* BackfillProgress.make(backfill)
  const ended = yield* Backfill.work(application.graph, backfill.backfillId, {
    concurrency: application.concurrency,
    pools: Record.map(application.pools, ({ slots }) => slots),
    limits: application.limits,
    observe: progress.observe
  }).pipe(Effect.ensuring(progress.close))
  const found = yield* standing(ended ?? backfill)
  yield* json ? Print.json(found) : Print.lines(BackfillText.ended(found))
  if (found.backfill.status !== "succeeded") return yield* failed(application, found)
})

/** What a person reads when the terminal is asked to stop. */
const told = (backfillId: string) =>
  Effect.onInterrupt(() =>
    Print.talk(`interrupted: what was finished is kept; barograph backfill resume ${backfillId} goes on`)
  )

const begin = Effect.fnUntraced(function*(
  application: Application,
  input: StartInput,
  slices: ReadonlyArray<Slices.Slice>
) {
  const backfillId = yield* Backfill.create({
    ancestors: Option.isNone(input.select),
    assets: input.asset,
    select: Option.getOrNull(input.select),
    partition: Option.getOrNull(input.partition),
    force: input.force,
    only: input.only,
    tags: input.tag
  }, slices)
  const backfill = yield* named(backfillId)
  if (input.detach) {
    return yield* input.json ? Print.json(yield* standing(backfill)) : Print.lines(BackfillText.stored(backfill))
  }
  yield* workOn(application, backfill, input.json).pipe(told(backfillId))
})

const startWith = Effect.fnUntraced(function*(application: Application, input: StartInput) {
  yield* (yield* RunStore).recover
  const universe = yield* Situation.settled(application.members)
  const request = yield* resolved(application.graph, wordsOf(input), universe)
  const plan = yield* Situation.plan(application.graph, request, universe)
  const slices = Slices.cut(application.graph, request.targets, plan, input.slice)
  if (input.plan) {
    const lines = application.forecast === undefined ? [] : yield* application.forecast(plan)
    return yield* input.json
      ? Print.json({
        ...PlanText.toJson(plan, application.pools, lines),
        slices: BackfillText.slicesToJson(slices)
      })
      : Print.lines([...PlanText.render(plan, application.pools, lines), ...BackfillText.slices(slices)])
  }
  if (slices.length > 0) return yield* begin(application, input, slices)
  yield* input.json
    ? Print.json({ backfill: null, slices: [], failures: [] })
    : Print.lines(PlanText.nothingToDo(plan))
})

export const start = Effect.fnUntraced(function*(input: StartInput) {
  const application = yield* load
  yield* Effect.forEach(application.notices, Print.talk)
  yield* startWith(application, input).pipe(Effect.provide(application.layer))
})

export const resume = Effect.fnUntraced(function*(input: Named) {
  const application = yield* load
  yield* Effect.gen(function*() {
    const { backfillId } = yield* named(input.id)
    yield* (yield* BackfillStore.BackfillStore).reopen(backfillId)
    yield* Situation.settled(application.members)
    yield* workOn(application, yield* named(backfillId), input.json).pipe(told(backfillId))
  }).pipe(Effect.provide(application.layer))
})

export const cancel = Effect.fnUntraced(function*(input: Named) {
  const application = yield* load
  yield* Effect.gen(function*() {
    const { backfillId, status } = yield* named(input.id)
    if (!(yield* Backfill.cancel(backfillId))) {
      return yield* usage(`Backfill "${backfillId}" is over already: ${status}.`, "barograph backfill list")
    }
    const found = yield* standing(yield* named(backfillId))
    yield* input.json ? Print.json(found) : Print.lines(BackfillText.canceled(found.backfill))
  }).pipe(Effect.provide(application.layer))
})

export const show = Effect.fnUntraced(function*(input: Named) {
  const application = yield* load
  const found = yield* Effect.flatMap(named(input.id), standing).pipe(Effect.provide(application.layer))
  yield* input.json ? Print.json(found) : Print.lines(BackfillText.show(found))
})

export const list = Effect.fnUntraced(function*(input: { readonly limit: number; readonly json: boolean }) {
  const application = yield* load
  const found = yield* Effect.flatMap(BackfillStore.BackfillStore, (store) => store.list(input.limit))
    .pipe(
      Effect.provide(application.layer)
    )
  yield* input.json ? Print.json(found) : Print.lines(BackfillText.list(found))
})
