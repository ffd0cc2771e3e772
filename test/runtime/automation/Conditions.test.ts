import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Condition from "../../../src/runtime/asset/Condition.ts"
import * as Schedule from "../../../src/runtime/automation/Schedule.ts"
import * as PartitionMapping from "../../../src/runtime/partition/PartitionMapping.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import { AlertStore } from "../../../src/runtime/store/AlertStore.ts"
import { ConditionStore } from "../../../src/runtime/store/ConditionStore.ts"
import { DynamicPartitions } from "../../../src/runtime/store/DynamicPartitions.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import * as TestConditions from "../../support/TestConditions.ts"
import * as TestGraph from "../../support/TestGraph.ts"

const Content = Schema.Struct({ v: Schema.Finite })
const day = Partitions.daily({ start: "2026-03-01" })

/** Three assets in a row and one that reads the first and the last of them; `source` has the content that the test says. */
const project = (automation: Condition.Condition) => {
  const world = { content: 1, failing: new Set<string>() }
  const source = Asset.make(
    "source",
    { partitions: { day }, output: Content, dataVersion: "v" as never },
    () => Effect.sync(() => ({ v: world.content }))
  )
  const make = (name: string, deps: { readonly [name: string]: Asset.Any }) =>
    Asset.make(
      name,
      { partitions: { day }, output: Content, deps, automation } as {},
      () => world.failing.has(name) ? Effect.fail(`${name} is broken`) : Effect.succeed({ v: 1 } as never)
    ) as Asset.Any
  const middle = make("middle", { source })
  const last = make("last", { middle })
  const both = make("both", { source, middle })
  return { world, graph: AssetGraph.make(source, last, both) as AssetGraph.AssetGraph<string, never> }
}

const targets = (asked: ReadonlyArray<TestConditions.Asked>) => asked.map((one) => one.targets)

const inMemory = <A, E>(effect: Effect.Effect<A, E, Scope.Scope | Effect.Services<typeof scene>>) =>
  effect.pipe(Effect.scoped, Effect.provide(TestGraph.layerMemory))

const scene = Effect.gen(function*() {
  yield* TestClock.setTime(Date.parse("2026-03-04T12:00:00Z"))
  const { graph, world } = project(Condition.eager)
  yield* TestGraph.materialize(graph, { assets: ["source"] })
  const daemon = yield* TestConditions.daemon(graph)
  /** The source of a day gets other content. */
  const change = (partition: string) =>
    Effect.suspend(() => {
      world.content++
      return Effect.andThen(TestGraph.materialize(graph, { assets: ["source"], partition, force: true }), daemon.settle)
    })
  return { graph, world, daemon, change }
})

it.effect("what reads a source follows it, one generation after the other, and once", () =>
  inMemory(Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-03-04T12:00:00Z"))
    const { graph, world } = project(Condition.eager)
    const daemon = yield* TestConditions.daemon(graph)
    expect(daemon.asked).toEqual([])
    yield* TestGraph.materialize(graph, { assets: ["source"] })
    yield* daemon.settle
    const days = "day=2026-03-01..2026-03-03"
    expect(targets(daemon.asked)).toEqual([{ middle: days }, { last: days, both: days }])
    yield* daemon.settle
    expect(daemon.asked).toHaveLength(2)
    world.content = 2
    yield* TestGraph.materialize(graph, { assets: ["source"], partition: "day=2026-03-02", force: true })
    yield* daemon.settle
    expect(targets(daemon.asked).slice(2)).toEqual([
      { middle: "day=2026-03-02" },
      { last: "day=2026-03-02", both: "day=2026-03-02" }
    ])
    expect(daemon.asked.every(({ force }) => !force)).toBe(true)
  })))

it.effect("of what was missing before, the first evaluation takes the latest window, and leaves the rest to backfills", () =>
  inMemory(Effect.gen(function*() {
    const { daemon } = yield* scene
    expect(targets(daemon.asked)).toEqual([{ middle: "day=2026-03-03" }, {
      last: "day=2026-03-03",
      both: "day=2026-03-03"
    }])
  })))

it.effect("content that comes out equal asks for nothing", () =>
  inMemory(Effect.gen(function*() {
    const { daemon, graph } = yield* scene
    const before = daemon.asked.length
    yield* TestGraph.materialize(graph, { assets: ["source"], force: true })
    yield* daemon.settle
    expect(daemon.asked).toHaveLength(before)
  })))

it.effect("what failed is asked for again when an input changed, and not before", () =>
  inMemory(Effect.gen(function*() {
    const { change, daemon, world } = yield* scene
    const before = daemon.asked.length
    const [middle, both] = [{ middle: "day=2026-03-03" }, { both: "day=2026-03-03" }]
    world.failing.add("middle")
    // `both` reads the source too: with what `middle` was before.
    yield* change("day=2026-03-03")
    expect(targets(daemon.asked).slice(before)).toEqual([middle, both])
    for (let hour = 0; hour < 11; hour++) {
      yield* TestClock.adjust("1 hour")
      yield* daemon.settle
    }
    expect(daemon.asked).toHaveLength(before + 2)
    yield* change("day=2026-03-03")
    expect(targets(daemon.asked).slice(before + 2)).toEqual([middle, both])
    world.failing.clear()
    yield* change("day=2026-03-03")
    expect(targets(daemon.asked).slice(before + 4)).toEqual([middle, { last: "day=2026-03-03", ...both }])
  })))

it.effect("a new window waits until its input is there", () =>
  inMemory(Effect.gen(function*() {
    const { daemon, graph } = yield* scene
    const before = daemon.asked.length
    yield* TestClock.adjust("12 hours")
    yield* daemon.settle
    expect(daemon.asked).toHaveLength(before)
    yield* TestGraph.materialize(graph, { assets: ["source"] })
    yield* daemon.settle
    expect(targets(daemon.asked).slice(before)).toEqual([
      { middle: "day=2026-03-04" },
      { last: "day=2026-03-04", both: "day=2026-03-04" }
    ])
  })))

it.effect("a restart repeats nothing, and loses nothing of what happened while nobody looked", () =>
  inMemory(Effect.gen(function*() {
    const { change, daemon, graph } = yield* scene
    const before = daemon.asked.length
    yield* daemon.stop
    yield* daemon.start()
    yield* daemon.settle
    expect(daemon.asked).toHaveLength(before)
    yield* daemon.stop
    yield* change("day=2026-03-02")
    yield* TestClock.adjust("2 days")
    yield* TestGraph.materialize(graph, { assets: ["source"] })
    expect(daemon.asked).toHaveLength(before)
    yield* daemon.start()
    yield* daemon.settle
    const days = "day=2026-03-02,day=2026-03-04..2026-03-05"
    expect(targets(daemon.asked).slice(before)).toEqual([{ middle: days }, { last: days, both: days }])
  })))

it.effect("a window that ended while nobody looked is asked for, although it is not the latest any more", () =>
  inMemory(Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-03-04T12:00:00Z"))
    const root = Asset.make("root", { partitions: { day }, automation: Condition.eager }, () => Effect.void)
    const daemon = yield* TestConditions.daemon(AssetGraph.make(root))
    yield* daemon.stop
    yield* TestClock.adjust("3 days")
    yield* daemon.start()
    expect(targets(daemon.asked)).toEqual([{ root: "day=2026-03-03" }, { root: "day=2026-03-04..2026-03-06" }])
  })))

it.effect("a changed asset has those evaluated that look at it, and nobody else", () =>
  inMemory(Effect.gen(function*() {
    const root = Asset.make("root", { output: Content, dataVersion: "v" }, () => Effect.succeed({ v: 1 }))
    const others = Array.from(
      { length: 50 },
      (_, at) => Asset.make(`other_${at}`, { automation: Condition.eager }, () => Effect.void)
    )
    const reader = Asset.make("reader", { deps: { root }, automation: Condition.eager }, () => Effect.void)
    const graph = AssetGraph.make(reader, ...others)
    const daemon = yield* TestConditions.daemon(graph)
    yield* daemon.settle
    expect(daemon.evaluated[0]).toBe(51)
    const before = daemon.evaluated.length
    yield* TestGraph.materialize(graph, { assets: ["root"] })
    yield* daemon.settle
    // When the root changed, when the reader was asked for, and when its run ended.
    expect(daemon.evaluated.slice(before)).toEqual([1, 1, 1])
  })))

it.effect("a look is taken now and then, should signals be lost", () =>
  inMemory(Effect.gen(function*() {
    const { daemon, graph, world } = yield* scene
    yield* daemon.stop
    yield* daemon.start({ hears: false })
    const before = daemon.asked.length
    world.content = 7
    yield* TestGraph.materialize(graph, { assets: ["source"], partition: "day=2026-03-01", force: true })
    yield* daemon.settle
    expect(daemon.asked).toHaveLength(before)
    yield* TestClock.adjust("30 seconds")
    yield* daemon.settle
    expect(targets(daemon.asked)[before]).toEqual({ middle: "day=2026-03-01" })
  })))

it.effect("a code version that cannot be had keeps back its own asset, until it can", () =>
  inMemory(Effect.gen(function*() {
    const code = { isThere: false }
    const codeVersion = Effect.suspend(() => code.isThere ? Effect.succeed("1") : Effect.fail("no such file"))
    const broken = Asset.make("broken", { codeVersion, automation: Condition.eager }, () => Effect.void)
    const fine = Asset.make("fine", { automation: Condition.eager }, () => Effect.void)
    const daemon = yield* TestConditions.daemon(AssetGraph.make(broken, fine))
    expect(targets(daemon.asked)).toEqual([{ fine: "*" }])
    code.isThere = true
    yield* TestClock.adjust("1 minute")
    yield* daemon.settle
    expect(targets(daemon.asked)).toEqual([{ fine: "*" }, { broken: "*" }])
  })))

const troubles = Effect.flatMap(
  AlertStore,
  ({ open }) => Effect.map(open, (all) => all.map(({ incident, lines }) => [incident, ...lines]))
)

it.effect("a condition that cannot be evaluated, for code of the project's throws, is told and keeps back no other", () =>
  inMemory(Effect.gen(function*() {
    const world = { isBroken: true }
    const values = (s: string) => {
      if (world.isBroken && s === "c") throw new Error("no plant is called c")
      return [s]
    }
    const plant = Asset.make("plant", { partitions: { p: Partitions.statics(["a", "b", "c"]) } }, () => Effect.void)
    const mapped = Asset.make("mapped", {
      partitions: { s: Partitions.statics(["a", "b", "c"]) },
      deps: { plant: Asset.mapped(plant, { p: PartitionMapping.custom("s", "1", values) }) },
      automation: Condition.or(Condition.eager, Condition.missing)
    }, () => Effect.void)
    const codeVersion = Effect.suspend(() =>
      world.isBroken ? Effect.die(new Error("no such file")) : Effect.succeed("1")
    )
    const versioned = Asset.make("versioned", { codeVersion, automation: Condition.eager }, () => Effect.void)
    const fine = Asset.make("fine", { automation: Condition.eager }, () => Effect.void)
    const graph = AssetGraph.make(mapped, versioned, fine) as AssetGraph.AssetGraph<string, never>
    yield* TestGraph.materialize(graph, { assets: ["plant"] })
    const daemon = yield* TestConditions.daemon(graph)
    yield* daemon.settle
    expect(targets(daemon.asked)).toEqual([{ fine: "*" }])
    const found = [
      ["tick/condition/mapped", "no plant is called c"],
      ["tick/condition/versioned", "code version of versioned: no such file"]
    ]
    expect(yield* troubles).toEqual(found)
    yield* TestClock.adjust("10 minutes")
    yield* daemon.settle
    expect(targets(daemon.asked)).toEqual([{ fine: "*" }])
    expect(yield* troubles).toEqual(found)
    yield* daemon.stop
    world.isBroken = false
    yield* TestClock.adjust("1 second")
    yield* daemon.start()
    yield* daemon.settle
    expect(targets(daemon.asked).slice(1)).toEqual([{ mapped: "s=a,s=b,s=c", versioned: "*" }])
    expect(yield* troubles).toEqual([])
  })))

it.effect("a code version that never comes is waited for ten seconds, and keeps back its own asset", () =>
  inMemory(Effect.gen(function*() {
    const hangs = Asset.make("hangs", { codeVersion: Effect.never, automation: Condition.eager }, () => Effect.void)
    const fine = Asset.make("fine", { automation: Condition.eager }, () => Effect.void)
    const daemon = yield* TestConditions.daemon(AssetGraph.make(hangs, fine))
    yield* TestClock.adjust("10 seconds")
    yield* daemon.settle
    expect(targets(daemon.asked)).toEqual([{ fine: "*" }])
    expect(yield* troubles).toEqual([
      ["tick/condition/hangs", "code version of hangs: no answer within 10s"]
    ])
  })))

it.effect("many code versions that never come, for what they all ask is gone, are not waited for one after the other", () =>
  inMemory(Effect.gen(function*() {
    const hanging = Array.from(
      { length: 12 },
      (_, at) => Asset.make(`hangs${at}`, { codeVersion: Effect.never, automation: Condition.eager }, () => Effect.void)
    )
    const fine = Asset.make("fine", { automation: Condition.eager }, () => Effect.void)
    const daemon = yield* TestConditions.daemon(AssetGraph.make(fine, ...hanging))
    yield* TestClock.adjust("10 seconds")
    yield* daemon.settle
    expect(targets(daemon.asked)).toEqual([{ fine: "*" }])
    expect(yield* troubles).toHaveLength(12)
  })))

it.effect("what runs are to make that were cut off is asked of the store at once, however many they are", () =>
  inMemory(Effect.gen(function*() {
    const runs = yield* RunStore
    const root = Asset.make("root", { automation: Condition.eager }, () => Effect.void)
    const request = Schedule.requestOf({ assets: ["root"] })
    const ids = ["r1", "r2", "r3"]
    yield* runs.request(
      ids.map((runId) => ({ runId, runKey: runId, request, tags: {}, priority: 0, attempts: 2 }))
    )
    yield* Effect.forEach(ids, (runId) => runs.end(runId, "interrupted", {}))
    let found = 0
    const find = (runId: string) => Effect.andThen(Effect.sync(() => void found++), runs.find(runId))
    const daemon = yield* Effect.provideService(TestConditions.daemon(AssetGraph.make(root)), RunStore, {
      ...runs,
      find
    })
    yield* daemon.settle
    expect([daemon.evaluated, daemon.asked, found]).toEqual([[1], [], 0])
  })))

it.effect("a member that comes later has its partitions asked for, and takes nobody else's place", () =>
  inMemory(Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-03-03T12:00:00Z"))
    const dynamic = yield* DynamicPartitions
    const member = Partitions.dynamic("members")
    yield* dynamic.replace("members", [{ value: "a" }, { value: "c" }])
    const root = Asset.make("root", { partitions: { member, day }, automation: Condition.eager }, () => Effect.void)
    const daemon = yield* TestConditions.daemon(AssetGraph.make(root))
    yield* dynamic.replace("members", [{ value: "a" }, { value: "b" }, { value: "c" }])
    yield* TestClock.adjust("30 seconds")
    yield* daemon.settle
    expect(targets(daemon.asked)).toEqual([
      { root: "member=a,member=c,day=2026-03-02" },
      { root: "member=b,day=2026-03-01..2026-03-02" }
    ])
  })))

/** An asset that is asked for as long as it is missing, and fails until the test says otherwise. */
const insistent = () => {
  const world = { failing: true }
  const root = (automation: Condition.Condition) =>
    Asset.make("root", { automation }, () => world.failing ? Effect.fail("broken") : Effect.void)
  return { world, graph: (automation = Condition.missing) => AssetGraph.make(root(automation)) }
}

const BEGIN = Date.parse("2026-03-04T12:00:00Z")

/** A second at a time; answers when it was asked for in it, in seconds from the beginning. */
const passed = Effect.fnUntraced(function*(daemon: TestConditions.Daemon, seconds: number) {
  const before = daemon.asked.length
  for (let second = 0; second < seconds; second++) {
    yield* TestClock.adjust("1 second")
    yield* daemon.settle
  }
  return daemon.asked.slice(before).map(({ at }) => (Date.parse(at) - BEGIN) / 1000)
})

it.effect("what fails and would be asked for again at once is asked for less and less often, also after a restart", () =>
  inMemory(Effect.gen(function*() {
    yield* TestClock.setTime(BEGIN)
    const { graph, world } = insistent()
    const daemon = yield* TestConditions.daemon(graph())
    yield* daemon.settle
    expect(daemon.asked).toHaveLength(1)
    expect(yield* passed(daemon, 20)).toEqual([2, 6, 14])
    yield* daemon.stop
    yield* daemon.start()
    expect(yield* passed(daemon, 50)).toEqual([30, 62])
    world.failing = false
    yield* TestClock.adjust("10 minutes")
    yield* daemon.settle
    expect(daemon.asked).toHaveLength(7)
    const state = yield* Effect.flatMap(ConditionStore, (store) => store.state("root"))
    expect(state!.failures).toBeUndefined()
  })))

it.effect("the wait after failures grows to ten minutes, and is looked at when it is over and not before", () =>
  inMemory(Effect.gen(function*() {
    yield* TestClock.setTime(BEGIN)
    const daemon = yield* TestConditions.daemon(insistent().graph())
    yield* TestClock.adjust("2 hours")
    yield* daemon.settle
    const at = daemon.asked.map((one) => (Date.parse(one.at) - BEGIN) / 1000)
    expect(at.slice(0, 12)).toEqual([0, 2, 6, 14, 30, 62, 126, 254, 510, 1022, 1622, 2222])
    // When it was asked for, when that failed, and when the wait was over, which asks for it: never in between.
    expect(daemon.evaluated.length).toBeLessThanOrEqual(3 * at.length)
  })))

it.effect("a condition that is declared anew waits for no failures of the one before", () =>
  inMemory(Effect.gen(function*() {
    yield* TestClock.setTime(BEGIN)
    const { graph } = insistent()
    const daemon = yield* TestConditions.daemon(graph())
    expect(yield* passed(daemon, 20)).toEqual([2, 6, 14])
    yield* daemon.stop
    const other = yield* TestConditions.daemon(
      graph(Condition.and(Condition.missing, Condition.not(Condition.inProgress)))
    )
    expect(other.asked).toHaveLength(1)
  })))

it.effect("what comes to hold while it waits after a failure is as new afterwards", () =>
  inMemory(Effect.gen(function*() {
    yield* TestClock.setTime(BEGIN)
    const { graph } = insistent()
    const ticked = Condition.cronTickPassed("* * * * *", "UTC")
    const again = Condition.and(Condition.newly(Condition.failed), Condition.not(Condition.inProgress))
    const daemon = yield* TestConditions.daemon(graph(Condition.or(Condition.initial, again, ticked)))
    expect(daemon.asked).toHaveLength(1)
    expect((yield* passed(daemon, 61)).slice(0, 2)).toEqual([2, 60])
  })))
