/** `materialize`: request -> plan -> run -> summary. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Result from "effect/Result"
import type * as AssetGraph from "../../asset/AssetGraph.ts"
import * as Partitions from "../../partition/Partitions.ts"
import * as PartitionSelector from "../../partition/PartitionSelector.ts"
import * as PartitionSet from "../../partition/PartitionSet.ts"
import * as Plan from "../../plan/Plan.ts"
import type * as Planner from "../../plan/Planner.ts"
import type { Kind } from "../../plan/Staleness.ts"
import { Executor } from "../../run/Executor.ts"
import * as Situation from "../../run/Situation.ts"
import * as Selection from "../../selection/Selection.ts"
import { RunStore } from "../../store/RunStore.ts"
import { type Application, ApplicationLoader } from "../Application.ts"
import { Failure, usage } from "../Failure.ts"
import * as PlanText from "../render/PlanText.ts"
import * as Print from "../render/Print.ts"
import * as Progress from "../render/Progress.ts"
import * as SummaryText from "../render/SummaryText.ts"
import { currentUniverse } from "./universe.ts"

export interface Input {
  readonly asset: ReadonlyArray<string>
  readonly select: Option.Option<string>
  readonly partition: Option.Option<string>
  readonly only: Kind
  readonly plan: boolean
  readonly force: boolean
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

const orUsage = <A>(result: Result.Result<A, string>, fix: string): Effect.Effect<A, Failure> =>
  Result.isSuccess(result) ? Effect.succeed(result.success) : Effect.fail(usage(result.failure, fix))

/** `--asset` brings ancestors along, `--select` is exact. */
const targetsOf = Effect.fnUntraced(function*(graph: AssetGraph.Any, input: Input) {
  if (input.asset.length > 0 && Option.isSome(input.select)) {
    return yield* usage("--asset and --select say the same thing twice", "use one of them")
  }
  if (input.asset.length === 0 && Option.isNone(input.select)) {
    const known = `assets: ${graph.names.join(", ")}`
    return yield* usage(
      "which asset? Give --asset NAME or --select EXPR",
      `materialize --asset ${graph.names.at(-1)}   (${known})`
    )
  }
  const text = Option.getOrElse(input.select, () => input.asset.join(","))
  return yield* orUsage(Selection.resolve(graph, text), "barograph asset list")
})

/** What `--partition` selects of an asset; all of it when it is left out. */
const selected = (
  graph: AssetGraph.Any,
  name: string,
  partition: Option.Option<string>,
  universe: Partitions.Universe
) => {
  const space = Partitions.space(graph.assets.get(name)!.dimensions, universe)
  return Option.isNone(partition)
    ? Effect.succeed(PartitionSet.all(space))
    : orUsage(PartitionSelector.toSet(partition.value, space), `barograph asset show ${name}`)
}

const requestFor = Effect.fnUntraced(function*(graph: AssetGraph.Any, input: Input, universe: Partitions.Universe) {
  const names = yield* targetsOf(graph, input)
  const targets = yield* Effect.forEach(
    names,
    (asset) => Effect.map(selected(graph, asset, input.partition, universe), (set) => ({ asset, set }))
  )
  if (Option.isSome(input.partition) && targets.every(({ set }) => PartitionSet.isEmpty(set))) {
    return yield* usage(
      `no partition of ${names.join(", ")} is ${input.partition.value}`,
      `barograph asset show ${names[0]} says which there are`
    )
  }
  return {
    targets,
    ancestors: Option.isNone(input.select),
    force: input.force,
    only: input.only
  } satisfies Planner.Request
})

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
    return yield* input.json
      ? Print.json(PlanText.toJson(plan, application.pools))
      : Print.lines(PlanText.render(plan, application.pools))
  }
  if (!Plan.isEmpty(plan)) return yield* execute(application, plan, input)
  yield* input.json
    ? Print.json({ runId: null, status: "succeeded", assets: {}, upToDate: PlanText.upToDate(plan), failures: [] })
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
