/** `materialize`: request -> plan -> run -> summary. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Plan from "../../plan/Plan.ts"
import type * as RunRequest from "../../plan/RunRequest.ts"
import { Executor } from "../../run/Executor.ts"
import * as Situation from "../../run/Situation.ts"
import { RunStore } from "../../store/RunStore.ts"
import { type Application, ApplicationLoader } from "../Application.ts"
import { Failure } from "../Failure.ts"
import * as PlanText from "../render/PlanText.ts"
import * as Print from "../render/Print.ts"
import * as Progress from "../render/Progress.ts"
import * as SummaryText from "../render/SummaryText.ts"
import { type Asked, resolved, wordsOf } from "./request.ts"

interface How {
  readonly plan: boolean
  readonly tag: Readonly<Record<string, string>>
  readonly priority: number
  readonly timeout: Option.Option<Duration.Duration>
  readonly concurrency: Option.Option<number>
  readonly json: boolean
}

interface Input extends Asked, How {}

interface Order extends How {
  readonly request: RunRequest.RunRequest
  /** Epoch milliseconds: what was forced and materialized since then is not forced again. */
  readonly forcedSince?: number
}

/** For other commands that end in a run: what a person leaves out. */
const unasked = {
  plan: false,
  tag: {},
  priority: 0,
  timeout: Option.none(),
  concurrency: Option.none()
} satisfies Partial<How>

const failed = (application: Application, tags: ReadonlyArray<string | undefined>, runId: string): Failure => {
  const upstream = tags.length > 0 && tags.every((tag) => tag !== undefined && application.upstreamErrors.includes(tag))
  return new Failure({
    exitCode: upstream ? 4 : 1,
    message: upstream ? "the run failed: the source did not answer with bars" : "the run failed",
    fix: `barograph run show ${runId}; running the same command again takes up what failed`
  })
}

const execute = Effect.fnUntraced(
  function*(application: Application, plan: Plan.Plan, input: Order) {
    const executor = yield* Executor
    const progress = yield* Progress.make(plan)
    const summary = yield* executor.execute(plan, {
      concurrency: Option.getOrElse(input.concurrency, () => application.concurrency),
      pools: Record.map(application.pools, ({ slots }) => slots),
      limits: application.limits,
      tags: input.tag,
      priority: input.priority,
      timeout: Option.getOrUndefined(input.timeout),
      request: input.request,
      forcedSince: input.forcedSince,
      observe: progress.observe
    }).pipe(Effect.ensuring(progress.close))
    yield* input.json ? Print.json(summary) : Print.lines(SummaryText.render(summary, application))
    if (summary.status === "succeeded") return
    if (summary.status === "canceled") {
      const fix = `barograph run retry ${summary.runId}`
      return yield* new Failure({ exitCode: 1, message: "the run was canceled; what it finished is kept", fix })
    }
    const roots = summary.failures.filter(({ blocked }) => !blocked).map(({ tag }) => tag)
    return yield* failed(application, roots, summary.runId)
  }
)

const work = Effect.fnUntraced(function*(application: Application, input: Order) {
  // Also when nothing is left to do: a run may have been killed after its last step and before it could say so.
  yield* (yield* RunStore).recover
  const universe = yield* Situation.settled(application.members)
  const request = yield* resolved(application.graph, input.request, universe)
  const plan = yield* Situation.plan(application.graph, request, universe)
  if (input.plan) {
    const lines = application.forecast === undefined ? [] : yield* application.forecast(plan)
    return yield* input.json
      ? Print.json(PlanText.toJson(plan, application.pools, lines))
      : Print.lines(PlanText.render(plan, application.pools, lines))
  }
  if (!Plan.isEmpty(plan)) return yield* execute(application, plan, input)
  yield* input.json
    ? Print.json(SummaryText.nothing(PlanText.upToDate(plan)))
    : Print.lines(PlanText.nothingToDo(plan))
})

const fulfil = Effect.fnUntraced(function*(input: Order) {
  const application = yield* (yield* ApplicationLoader).load
  yield* Effect.forEach(application.notices, Print.talk)
  yield* work(application, input).pipe(
    Effect.provide(application.layer),
    Effect.onInterrupt(() => Print.talk("interrupted: what was finished is kept; the same command takes up the rest"))
  )
})

/** What a person asks for with flags. */
export const materialize = (input: Input) => fulfil({ ...input, request: wordsOf(input) })

/** What another command asks for. */
export const order = (input: Partial<How> & Pick<Order, "request" | "forcedSince" | "json">) =>
  fulfil({ ...unasked, ...input })
