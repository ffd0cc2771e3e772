/**
 * A condition evaluated on sets answers what it answers when it is worked out partition by partition, from a log of what
 * happened, over random graphs, histories and conditions. `LAWS=2000 npx vitest run
 * test/runtime/automation/EvaluationLaws.test.ts` looks longer.
 */
import { expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import type * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as Condition from "../../../src/runtime/asset/Condition.ts"
import * as ConditionReading from "../../../src/runtime/automation/ConditionReading.ts"
import type { State } from "../../../src/runtime/automation/ConditionState.ts"
import * as Wave from "../../../src/runtime/automation/Wave.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../../src/runtime/partition/PartitionSet.ts"
import type * as Plan from "../../../src/runtime/plan/Plan.ts"
import type * as Planner from "../../../src/runtime/plan/Planner.ts"
import * as Staleness from "../../../src/runtime/plan/Staleness.ts"
import { Executor } from "../../../src/runtime/run/Executor.ts"
import * as Situation from "../../../src/runtime/run/Situation.ts"
import { DynamicPartitions } from "../../../src/runtime/store/DynamicPartitions.ts"
import { MaterializationStore } from "../../../src/runtime/store/MaterializationStore.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as ConditionOracle from "../../support/ConditionOracle.ts"
import * as RandomProject from "../../support/RandomProject.ts"
import * as TestGraph from "../../support/TestGraph.ts"

const CASES = Number(process.env["LAWS"] ?? 100)
const SEED = process.env["SEED"]

const ACTIONS = [
  "run",
  "forced run",
  "content",
  "failing",
  "code",
  "members",
  "time",
  "unfinished run",
  "nothing"
] as const
const number = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 }))
const Action = Schema.Struct({ kind: Schema.Literals(ACTIONS), a: number, b: number, inProgress: number })
type Action = typeof Action.Type

/** Where the last dimension is a set, its members' order makes partitions suspects: of these it is not known when they changed. */
const SHAPES = [0, 1, 2, 3, 4, 5, 8]

const projects = Arbitrary.array(Arbitrary.schema(RandomProject.Declared), { minLength: 2, maxLength: 4 })
const histories = Arbitrary.array(Arbitrary.schema(Action), { minLength: 2, maxLength: 9 })
const conditions = Arbitrary.array(Arbitrary.schema(number), { minLength: 8, maxLength: 24 })

const LEAVES = [
  Condition.missing,
  Condition.failed,
  Condition.outdated,
  Condition.inProgress,
  Condition.newlyUpdated,
  Condition.newlyUpdated,
  Condition.newlyRequested,
  Condition.initial,
  Condition.inLatestWindow(),
  Condition.inLatestWindow("2 days"),
  Condition.cronTickPassed("0 5 * * *", "America/New_York")
]

/** A condition from numbers: small numbers make small conditions. */
const conditionOf = (numbers: ReadonlyArray<number>): Condition.Condition => {
  let at = 0
  const next = () => numbers[at++ % numbers.length]!
  const make = (depth: number): Condition.Condition => {
    const choice = depth === 0 || at >= numbers.length ? 0 : next() % 10
    switch (choice) {
      case 1:
        return Condition.not(make(depth - 1))
      case 2:
        return Condition.and(make(depth - 1), make(depth - 1))
      case 3:
        return Condition.or(make(depth - 1), make(depth - 1))
      case 4:
        return Condition.since(make(depth - 1), make(depth - 1))
      case 5:
        return Condition.newly(make(depth - 1))
      case 6:
        return Condition.anyDeps(make(depth - 1))
      case 7:
        return Condition.allDeps(make(depth - 1))
      case 8:
        return Condition.label(make(depth - 1), "named")
      case 9:
        return [Condition.eager, Condition.onMissing][next() % 2]!
      default:
        return LEAVES[next() % LEAVES.length]!
    }
  }
  return make(4)
}

interface History {
  readonly declared: ReadonlyArray<RandomProject.Declared>
  readonly world: RandomProject.World
  readonly changes: Array<string>
}

const graphOf = ({ declared, world }: History) => RandomProject.graphOf(declared, world)

const execute = ({ changes }: History, plan: Plan.Plan, concurrency = 3) =>
  Effect.flatMap(Executor, (executor) =>
    executor.execute(plan as Plan.Plan<never>, {
      concurrency,
      pools: {},
      request: {},
      observe: (event) =>
        Effect.sync(() => {
          if (event.type !== "Materialized") return
          for (const { changed, partition } of event.results) if (changed) changes.push(`${event.asset}/${partition}`)
        })
    }))

const assetAt = (history: History, at: number): Asset.Any => {
  const { assets } = graphOf(history)
  return [...assets.values()][at % assets.size]!
}

/** A few partitions of an asset, by numbers. */
const some = (asset: Asset.Any, universe: Partitions.Universe, at: number): PartitionSet.PartitionSet => {
  const whole = PartitionSet.all(Partitions.space(asset.dimensions, universe))
  return PartitionSet.slice(whole, at % Math.max(1, PartitionSet.size(whole)), 1 + at % 5)
}

const planOf = Effect.fnUntraced(function*(history: History, { a, b }: Action, options: Partial<Planner.Request>) {
  const universe = yield* Situation.universe
  const asset = assetAt(history, a)
  const set = b % 3 === 0 ? PartitionSet.all(Partitions.space(asset.dimensions, universe)) : some(asset, universe, b)
  const targets = [{ asset: asset.name, set }]
  const request = { targets, ancestors: b % 4 !== 0, force: false, ...options }
  return yield* Situation.plan(graphOf(history), request, universe)
})

const yields = (count: number) =>
  Effect.forEach(Array.from({ length: count }), () => Effect.yieldNow, { discard: true })

const ids = (history: History, { a, b }: Action) =>
  Effect.map(Situation.universe, (universe) => {
    const asset = assetAt(history, a)
    return [...PartitionSet.texts(some(asset, universe, b))].map((text) => `${asset.name}/${text}`)
  })

const act = Effect.fnUntraced(
  function*(history: History, action: Action, between: Effect.Effect<void, unknown, never>) {
    const { a, b, kind } = action
    const { world } = history
    switch (kind) {
      case "run":
        return yield* execute(history, yield* planOf(history, action, {}))
      case "forced run":
        return yield* execute(history, yield* planOf(history, action, { force: true }))
      case "content":
        for (const id of yield* ids(history, action)) world.content.set(id, (world.content.get(id) ?? 0) + 1)
        return
      case "failing":
        if (world.failing.size > 0) world.failing.clear()
        else for (const id of yield* ids(history, action)) world.failing.add(id)
        return
      case "code":
        return void world.code.set(`a${a % history.declared.length}`, b % 3)
      case "members":
        return yield* (yield* DynamicPartitions).replace("members", RandomProject.membersOf(a))
      case "time":
        return yield* TestClock.adjust(`${1 + a % 90} hours`)
      case "unfinished run": {
        // Stops half-way, is looked at, and goes on; another run goes by meanwhile.
        const gate = yield* Deferred.make<void>()
        const plan = yield* planOf(history, action, { force: a % 2 === 0 })
        for (const id of yield* ids(history, action)) world.content.set(id, (world.content.get(id) ?? 0) + 1)
        const called = world.calls.length
        const run = yield* Effect.forkChild(execute(history, plan, 1))
        for (let waited = 0; waited < 200 && world.calls.length <= called + b % 4; waited++) yield* Effect.yieldNow
        world.gate = gate
        yield* yields(100)
        yield* between
        world.gate = undefined
        if (b % 2 === 0) yield* Effect.forkChild(execute(history, yield* planOf(history, { ...action, a: b }, {})))
        yield* yields(b % 40)
        yield* Deferred.succeed(gate, undefined)
        return yield* Fiber.join(run)
      }
    }
  }
)

/** What the oracle looks at. */
const worldOf = Effect.fnUntraced(
  function*(history: History, universe: Partitions.Universe, inProgress: ReadonlySet<string>) {
    const graph = graphOf(history)
    const all = new Map([...graph.assets.values()].map((asset) => [
      asset.name,
      PartitionSet.all(Partitions.space(asset.dimensions, universe))
    ]))
    const texts = new Map([...all].map(([asset, set]) => [asset, [...PartitionSet.texts(set)]]))
    const states = yield* (yield* MaterializationStore).states(texts)
    const stale = new Map<string, ReadonlySet<string>>()
    for (const [asset, set] of all) {
      const request = { targets: [{ asset, set }], ancestors: false, force: false, only: "stale" as const }
      const plan = yield* TestGraph.byHistory(Situation.plan(graph, request, universe))
      stale.set(asset, new Set(plan.assets.flatMap(({ planned }) => [...PartitionSet.texts(planned)])))
    }
    return {
      universe,
      stale,
      inProgress,
      changes: [...history.changes],
      stateOf: (asset, partition) => states.get(asset)?.get(partition) ?? Staleness.unknown
    } satisfies ConditionOracle.World
  }
)

interface Compared {
  state: State | undefined
  memory: ConditionOracle.Memory | undefined
}

const texts = (set: PartitionSet.PartitionSet) => [...PartitionSet.texts(set)].sort()

const compare = Effect.fnUntraced(function*(
  history: History,
  condition: Condition.Condition,
  compared: Compared,
  busy: number
) {
  const universe = yield* Situation.universe
  const number = yield* (yield* RunStore).nextNumber
  const graph = graphOf(history)
  const names = new Set(graph.assets.keys())
  const owner = { ...[...graph.assets.values()].at(-1)!, automation: condition }
  const inProgress = new Map(
    [...graph.assets.values()].flatMap((asset, at) =>
      (busy >> at) % 3 === 0 ? [[asset.name, some(asset, universe, busy)] as const] : []
    )
  )
  const words = [...inProgress].flatMap(([asset, set]) =>
    [...PartitionSet.texts(set)].map((text) => `${asset}/${text}`)
  )
  const world = yield* worldOf(history, universe, new Set(words))
  const { situation } = yield* ConditionReading.read(graph, names, names, universe)
  const known = { situation, number, inProgress, windows: new Map() }
  const { evaluations: [evaluation] } = Wave.evaluate([owner], known, () => compared.state)
  const oracle = ConditionOracle.evaluate(condition, owner, world, compared.memory)
  expect({ of: Condition.fingerprint(condition), set: texts(evaluation!.requested) }).toEqual({
    of: Condition.fingerprint(condition),
    set: [...oracle.requested].sort()
  })
  // What is stored is all that is known at the next evaluation.
  compared.state = JSON.parse(JSON.stringify(evaluation!.state)) as State
  compared.memory = oracle.memory
})

const tell = Effect.fnUntraced(function*(
  declared: ReadonlyArray<RandomProject.Declared>,
  condition: Condition.Condition,
  actions: ReadonlyArray<Action>
) {
  yield* TestClock.setTime(RandomProject.BEGIN)
  yield* (yield* DynamicPartitions).replace("members", RandomProject.membersOf(5))
  const shaped = declared.map((one) => ({ ...one, shape: SHAPES[one.shape % SHAPES.length]! }))
  const history: History = { declared: shaped, world: RandomProject.makeWorld(), changes: [] }
  const compared: Compared = { state: undefined, memory: undefined }
  for (const action of actions) {
    const looked = compare(history, condition, compared, action.inProgress)
    yield* act(history, action, looked as Effect.Effect<void, unknown, never>)
    yield* looked
  }
})

const options = {
  arbitrary: { runs: CASES, ...(SEED === undefined ? {} : { seed: SEED }) },
  timeout: 20_000 + CASES * 1000
}

it.effect.prop(
  "a condition evaluated on sets answers what it answers for each partition alone",
  { declared: projects, numbers: conditions, actions: histories },
  ({ actions, declared, numbers }) =>
    tell(declared, conditionOf(numbers), actions).pipe(
      Effect.provide(TestGraph.layerMemory)
    ) as Effect.Effect<void>,
  options
)

const unfinished = Arbitrary.array(
  Arbitrary.schema(Schema.Struct({ ...Action.fields, kind: Schema.Literals(["unfinished run", "run", "content"]) })),
  { minLength: 2, maxLength: 8 }
)

it.effect.prop(
  "what changes while a run goes on is new once, whenever it is looked at",
  { declared: projects, actions: unfinished },
  ({ actions, declared }) =>
    tell(declared, Condition.or(Condition.newlyUpdated, Condition.anyDeps(Condition.newlyUpdated)), actions).pipe(
      Effect.provide(TestGraph.layerMemory)
    ) as Effect.Effect<void>,
  options
)

const READY = [
  Condition.eager,
  Condition.onMissing,
  Condition.onCron("0 */5 * * *", { zone: "Europe/Berlin", lookback: "3 days" })
]

/** What was asked for is in progress, or was tried and nothing came of it: neither is a cause. */
const askAgain = Effect.fnUntraced(function*(history: History, at: number, compared: Compared) {
  const universe = yield* Situation.universe
  const graph = graphOf(history)
  const names = new Set(graph.assets.keys())
  const owner = { ...[...graph.assets.values()].at(-1)!, automation: READY[at % READY.length]! }
  let inProgress: ReadonlyMap<string, PartitionSet.PartitionSet> = new Map()
  const asked: Array<number> = []
  for (let round = 0; round < 3; round++) {
    const number = yield* (yield* RunStore).nextNumber
    const { situation } = yield* ConditionReading.read(graph, names, names, universe)
    const known = { situation, number, inProgress, windows: new Map() }
    const { evaluations: [evaluation] } = Wave.evaluate([owner], known, () => compared.state)
    compared.state = JSON.parse(JSON.stringify(evaluation!.state)) as State
    asked.push(PartitionSet.size(evaluation!.requested))
    inProgress = round === 0 ? new Map([[owner.name, evaluation!.requested]]) : new Map()
  }
  expect(asked.slice(1)).toEqual([0, 0])
})

it.effect.prop(
  "what was asked for is not asked for again without a cause",
  { declared: projects, at: Arbitrary.schema(number), actions: histories },
  ({ actions, at, declared }) =>
    Effect.gen(function*() {
      yield* TestClock.setTime(RandomProject.BEGIN)
      yield* (yield* DynamicPartitions).replace("members", RandomProject.membersOf(5))
      const shaped = declared.map((one) => ({ ...one, shape: SHAPES[one.shape % SHAPES.length]! }))
      const history: History = { declared: shaped, world: RandomProject.makeWorld(), changes: [] }
      const compared: Compared = { state: undefined, memory: undefined }
      for (const action of actions) {
        yield* act(history, action, Effect.void)
        yield* askAgain(history, at, compared)
      }
    }).pipe(Effect.provide(TestGraph.layerMemory)) as Effect.Effect<void>,
  options
)
