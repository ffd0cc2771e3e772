/**
 * A graph in a test: materialized in memory, with the layers that the test provides, on the test's clock. No server.
 *
 * ```ts
 * it.effect("a day is summed up", () => Effect.gen(function*() {
 *   const run = yield* Testing.materialize(graph, { asset: "daily_report", partition: "day=2024-01-01..2024-01-03" })
 *   expect(run.output(dailyReport, { day: "2024-01-02" })).toEqual({ total: 3 })
 * }).pipe(Effect.provide([Testing.layer, Vendor.layerMemory])))
 * ```
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import * as Definitions from "../asset/Definitions.ts"
import * as Partitions from "../partition/Partitions.ts"
import * as PartitionSelector from "../partition/PartitionSelector.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import type * as Demand from "../plan/Demand.ts"
import type * as Plan from "../plan/Plan.ts"
import type { Kind } from "../plan/Staleness.ts"
import type * as Admission from "../run/Admission.ts"
import type { Event } from "../run/Event.ts"
import { Executor } from "../run/Executor.ts"
import * as Situation from "../run/Situation.ts"
import * as Selection from "../selection/Selection.ts"
import { AlertStore } from "../store/AlertStore.ts"
import { AutomationStore } from "../store/AutomationStore.ts"
import { BackfillStore } from "../store/BackfillStore.ts"
import { CheckStore } from "../store/CheckStore.ts"
import { Claims } from "../store/Claims.ts"
import { ConditionStore } from "../store/ConditionStore.ts"
import { DynamicPartitions } from "../store/DynamicPartitions.ts"
import { Leadership } from "../store/Leadership.ts"
import { MaterializationStore } from "../store/MaterializationStore.ts"
import { RunStore } from "../store/RunStore.ts"
import * as Run from "./Run.ts"

/** The engine in memory. Provided once for a test, it remembers from one `materialize` to the next. */
export const layer = Executor.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      AlertStore.layerMemory,
      AutomationStore.layerMemory,
      ConditionStore.layerMemory,
      BackfillStore.layerMemory,
      MaterializationStore.layerMemory,
      CheckStore.layerMemory,
      Claims.layerMemory,
      DynamicPartitions.layerMemory,
      Leadership.layerMemory
    )
  ),
  Layer.provideMerge(RunStore.layerMemory)
)

/** The request cannot be: a name that nobody has, or partitions that do not exist by now. */
export class RequestError extends Schema.TaggedError<RequestError>()("RequestError", { message: Schema.String }) {}

/** What to materialize; everything when it says nothing. The words are those of the command line. */
export interface Request {
  /** These assets, with the ancestors that need it. */
  readonly asset?: string | ReadonlyArray<string>
  /** Exactly these assets, in the selection language: `"+daily_report"`, `"group:reports"`. */
  readonly select?: string
  /** `"day=2024-01-01..2024-01-03"`; all partitions when left out. */
  readonly partition?: string
  readonly force?: boolean
  readonly only?: Kind
  /** The test's clock is set to this first. It stands at 1970 otherwise, when few time windows have ended. */
  readonly now?: DateTime.DateTime.Input
  /** Members of dynamic sets; those of the definitions when left out. */
  readonly members?: Definitions.Members
  readonly concurrency?: number
  readonly pools?: { readonly [pool: string]: number }
  /** Marks the run. */
  readonly tags?: { readonly [tag: string]: string }
  readonly priority?: number
  /** Longest time for the run. */
  readonly timeout?: Duration.Input
  /** Which runs may go on at a time. */
  readonly limits?: Admission.Limits
}

/** A graph, or the definitions of a project: of these all but the layer is used. */
export type Project<R> = AssetGraph.AssetGraph<string, R> | Definitions.Definitions<R>

const graphOf = <R>(project: Project<R>): AssetGraph.AssetGraph<string, R> =>
  Definitions.isDefinitions(project) ? project.graph : project

const asked = <A>(result: Result.Result<A, string>): Effect.Effect<A, RequestError> =>
  Result.isSuccess(result) ? Effect.succeed(result.success) : Effect.fail(new RequestError({ message: result.failure }))

const targetsOf = Effect.fnUntraced(
  function*(graph: AssetGraph.Any, request: Request, universe: Partitions.Universe) {
    const named = typeof request.asset === "string" ? request.asset : request.asset?.join(",")
    const names = yield* asked(Selection.resolve(graph, named ?? request.select ?? "*"))
    const targets: Array<Demand.Target> = []
    for (const asset of names) {
      const space = Partitions.space(graph.assets.get(asset)!.dimensions, universe)
      const set = request.partition === undefined
        ? PartitionSet.all(space)
        : yield* asked(PartitionSelector.toSet(request.partition, space))
      targets.push({ asset, set })
    }
    if (targets.some(({ set }) => !PartitionSet.isEmpty(set))) return targets
    const by = new Date(universe.now).toISOString()
    const which = request.partition === undefined ? "" : ` ${request.partition}`
    return yield* new RequestError({
      message: `${names.join(", ")} has no partition${which} by ${by}: does the request want \`now\`, or \`members\`?`
    })
  }
)

const setClock = (now: DateTime.DateTime.Input) =>
  Effect.flatMap(Clock.clockWith(Effect.succeed), (clock) =>
    Predicate.hasProperty(clock, "setTime")
      ? TestClock.setTime(DateTime.toEpochMillis(DateTime.makeUnsafe(now)))
      : Effect.fail(new RequestError({ message: "`now` needs the test's clock: use it.effect, not it.live" })))

type Listed = ReturnType<typeof Definitions.membersOf>

const membersOf = <R>(project: Project<R>, { members }: Request): Effect.Effect<Listed, RequestError> => {
  if (members !== undefined) return Effect.succeed(Definitions.membersOf(members))
  return Definitions.isDefinitions(project)
    ? Effect.mapError(
      project.members,
      (error) => new RequestError({ message: `the members of the definitions cannot be had: ${String(error)}` })
    )
    : Effect.succeed({})
}

const prepare = Effect.fnUntraced(function*<R>(project: Project<R>, request: Request) {
  if (request.asset !== undefined && request.select !== undefined) {
    return yield* new RequestError({ message: "`asset` and `select` say the same thing twice: use one of them" })
  }
  if (request.now !== undefined) yield* setClock(request.now)
  const dynamic = yield* DynamicPartitions
  const members = yield* membersOf(project, request)
  for (const set of Object.keys(members)) yield* dynamic.replace(set, members[set]!)
  const universe = yield* Situation.universe
  const graph = graphOf(project)
  const plan = yield* Situation.plan(graph, {
    targets: yield* targetsOf(graph, request, universe),
    ancestors: request.select === undefined,
    force: request.force ?? false,
    only: request.only
  }, universe)
  return { graph, plan }
})

/** What `materialize` would do, and why. */
export const plan = <R>(project: Project<R>, request: Request = {}) =>
  Effect.map(prepare(project, request), ({ plan }): Plan.Plan => plan)

/** Every partition that a plan is going to materialize, with the reason, upstream first. */
export const planned = (plan: Plan.Plan) =>
  plan.assets.flatMap(({ asset, reasons }) =>
    reasons.flatMap(({ reason, set }) =>
      Array.from(PartitionSet.texts(set), (partition) => ({ asset: asset.name, partition, reason }))
    )
  )

/**
 * Materializes what is asked for and answers what came of it.
 *
 * A partition that fails does not fail the effect: look at `summary`, or let `output` say it.
 */
export const materialize = <R>(project: Project<R>, request: Request = {}) =>
  Effect.gen(function*() {
    const { graph, plan } = yield* prepare(project, request)
    const declared = Definitions.isDefinitions(project) ? project : undefined
    const events: Array<Event> = []
    const summary = yield* (yield* Executor).execute(plan, {
      concurrency: request.concurrency ?? declared?.concurrency ?? 4,
      pools: request.pools ?? Record.map(declared?.pools ?? {}, ({ slots }) => slots),
      limits: request.limits,
      tags: request.tags,
      priority: request.priority,
      timeout: request.timeout === undefined ? undefined : Duration.fromInputUnsafe(request.timeout),
      request: { asset: request.asset, select: request.select, partition: request.partition },
      observe: (event) => Effect.sync(() => void events.push(event))
    })
    return yield* Run.make(graph, plan, summary, events)
  })
