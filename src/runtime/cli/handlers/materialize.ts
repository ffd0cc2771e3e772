/** `materialize`: request -> plan -> run -> summary. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Plan from "../../plan/Plan.ts"
import { Executor } from "../../run/Executor.ts"
import * as Situation from "../../run/Situation.ts"
import { RunStore } from "../../store/RunStore.ts"
import { type Application, ApplicationLoader } from "../Application.ts"
import { Failure } from "../Failure.ts"
import * as PlanText from "../render/PlanText.ts"
import * as Print from "../render/Print.ts"
import * as Progress from "../render/Progress.ts"
import * as SummaryText from "../render/SummaryText.ts"
import { forecasts } from "./forecasts.ts"
import { type Asked, requestFor } from "./request.ts"
import { currentUniverse } from "./universe.ts"

export interface Input extends Asked {
  readonly plan: boolean
  readonly tag: Readonly<Record<string, string>>
  readonly priority: number
  readonly timeout: Option.Option<Duration.Duration>
  readonly concurrency: Option.Option<number>
  readonly json: boolean
}

/** For other commands that end in a run: what a person leaves out. */
export const unasked = {
  select: Option.none(),
  partition: Option.none(),
  only: "all",
  plan: false,
  force: false,
  tag: {},
  priority: 0,
  timeout: Option.none(),
  concurrency: Option.none()
} satisfies Partial<Input>

const failed = (application: Application, tags: ReadonlyArray<string | undefined>, runId: string): Failure => {
  const upstream = tags.length > 0 && tags.every((tag) => tag !== undefined && application.upstreamErrors.includes(tag))
  return new Failure({
    exitCode: upstream ? 4 : 1,
    message: upstream ? "the run failed: the source did not answer with bars" : "the run failed",
    fix: `barograph run show ${runId}; running the same command again takes up what failed`
  })
}

const execute = Effect.fnUntraced(
  function*(application: Application, plan: Plan.Plan, input: Input) {
    const executor = yield* Executor
    const progress = yield* Progress.make(plan)
    const request = {
      assets: input.asset,
      select: Option.getOrNull(input.select),
      partition: Option.getOrNull(input.partition),
      force: input.force
    }
    const summary = yield* executor.execute(plan, {
      concurrency: Option.getOrElse(input.concurrency, () => application.concurrency),
      pools: Record.map(application.pools, ({ slots }) => slots),
      limits: application.limits,
      tags: input.tag,
      priority: input.priority,
      timeout: Option.getOrUndefined(input.timeout),
      request,
      observe: progress.observe
    }).pipe(Effect.ensuring(progress.close))
    yield* input.json ? Print.json(summary) : Print.lines(SummaryText.render(summary))
    if (summary.status === "succeeded") return
    if (summary.status === "canceled") {
      const fix = `barograph run retry ${summary.runId}`
      return yield* new Failure({ exitCode: 1, message: "the run was canceled; what it finished is kept", fix })
    }
    const roots = summary.failures.filter(({ blocked }) => !blocked).map(({ tag }) => tag)
    return yield* failed(application, roots, summary.runId)
  }
)

const work = Effect.fnUntraced(function*(application: Application, input: Input) {
  // Also when nothing is left to do: a run may have been killed after its last step and before it could say so.
  yield* (yield* RunStore).recover
  const universe = yield* currentUniverse(application)
  const request = yield* requestFor(application.graph, input, universe)
  const plan = yield* Situation.plan(application.graph, request, universe)
  if (input.plan) {
    const lines = yield* forecasts(application, plan)
    return yield* input.json
      ? Print.json(PlanText.toJson(plan, application.pools, lines))
      : Print.lines(PlanText.render(plan, application.pools, lines))
  }
  if (!Plan.isEmpty(plan)) return yield* execute(application, plan, input)
  yield* input.json
    ? Print.json({
      runId: null,
      status: "succeeded",
      assets: {},
      upToDate: PlanText.upToDate(plan),
      failures: [],
      failedChecks: []
    })
    : Print.lines(PlanText.nothingToDo(plan))
})

export const materialize = Effect.fnUntraced(function*(input: Input) {
  const application = yield* (yield* ApplicationLoader).load
  yield* Effect.forEach(application.notices, Print.talk)
  yield* work(application, input).pipe(
    Effect.provide(application.layer),
    Effect.onInterrupt(() => Print.talk("interrupted: what was finished is kept; the same command takes up the rest"))
  )
})
