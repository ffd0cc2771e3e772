import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Schedule from "../../../src/runtime/automation/Schedule.ts"
import * as Sensor from "../../../src/runtime/automation/Sensor.ts"
import { AutomationStore } from "../../../src/runtime/store/AutomationStore.ts"
import * as CommandLine from "../../support/CommandLine.ts"

const graph = AssetGraph.make(Asset.make("bars", {}, () => Effect.void))

const schedule = (name: string, request: Schedule.Options["request"]) =>
  Schedule.make(name, { cron: "0 6 * * *", zone: "UTC", request })

const sensor = (name: string, answer: unknown) =>
  Sensor.make(name, { every: "1 minute" }, () => Effect.succeed(answer as Sensor.Found))

const commands = CommandLine.make(graph, [], [
  schedule("daily", { assets: ["bars"] }),
  schedule("broken", () => {
    throw new Error("no such day")
  }),
  schedule("strange", () => ({ assets: "bars" as never })),
  Schedule.make("minutely", { cron: "* * * * *", zone: "UTC", request: { assets: ["bars"] } }),
  sensor("files", { cursor: "b", runs: [{ runKey: "b", assets: ["bars"] }] }),
  sensor("mute", undefined),
  sensor("counting", { cursor: 7 }),
  sensor("keyless", { runs: [{ assets: ["bars"] }] })
])

it.effect("a tick by hand asks for a run, or says why the schedule cannot", () =>
  Effect.gen(function*() {
    const { run } = yield* commands
    expect((yield* run("schedule", "tick", "daily")).stdout).toMatch(/^Run \S+ is asked for; a daemon takes it/)
    const fix = "mend its request in the definitions"
    expect(yield* run("schedule", "tick", "broken")).toEqual({
      code: 1,
      stdout: "",
      stderr: `broken: its request throws: Error: no such day\n${fix}`
    })
    expect(yield* run("schedule", "tick", "strange")).toEqual({
      code: 1,
      stdout: "",
      stderr: `strange: its request cannot be used: assets is "bars": expected array.\n${fix}`
    })
    expect(JSON.parse((yield* run("run", "list", "--json")).stdout)).toHaveLength(1)
  }).pipe(Effect.scoped))

it.effect("the latest run is canceled by that name", () =>
  Effect.gen(function*() {
    const { run } = yield* commands
    expect(yield* run("run", "cancel", "latest")).toMatchObject({ code: 2 })
    const { runId } = JSON.parse((yield* run("schedule", "tick", "daily", "--json")).stdout)
    expect(yield* run("run", "cancel", "latest")).toMatchObject({ code: 0, stdout: expect.stringContaining(runId) })
    expect(JSON.parse((yield* run("run", "show", "latest", "--json")).stdout)).toMatchObject({
      runId,
      status: "canceled"
    })
    expect(yield* run("run", "cancel", "latest")).toMatchObject({
      code: 2,
      stderr: "Run \"latest\" is not running.\nbarograph run list"
    })
  }).pipe(Effect.scoped))

it.effect("a sensor is tried, and what is wrong with its answer is said", () =>
  Effect.gen(function*() {
    const { run } = yield* commands
    expect((yield* run("sensor", "test", "files")).stdout).toBe("cursor - -> b\nrun b {\"assets\":[\"bars\"]}")
    const said = (name: string) =>
      Effect.map(run("sensor", "test", name), ({ code, stderr }) => [code, stderr.trimEnd()])
    const start = "what it answers cannot be used:"
    expect(yield* said("mute")).toEqual([1, `mute: ${start} its answer is undefined: expected object.`])
    expect(yield* said("counting")).toEqual([1, `counting: ${start} cursor is 7: expected string.`])
    expect(yield* said("keyless")).toEqual([1, `keyless: ${start} runs[0].runKey is undefined: expected a value.`])
  }).pipe(Effect.scoped))

it.effect("a preview looks from a day to ten years ahead", () =>
  Effect.gen(function*() {
    const { run } = yield* commands
    const due = JSON.parse((yield* run("schedule", "preview", "daily", "--days", "3660", "--json")).stdout)
    expect(due).toHaveLength(3660)
    const minutely = yield* run("schedule", "preview", "minutely", "--days", "3660", "--json")
    expect(JSON.parse(minutely.stdout)).toHaveLength(10_000)
    expect(minutely.stderr).toBe("only the first 10000 ticks: give fewer --days")
    for (const days of ["0", "-1", "3661", "99999999"]) {
      expect(yield* run("schedule", "preview", `--days=${days}`)).toMatchObject({
        code: 2,
        stderr: `--days ${days} is no number of days from 1 to 3660\n--days 14`
      })
    }
  }).pipe(Effect.scoped))

it.effect("while the definitions cannot be read, what is remembered is listed, and can be paused", () =>
  Effect.gen(function*() {
    const { inMemory, run, runUnreadable } = yield* commands
    yield* run("schedule", "pause", "daily")
    const tick = { name: "schedule/minutely", due: 60_000, at: 61_000, outcome: "requested", why: undefined } as const
    yield* inMemory(
      Effect.flatMap(
        AutomationStore,
        (store) => store.record(tick.name, { since: tick.due }, [{ ...tick, runs: ["r1"] }])
      )
    )
    yield* TestClock.adjust("2 minutes")
    const said = "the definitions cannot be read, this is what is remembered: own.ts does not parse. Fix: see own.ts"
    const { code, stderr, stdout } = yield* runUnreadable("schedule", "list")
    expect([code, stderr]).toEqual([0, said])
    expect(stdout.split("\n").map((line) => line.replace(/ {2,}/g, " | "))).toEqual([
      "schedule | when | next | last tick | what it is",
      "daily | - | paused | -",
      "minutely | - | - | 1970-01-01 00:01:01Z requested r1"
    ])
    expect(JSON.parse((yield* runUnreadable("schedule", "list", "--json")).stdout)).toMatchObject([
      { name: "daily", when: null, paused: true, next: null, last: null },
      { name: "minutely", when: null, paused: null, next: null, last: { outcome: "requested", runs: ["r1"] } }
    ])
    expect(yield* runUnreadable("sensor", "list")).toMatchObject({ code: 0, stdout: "There is no sensor." })
    expect((yield* runUnreadable("schedule", "history", "minutely")).stdout).toContain("requested r1")
    expect(yield* runUnreadable("schedule", "pause", "minutely")).toMatchObject({ code: 0, stderr: said })
    expect(JSON.parse((yield* run("schedule", "list", "--json")).stdout)).toContainEqual(
      expect.objectContaining({ name: "minutely", paused: true })
    )
    expect(yield* runUnreadable("schedule", "history", "hourly")).toMatchObject({
      code: 2,
      stderr: `${said}\nThere is no schedule "hourly".\nthere are: daily, minutely`
    })
  }).pipe(Effect.scoped))
