/**
 * The daemon's concern with conditions: evaluates each once at the start, then those that look at something that changed,
 * and asks for what comes of it. What is remembered, recorded and asked for is one transaction.
 *
 * What changed is told by the store: runs that began or ended since the last look, members of sets, and the clock, which
 * has a heap of instants at which windows end and crons tick. Signals only say that it is worth looking.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import type * as Partitions from "../partition/Partitions.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import type * as Demand from "../plan/Demand.ts"
import { RunRequest } from "../plan/RunRequest.ts"
import * as Heap from "../run/Heap.ts"
import * as RunId from "../run/RunId.ts"
import * as Situation from "../run/Situation.ts"
import { AlertStore } from "../store/AlertStore.ts"
import { ConditionStore, type Evaluated } from "../store/ConditionStore.ts"
import type { MaterializationStore } from "../store/MaterializationStore.ts"
import { type RequestedRun, type Run, RunStore } from "../store/RunStore.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as AlertPolicy from "./AlertPolicy.ts"
import * as Brake from "./Brake.ts"
import * as ConditionReading from "./ConditionReading.ts"
import type { State } from "./ConditionState.ts"
import * as ConditionState from "./ConditionState.ts"
import type * as ConditionView from "./ConditionView.ts"
import type { Evaluation } from "./Evaluation.ts"
import * as InProgress from "./InProgress.ts"
import * as Schedule from "./Schedule.ts"
import { TAG } from "./Ticker.ts"
import * as Watch from "./Watch.ts"
import * as Watchers from "./Watchers.ts"
import * as Wave from "./Wave.ts"

interface Requested extends RequestedRun {
  readonly request: RunRequest
}

/** What came of a look that evaluated something. */
export interface Looked {
  /** How many conditions were evaluated. */
  readonly evaluated: number
  readonly requested: ReadonlyArray<Requested>
}

interface Due {
  readonly at: number
  readonly asset: string
}

/** What is known between two looks. */
interface Memory {
  readonly graph: AssetGraph.Any
  readonly fenced: Watch.Fenced
  readonly watchers: Watchers.Watchers
  readonly states: Map<string, State>
  readonly windows: ConditionView.Known["windows"]
  readonly due: Heap.Heap<Due>
  /** The one instant of each asset that counts; others in the heap are of earlier evaluations. */
  readonly dueOf: Map<string, number>
  /** Runs that had not ended, with the assets that they name. */
  going: ReadonlyMap<string, ReadonlyArray<string>>
  members: string
  /** Of the last look, epoch milliseconds. */
  now: number
  /** Of the last look; undefined before the first. */
  number: number | undefined
  /** Runs that ended by the last look: some of them are found again by the next. */
  ended: ReadonlySet<string>
  /** Assets whose conditions could not be evaluated. */
  readonly failing: Set<string>
}

interface Going {
  readonly runId: string
  readonly targets: ReadonlyArray<Demand.Target>
}

/** Those that were cut off and are to be taken up again go on, too. */
const goingOn = Effect.fnUntraced(function*(graph: AssetGraph.Any, universe: Partitions.Universe) {
  const found = yield* (yield* RunStore).unfinished({})
  return found.map(({ request, runId }): Going => ({
    runId,
    targets: InProgress.targetsOf(graph, request, universe)
  }))
})

/** The assets of which a run may have changed something: of one whose process is gone, its events know. */
const changedBy = ({ runId, totals }: Run) => {
  if (typeof totals === "object" && totals !== null) return Effect.succeed(Object.keys(totals))
  return Effect.map(
    Effect.flatMap(RunStore, (runs) => runs.events(runId)),
    (events) => events.flatMap(({ event }) => "asset" in event ? [event.asset] : [])
  )
}

/** Those that are in one of the two and not in the other. */
const difference = (before: Memory["going"], now: Memory["going"]): ReadonlyArray<string> => [
  ...[...before].flatMap(([runId, assets]) => now.has(runId) ? [] : assets),
  ...[...now].flatMap(([runId, assets]) => before.has(runId) ? [] : assets)
]

const takeDue = ({ due, dueOf }: Memory, now: number): ReadonlyArray<string> => {
  const found: Array<string> = []
  while (due.items.length > 0 && due.items[0]!.at <= now) {
    const { asset, at } = Heap.pop(due)!
    if (dueOf.get(asset) !== at) continue
    dueOf.delete(asset)
    found.push(asset)
  }
  return found
}

const setDue = ({ due, dueOf }: Memory, asset: string, at: number): void => {
  if (dueOf.get(asset) === at) return
  dueOf.delete(asset)
  if (!Number.isFinite(at)) return
  dueOf.set(asset, at)
  Heap.push(due, { asset, at })
}

/** When a condition could not be evaluated, it is tried again. */
const AGAIN = 60_000

interface Readable {
  readonly names: ReadonlyArray<string>
  readonly read: ConditionReading.Read
  /** Those left for later, and why. */
  readonly failed: ReadonlyMap<string, string>
}

/** What can be read; conditions that look at an asset of which something cannot be had are left for later. */
const readable = (
  memory: Memory,
  names: ReadonlyArray<string>,
  universe: Partitions.Universe,
  failed: ReadonlyMap<string, string> = new Map()
): Effect.Effect<Readable, StoreError, RunStore | MaterializationStore> =>
  ConditionReading.read(
    memory.graph,
    new Set(names.flatMap((name) => [...memory.watchers.looksAt(name)])),
    new Set(names.flatMap((name) => [...memory.watchers.judges(name)])),
    universe
  ).pipe(
    Effect.map((read): Readable => ({ names, read, failed })),
    Effect.catchTag(["CodeVersionError", "LookError"], (error) => {
      const later = new Map(
        Object.entries(error.failed).flatMap(([asset, why]) =>
          memory.watchers.watchers(asset).map((name): [string, string] => [name, why])
        )
      )
      const left = names.filter((name) => !later.has(name))
      const found = names.flatMap((name): ReadonlyArray<[string, string]> => {
        const why = later.get(name)
        return why === undefined ? [] : [[name, why]]
      })
      return readable(memory, left, universe, new Map([...failed, ...found]))
    })
  )

/** Those that could not be evaluated are told, and that they can be again. */
const tell = Effect.fnUntraced(
  function*(memory: Memory, evaluated: ReadonlyArray<string>, failed: ReadonlyMap<string, string>, at: number) {
    const well = evaluated.filter((name) => memory.failing.has(name))
    if (well.length + failed.size === 0) return
    for (const [name, error] of failed) {
      yield* Effect.logWarning(`condition of ${name}: ${error}`)
      setDue(memory, name, at + AGAIN)
    }
    const findings = [...well.map((name) => [name, undefined] as const), ...failed].flatMap(([name, error]) =>
      AlertPolicy.ofTick({ kind: "condition", name, at, error })
    )
    yield* memory.fenced((yield* AlertStore).observe(findings))
    for (const name of well) memory.failing.delete(name)
    for (const name of failed.keys()) memory.failing.add(name)
  }
)

/** A run that was cut off is taken up again so often: its request is not made anew. */
const ATTEMPTS = 3

/** Several assets have one run, so it is marked with the first of them. */
const requestedRun = (one: Wave.Request, runId: string): Requested => ({
  runId,
  runKey: one.runKey,
  request: one.request,
  tags: { [TAG]: `condition/${one.assets[0]}` },
  priority: 0,
  attempts: ATTEMPTS
})

const evaluatedOf = ({ asset, isNews, requested, state }: Evaluation, runId: string | undefined): Evaluated => ({
  asset: asset.name,
  state,
  record: isNews
    ? {
      at: state.at,
      condition: state.condition,
      count: PartitionSet.size(requested),
      partitions: ConditionState.toText(requested),
      runId,
      answer: state.answer
    }
    : undefined
})

const write = Effect.fnUntraced(function*(memory: Memory, wave: Wave.Wave) {
  const [store, runs] = [yield* ConditionStore, yield* RunStore]
  const stateOf = (asset: string) => memory.states.get(asset)
  const requests = Wave.requests(wave, stateOf)
  const ids = yield* RunId.several(requests.length)
  const requested = requests.map((one, at) => requestedRun(one, ids[at]!))
  const runOf = new Map(
    requests.flatMap(({ assets }, at) => assets.map((asset): [string, string] => [asset, requested[at]!.runId]))
  )
  const saved = store.save(wave.evaluations.map((one) => evaluatedOf(one, runOf.get(one.asset.name))))
  yield* memory.fenced(requested.length === 0 ? saved : Effect.andThen(saved, runs.request(requested)))
  for (const { asset, changesAt, state } of wave.evaluations) {
    memory.states.set(asset.name, state)
    setDue(memory, asset.name, changesAt)
  }
  return requested
})

const evaluate = Effect.fnUntraced(function*(
  memory: Memory,
  asked: ReadonlyArray<string>,
  going: ReadonlyArray<Going>,
  moment: { readonly universe: Partitions.Universe; readonly number: number }
) {
  const { graph } = memory
  const { failed, names, read } = yield* readable(memory, asked, moment.universe)
  const wave = Wave.evaluate(
    names.map((name) => graph.assets.get(name)!),
    {
      situation: read.situation,
      number: moment.number,
      inProgress: InProgress.sets(going.flatMap(({ targets }) => targets)),
      windows: memory.windows
    },
    (asset) => memory.states.get(asset)
  )
  yield* Situation.remember(wave.plans, read.states, moment.number)
  const requested = yield* write(memory, wave)
  const evaluated = wave.evaluations.map(({ asset }) => asset.name)
  yield* tell(memory, evaluated, new Map([...failed, ...wave.failed]), moment.universe.now)
  return { evaluated: names.length, requested }
})

/** The conditions that look at something which changed since the last look; all of them at the first, or by another clock. */
const concerned = Effect.fnUntraced(function*(
  memory: Memory,
  going: Memory["going"],
  ended: ReadonlyArray<Run>,
  universe: Partitions.Universe
) {
  const due = takeDue(memory, universe.now)
  const members = JSON.stringify(universe.members)
  // What is due by a clock that was wrong is not due by this one.
  const isSetBack = universe.now + Schedule.WRONG < memory.now
  const isNew = memory.number === undefined || memory.members !== members || isSetBack
  memory.members = members
  memory.now = universe.now
  if (isNew) return memory.watchers.names
  const changed = yield* Effect.forEach(ended, changedBy)
  const assets = new Set([...difference(memory.going, going), ...changed.flat()])
  return memory.watchers.ordered([...due, ...[...assets].flatMap((asset) => memory.watchers.watchers(asset))])
})

const decode = Schema.decodeUnknownOption(RunRequest)

/** The assets whose conditions asked for the run. */
const askedIn = ({ request, runKey }: Run): ReadonlyArray<string> =>
  runKey?.startsWith(Wave.KEY) !== true ?
    [] :
    Option.match(decode(request), {
      onNone: () => [],
      onSome: ({ targets = [] }) => targets.map(({ asset }) => asset)
    })

/** Each run counts once, and not before its partitions have ceased to be in progress. */
const countFailures = (memory: Memory, going: Memory["going"], ended: ReadonlyArray<Run>): void => {
  const over = ended.filter(({ runId }) => !going.has(runId)).sort((a, b) => a.endedAt! - b.endedAt!)
  for (const run of over.filter(({ runId }) => !memory.ended.has(runId))) {
    for (const asset of askedIn(run)) {
      const state = memory.states.get(asset)
      if (state !== undefined) {
        memory.states.set(asset, { ...state, failures: Brake.after(state.failures, run, asset) })
      }
    }
  }
  memory.ended = new Set(over.map(({ runId }) => runId))
}

/**
 * The number is taken first and runs that go on are read before those that ended: a run whose end was not committed yet
 * is found among either those or these, now or next time.
 */
const look = Effect.fnUntraced(function*(memory: Memory, observe: (looked: Looked) => Effect.Effect<void>) {
  const universe = yield* Situation.universe
  const number = yield* (yield* RunStore).nextNumber
  const going = yield* goingOn(memory.graph, universe)
  const named = new Map(going.map(({ runId, targets }) => [runId, targets.map(({ asset }) => asset)]))
  const ended = memory.number === undefined ? [] : yield* (yield* RunStore).endedSince(memory.number)
  countFailures(memory, named, ended)
  const names = yield* concerned(memory, named, ended, universe)
  if (names.length > 0) yield* observe(yield* evaluate(memory, names, going, { universe, number }))
  memory.going = named
  memory.number = number
  return memory.due.items[0]?.at
})

const start = Effect.fnUntraced(function*(graph: AssetGraph.Any, fenced: Watch.Fenced) {
  const states = yield* (yield* ConditionStore).states
  const open = yield* (yield* AlertStore).open
  return {
    graph,
    fenced,
    watchers: Watchers.make(graph),
    states: new Map(states),
    windows: new Map(),
    due: Heap.make((a, b) => a.at - b.at),
    dueOf: new Map(),
    going: new Map(),
    members: "",
    now: 0,
    number: undefined,
    ended: new Set(),
    failing: new Set(open.flatMap(({ incident }) => AlertPolicy.conditionOf(incident) ?? []))
  } satisfies Memory as Memory
})

const log = ({ requested }: Looked): Effect.Effect<void> =>
  Effect.forEach(
    requested,
    ({ request: { targets = [] }, runId }) =>
      Effect.logInfo(`conditions ask for ${targets.map(({ asset }) => asset).join(", ")}: run ${runId}`),
    {
      discard: true
    }
  )

/** Whoever runs it again, after it failed or elsewhere, loses nothing and repeats nothing. */
export const run = <R>(
  graph: AssetGraph.AssetGraph<string, R>,
  fenced: Watch.Fenced,
  observe: (looked: Looked) => Effect.Effect<void> = log
) =>
  Effect.flatMap(
    start(graph, fenced),
    (memory) => Watch.watch(({ _tag }) => _tag !== "BackfillChanged", look(memory, observe))
  )
