import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Memory from "../../../src/layers/alerts/Memory.ts"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import { ChannelError, Misconfigured, Refused, Unavailable } from "../../../src/runtime/automation/AlertChannels.ts"
import * as Incident from "../../../src/runtime/automation/Incident.ts"
import { AlertStore } from "../../../src/runtime/store/AlertStore.ts"
import * as CommandLine from "../../support/CommandLine.ts"
import { finding, said } from "../../support/TestAlerts.ts"

const graph = AssetGraph.make(Asset.make("bars", {}, () => Effect.void))

const failing = (name: string, reason: ChannelError["reason"]) =>
  Memory.make({ name, answer: () => Effect.fail(new ChannelError({ channel: name, reason })) })

const mistaken = new Misconfigured({ text: "Slack answered 404: no_service", fix: "make a new one" })

it.effect("where nothing happened, nothing needs anybody", () =>
  Effect.gen(function*() {
    const { run } = yield* CommandLine.make(graph)
    const ended = yield* run("alert", "list")
    expect(ended).toMatchObject({ code: 0, stdout: "Nothing needs you.\n\nNo channel is configured." })
    expect(JSON.parse((yield* run("alert", "list", "--json")).stdout)).toEqual({ incidents: [], channels: [] })
  }).pipe(Effect.scoped))

it.effect("what goes on is listed with the command to look closer, and what could not be told with why", () =>
  Effect.gen(function*() {
    const { inMemory, run } = yield* CommandLine.make(graph, [Memory.make({ name: "slack" }), Memory.make()])
    yield* inMemory(Effect.gen(function*() {
      const store = yield* AlertStore
      yield* store.attach("slack")
      yield* store.observe([finding(), finding({ at: 1 }), finding({ incident: "freshness/bars", severity: "warn" })])
      const refused = Incident.told((yield* store.find("freshness/bars"))!, 0, undefined, "invalid_blocks")
      yield* store.delivered("slack", [{ incident: "freshness/bars", told: refused }])
      yield* store.failed("slack", { failures: 3, error: "status 503", nextAt: 600_000 })
    }))
    yield* TestClock.adjust("1 second")
    const { code, stdout } = yield* run("alert", "list")
    expect(code).toBe(0)
    expect(stdout.split("\n").map((line) => line.replace(/ {2,}/g, " | "))).toEqual([
      "incident | severity | since | times | what | look closer",
      "freshness/bars | warn | 1970-01-01 00:00Z | 1 | schedule weekly failed | barograph run show r0",
      "run/schedule/weekly | error | 1970-01-01 00:00Z | 2 | schedule weekly failed | barograph run show r1",
      "",
      "channel | last told | undelivered | why",
      "slack | 1970-01-01 00:00Z | 1 | status 503; 3 attempts failed, the next is at 1970-01-01 00:10Z; " +
      "freshness/bars was not accepted: invalid_blocks",
      "memory | never | 2 | waits for the daemon"
    ])
    expect(JSON.parse((yield* run("alert", "list", "--json")).stdout)).toMatchObject({
      incidents: [{ incident: "freshness/bars" }, {
        incident: "run/schedule/weekly",
        count: 2,
        command: "barograph run show r1"
      }],
      channels: [
        { channel: "slack", error: "status 503", undelivered: [{ incident: "run/schedule/weekly", change: "opened" }] },
        { channel: "memory", undelivered: [{}, {}] }
      ]
    })
  }).pipe(Effect.scoped))

it.effect("a test goes through every channel, and is kept nowhere", () =>
  Effect.gen(function*() {
    const channels = [Memory.make({ name: "slack" }), Memory.make({ name: "webhook" })]
    const { run } = yield* CommandLine.make(graph, channels)
    const ended = yield* run("alert", "test")
    expect(ended.code).toBe(0)
    expect(ended.stdout).toMatch(/ok +slack +arrived\nok +webhook +arrived/)
    for (const { heard } of channels) expect(heard.map(({ message }) => said(message))).toEqual(["event test"])
    expect(JSON.parse((yield* run("alert", "list", "--json")).stdout)).toMatchObject({ incidents: [] })
  }).pipe(Effect.scoped))

it.effect("a test that nobody answers says which address to look at", () =>
  Effect.gen(function*() {
    const down = failing("webhook", new Unavailable({ text: "cannot be reached" }))
    const hook = { ...down, setting: "BAROGRAPH_ALERT_WEBHOOK" }
    const slack = failing("slack", new Unavailable({ text: "status 503" }))
    const { code, stderr } = yield* (yield* CommandLine.make(graph, [Memory.make(), hook, slack])).run("alert", "test")
    expect([code, stderr.split("\n").at(-1)]).toEqual([
      4,
      "see that the address of webhook (BAROGRAPH_ALERT_WEBHOOK), slack is right and can be reached from here; " +
      "then barograph alert test"
    ])
  }).pipe(Effect.scoped))

it.effect("a test that does not arrive says what was answered and what to do, and ends with the code of its class", () =>
  Effect.gen(function*() {
    const down = failing("webhook", new Unavailable({ text: "status 503" }))
    const ended = yield* (yield* CommandLine.make(graph, [Memory.make(), down])).run("alert", "test")
    expect(ended).toMatchObject({
      code: 4,
      stdout: expect.stringMatching(/ok +memory +arrived\nbad +webhook +status 503/)
    })
    expect(ended.stderr).toContain("1 of 2 channels did not take the message")
    const mixed = yield* (yield* CommandLine.make(graph, [down, failing("slack", mistaken)])).run(
      "alert",
      "test",
      "--json"
    )
    expect(mixed.code).toBe(3)
    expect(mixed.stderr).toContain("make a new one")
    expect(JSON.parse(mixed.stdout)).toEqual([
      { channel: "webhook", ok: false, said: "status 503", fix: "" },
      { channel: "slack", ok: false, said: "Slack answered 404: no_service", fix: "make a new one" }
    ])
    const refusing = failing("slack", new Refused({ text: "invalid_blocks" }))
    expect((yield* (yield* CommandLine.make(graph, [refusing])).run("alert", "test")).code).toBe(3)
    expect(yield* (yield* CommandLine.make(graph)).run("alert", "test")).toMatchObject({ code: 3 })
  }).pipe(Effect.scoped))
