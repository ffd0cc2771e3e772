/** Reads from the store what the planner must know: who the members are, what the code versions are, how things stand. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Asset from "../asset/Asset.ts"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import * as Metadata from "../asset/Metadata.ts"
import * as Partitions from "../partition/Partitions.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import * as Demand from "../plan/Demand.ts"
import type { Plan } from "../plan/Plan.ts"
import * as Planner from "../plan/Planner.ts"
import * as Staleness from "../plan/Staleness.ts"
import { DynamicPartitions } from "../store/DynamicPartitions.ts"
import { MaterializationStore, type States } from "../store/MaterializationStore.ts"
import { RunStore } from "../store/RunStore.ts"
import type { StoreError } from "../store/StoreError.ts"
import { message } from "./CauseText.ts"
import { memorableAt, outcomesOf } from "./StepOutcome.ts"

/** Code versions are effects, and some failed, or did not end. */
export class CodeVersionError extends Schema.TaggedError<CodeVersionError>()("CodeVersionError", {
  /** Of the first one. */
  message: Schema.String,
  /** Why, by asset. */
  failed: Schema.Record(Schema.String, Schema.String)
}) {}

export const universe = Effect.gen(function*() {
  const dynamic = yield* DynamicPartitions
  return { now: yield* Clock.currentTimeMillis, members: yield* dynamic.all } satisfies Partitions.Universe
})

/** What exists by now, after the configured members have become those of the store. */
export const settled = Effect.fnUntraced(function*<E>(
  configured: Effect.Effect<{ readonly [set: string]: ReadonlyArray<Partitions.Member> }, E>
) {
  const dynamic = yield* DynamicPartitions
  for (const [set, members] of Object.entries(yield* configured)) yield* dynamic.replace(set, members)
  return yield* universe
})

/** Longer than what asks a version control or a registry takes; a daemon with conditions would wait for one that hangs. */
const PATIENCE = Duration.seconds(10)

/** Where what they all ask is gone, one after the other would take as long as they are many. */
const AT_A_TIME = 16

/** Code of the project's, whatever it does. */
const codeVersionOf = ({ codeVersion, name }: Asset.Any) =>
  codeVersion.pipe(
    Effect.timeoutOrElse({
      duration: PATIENCE,
      orElse: () => Effect.fail(`no answer within ${Duration.format(PATIENCE)}`)
    }),
    Effect.map((version) => Result.succeed(Metadata.cleanText(version))),
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause as Cause.Cause<never>)
        : Effect.succeed(Result.fail(`code version of ${name}: ${message(cause)}`))
    )
  )

const codeVersions = Effect.fnUntraced(function*(graph: AssetGraph.Any, names: Iterable<string>) {
  const versions: { [asset: string]: string } = {}
  const failed: { [asset: string]: string } = {}
  yield* Effect.forEach(names, (name) =>
    Effect.map(codeVersionOf(graph.assets.get(name)!), (found) => {
      if (Result.isSuccess(found)) versions[name] = found.success
      else failed[name] = found.failure
    }), { concurrency: AT_A_TIME, discard: true })
  const [first] = Object.values(failed)
  return first === undefined ? versions : yield* new CodeVersionError({ message: first, failed })
})

/** How the assets stand, without looking at single partitions. */
export const overview = Effect.fnUntraced(function*(
  graph: AssetGraph.Any,
  names: ReadonlyArray<string>,
  universe: Partitions.Universe
) {
  const spaces = new Map(names.map((name) => [name, Partitions.space(graph.assets.get(name)!.dimensions, universe)]))
  const classes = yield* (yield* MaterializationStore).classes(spaces)
  const numbers = new Set([...classes.values()].flat().map(({ standing }) => standing?.changed ?? 0))
  numbers.delete(0)
  const ends = yield* (yield* RunStore).ends([...numbers])
  return {
    universe,
    codeVersions: yield* codeVersions(graph, names),
    classes: (asset: string) => classes.get(asset) ?? [],
    // What never changed has been read by everybody.
    endOf: (run: number) => run === 0 ? Number.NEGATIVE_INFINITY : ends.get(run) ?? Number.POSITIVE_INFINITY
  } satisfies Planner.Overview
})

const NONE: States = new Map()

/** The states of these partitions, one by one. */
export const statesOf = (wanted: ReadonlyMap<string, PartitionSet.PartitionSet>) =>
  wanted.size === 0 ?
    Effect.succeed(NONE) :
    Effect.flatMap(MaterializationStore, (store) =>
      store.states(new Map([...wanted].map(([asset, set]) => [asset, [...PartitionSet.texts(set)]]))))

/**
 * What had to be compared one by one and is up to date is known by number from now on, but for partitions that grow:
 * those are compared every time.
 */
export const remember = Effect.fnUntraced(function*(assets: Plan["assets"], states: States, number: number) {
  const outcomes = assets.map((one) => {
    const own = states.get(one.asset.name)
    const verified = Array.from(PartitionSet.texts(one.verified), (partition) => ({
      partition,
      at: memorableAt(one, partition, own?.get(partition)?.latest?.materializedAt ?? 0)
    }))
    return outcomesOf(one, { verified })[0]!
  }).filter(({ verified }) => verified.length > 0)
  if (outcomes.length > 0) yield* (yield* MaterializationStore).apply({ runId: "", number }, outcomes)
})

/** The plan for the request as things are now. */
export const plan = <R>(
  graph: AssetGraph.AssetGraph<string, R>,
  request: Planner.Request,
  now: Partitions.Universe
): Effect.Effect<Plan<R>, CodeVersionError | StoreError, R | MaterializationStore | RunStore> =>
  Effect.gen(function*() {
    const asOf = yield* (yield* RunStore).nextNumber
    const names = [...Demand.collect(graph, request.targets, now).keys()]
    const view = yield* overview(graph, names, now) as Effect.Effect<Planner.Overview, CodeVersionError, R>
    const states = yield* statesOf(Planner.unclear(graph, request, view))
    const made = Planner.plan(graph, request, {
      ...view,
      stateOf: (asset, partition) => states.get(asset)?.get(partition) ?? Staleness.unknown
    })
    yield* remember(made.assets, states, asOf)
    return made
  })
