/**
 * A plan made from standings, which are few numbers for many partitions, equals the plan made from the history of every
 * single partition, whatever happened before. `LAWS=2000 npx vitest run test/runtime/plan/StandingLaws.test.ts` looks
 * longer.
 */
import { expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import type * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../../src/runtime/partition/PartitionSet.ts"
import * as Plan from "../../../src/runtime/plan/Plan.ts"
import type * as Planner from "../../../src/runtime/plan/Planner.ts"
import { Executor } from "../../../src/runtime/run/Executor.ts"
import * as Situation from "../../../src/runtime/run/Situation.ts"
import { DynamicPartitions } from "../../../src/runtime/store/DynamicPartitions.ts"
import { MaterializationStore } from "../../../src/runtime/store/MaterializationStore.ts"
import * as RandomProject from "../../support/RandomProject.ts"
import * as TestGraph from "../../support/TestGraph.ts"

const CASES = Number(process.env["LAWS"] ?? 120)
const SEED = process.env["SEED"]

const ACTIONS = [
  "everything",
  "part",
  "forced part",
  "content",
  "failing",
  "code",
  "members",
  "dependency",
  "time",
  "overlapping runs",
  "late run"
] as const
const number = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 }))
const Action = Schema.Struct({ kind: Schema.Literals(ACTIONS), a: number, b: number })
type Action = typeof Action.Type

const projects = Arbitrary.array(Arbitrary.schema(RandomProject.Declared), { minLength: 2, maxLength: 4 })
const histories = Arbitrary.array(Arbitrary.schema(Action), { minLength: 1, maxLength: 9 })

interface History {
  readonly declared: ReadonlyArray<RandomProject.Declared>
  readonly world: RandomProject.World
}

const graphOf = ({ declared, world }: History) => RandomProject.graphOf(declared, world)

const requestOf = (graph: AssetGraph.Any, universe: Partitions.Universe, names: ReadonlyArray<string>, part = -1) => {
  const targets = names.map((asset) => {
    const whole = PartitionSet.all(Partitions.space(graph.assets.get(asset)!.dimensions, universe))
    const size = PartitionSet.size(whole)
    return { asset, set: part < 0 || size === 0 ? whole : PartitionSet.slice(whole, part % size, 1 + part % 4) }
  })
  return { targets, ancestors: true, force: false } satisfies Planner.Request
}

const nameAt = (graph: AssetGraph.Any, at: number): string => [...graph.assets.keys()][at % graph.assets.size]!

const planOf = Effect.fnUntraced(function*(history: History, options: Partial<Planner.Request>, at = -1, part = -1) {
  const graph = graphOf(history)
  const universe = yield* Situation.universe
  const names = at < 0 ? [...graph.assets.keys()] : [nameAt(graph, at)]
  return yield* Situation.plan(graph, { ...requestOf(graph, universe, names, part), ...options }, universe)
})

const execute = (plan: Plan.Plan, concurrency = 3) =>
  Effect.flatMap(Executor, (executor) =>
    executor.execute(plan as Plan.Plan<never>, {
      concurrency,
      pools: {},
      request: {},
      observe: () => Effect.void
    }))

/** A plan remembers what it looked at; the comparison must not mend what it compares. */
const unseen = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(
    MaterializationStore,
    (store) => Effect.provideService(effect, MaterializationStore, { ...store, apply: () => Effect.void })
  )

const shown = (plan: Plan.Plan) =>
  plan.assets.map(({ asset, blocked, reasons, upToDate }) => ({
    asset: asset.name,
    upToDate,
    reasons: reasons.map(({ reason, set }) => `${JSON.stringify(reason)} ${PartitionSet.toText(set)}`).sort(),
    blocked: blocked.map(({ set, why }) => `${why}: ${PartitionSet.toText(set)}`).sort()
  }))

const compare = Effect.fnUntraced(function*(history: History, after: Action) {
  const requests = [
    planOf(history, {}),
    planOf(history, {}, after.a),
    planOf(history, { ancestors: false }, after.b),
    planOf(history, { ancestors: false, force: true }, after.a + 1)
  ]
  expect(shown(yield* unseen(requests[0]!))).toEqual(shown(yield* unseen(requests[0]!)))
  for (const request of requests) {
    expect(shown(yield* unseen(request))).toEqual(shown(yield* TestGraph.byHistory(request)))
  }
})

/** Lets other fibers go on until they wait for something. */
const settle = Effect.forEach(Array.from({ length: 60 }), () => Effect.yieldNow, { discard: true })

const gated = Effect.fnUntraced(function*(
  history: History,
  first: Plan.Plan,
  second: Effect.Effect<Plan.Plan, unknown, never>
) {
  const gate = yield* Deferred.make<void>()
  history.world.gate = gate
  const one = yield* Effect.forkChild(execute(first))
  yield* settle
  history.world.gate = undefined
  const two = yield* Effect.forkChild(Effect.flatMap(second, (plan) => execute(plan)))
  yield* settle
  yield* Deferred.succeed(gate, undefined)
  yield* Fiber.join(one)
  yield* Fiber.join(two)
})

const change = (world: RandomProject.World, id: string, by: number) =>
  world.content.set(id, (world.content.get(id) ?? 0) + by)

/** Partitions of an asset by a number: a few of them. */
const some = Effect.fnUntraced(function*(history: History, { a, b }: Action) {
  const graph = graphOf(history)
  const asset = graph.assets.get(nameAt(graph, a))!
  const whole = PartitionSet.all(Partitions.space(asset.dimensions, yield* Situation.universe))
  const set = PartitionSet.slice(whole, b % Math.max(1, PartitionSet.size(whole)), 1 + b % 3)
  return [...PartitionSet.texts(set)].map((text) => `${asset.name}/${text}`)
})

const act = Effect.fnUntraced(function*(history: History, action: Action) {
  const { a, b, kind } = action
  const { world } = history
  switch (kind) {
    case "everything": {
      yield* execute(yield* planOf(history, {}))
      if (world.failing.size === 0) {
        const left = yield* planOf(history, {})
        expect(left.assets.flatMap(({ asset, reasons }) => reasons.map(({ reason }) => [asset.name, reason]))).toEqual(
          []
        )
      }
      return
    }
    case "part":
      return yield* execute(yield* planOf(history, { ancestors: b % 4 !== 0 }, a, b))
    case "forced part":
      return yield* execute(yield* planOf(history, { force: true, ancestors: b % 2 === 0 }, a, b))
    case "content":
      for (const id of yield* some(history, action)) change(world, id, 1 + b % 2)
      return
    case "failing":
      if (world.failing.size > 0) world.failing.clear()
      else for (const id of yield* some(history, action)) world.failing.add(id)
      return
    case "code":
      world.code.set(`a${a % history.declared.length}`, b % 3)
      return
    case "members":
      return yield* (yield* DynamicPartitions).replace("members", RandomProject.membersOf(a))
    case "dependency":
      world.extended.add(a % history.declared.length)
      return
    case "time":
      return yield* TestClock.adjust(`${1 + a % 90} hours`)
    case "overlapping runs": {
      for (const id of yield* some(history, action)) change(world, id, 1)
      const second = planOf(history, { force: b % 2 === 0 }, b, b) as Effect.Effect<Plan.Plan>
      return yield* gated(history, yield* planOf(history, { force: a % 2 === 0 }, a, a), second)
    }
    case "late run": {
      // The plan is made, then the world moves on and another run goes by, and then the plan is run.
      const late = yield* planOf(history, { force: a % 2 === 0 }, a)
      yield* TestClock.adjust(`${b % 60} hours`)
      for (const id of yield* some(history, action)) change(world, id, 1)
      if (b % 3 === 0) yield* (yield* DynamicPartitions).replace("members", RandomProject.membersOf(b))
      yield* execute(yield* planOf(history, {}))
      return yield* execute(late)
    }
  }
})

const tell = Effect.fnUntraced(
  function*(declared: ReadonlyArray<RandomProject.Declared>, actions: ReadonlyArray<Action>) {
    yield* TestClock.setTime(RandomProject.BEGIN)
    yield* (yield* DynamicPartitions).replace("members", RandomProject.membersOf(5))
    const history: History = { declared, world: RandomProject.makeWorld() }
    for (const action of actions) {
      yield* act(history, action)
      yield* compare(history, action)
    }
  }
)

it.effect.prop(
  "a plan made from standings equals the plan made from the history of every partition",
  { declared: projects, actions: histories },
  ({ actions, declared }) => tell(declared, actions).pipe(Effect.provide(TestGraph.layerMemory)) as Effect.Effect<void>,
  { arbitrary: { runs: CASES, ...(SEED === undefined ? {} : { seed: SEED }) }, timeout: 20_000 + CASES * 1000 }
)
