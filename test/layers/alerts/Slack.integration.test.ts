import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Slack from "../../../src/layers/alerts/Slack.ts"
import type * as Alert from "../../../src/runtime/automation/Alert.ts"
import * as AlertChannels from "../../../src/runtime/automation/AlertChannels.ts"
import * as AlertPolicy from "../../../src/runtime/automation/AlertPolicy.ts"
import * as Incident from "../../../src/runtime/automation/Incident.ts"
import * as Notifier from "../../../src/runtime/automation/Notifier.ts"
import { AlertStore } from "../../../src/runtime/store/AlertStore.ts"
import { RunStore } from "../../../src/runtime/store/RunStore.ts"
import type { Reply } from "../../support/PostServer.ts"
import * as SlackServer from "../../support/SlackServer.ts"
import { finding, MINUTE } from "../../support/TestAlerts.ts"

const notice = (change: Alert.Notice["change"], thread?: string): Alert.Message => ({
  _tag: "Notice",
  notice: {
    ...Incident.notice(Incident.apply(undefined, finding(), 0)!, undefined, change),
    lines: ["<!channel> & *bold* ```fence``` @here"],
    thread
  }
})

const flood: Alert.Message = {
  _tag: "Flood",
  flood: { notices: [], more: 40, open: 40, resolved: 0, command: "barograph alert list" }
}

const webhookOf = (url: string) => Effect.provide(Slack.webhook(Redacted.make(url)), FetchHttpClient.layer)

const botOf = (api: string, of: Partial<Slack.Bot> = {}) =>
  Effect.provide(
    Slack.bot({ token: Redacted.make(SlackServer.TOKEN), to: SlackServer.CHANNEL, baseUrl: api, ...of }),
    FetchHttpClient.layer
  )

/** What becomes of a message after these answers. */
const answered = (channel: AlertChannels.Channel, slack: SlackServer.Slack, reply: Reply) =>
  Effect.suspend(() => {
    slack.faults.push(reply)
    return Effect.map(Effect.flip(channel.send(notice("opened"))), ({ reason }) => reason)
  })

it.live("a webhook takes every kind of message, and nobody is called by what an error says", () =>
  Effect.gen(function*() {
    const slack = yield* SlackServer.serve
    const channel = yield* webhookOf(slack.webhook)
    for (const change of ["opened", "worse", "continues", "resolved", "event"] as const) {
      expect(yield* channel.send(notice(change))).toBeUndefined()
    }
    yield* channel.send(flood)
    expect(slack.messages).toHaveLength(6)
    expect(slack.messages.flatMap(SlackServer.calls)).toEqual([])
    const [first] = slack.messages
    expect(first!.text).toBe("schedule weekly failed: &lt;!channel&gt; &amp; *bold* ```fence``` @here")
    expect(JSON.stringify(first!.blocks)).toContain("run/schedule/weekly")
    expect(JSON.stringify(first!.blocks)).toContain("barograph run show r0")
  }).pipe(Effect.scoped))

it.live("a bot keeps an incident in a thread, and tells its end to the whole channel", () =>
  Effect.gen(function*() {
    const slack = yield* SlackServer.serve
    const channel = yield* botOf(slack.api)
    const thread = yield* channel.send(notice("opened"))
    expect(yield* channel.send(notice("continues", thread))).toBe(thread)
    expect(yield* channel.send(notice("resolved", thread))).toBe(thread)
    expect(slack.messages.map((one) => [one.thread, one.broadcast])).toEqual([
      [undefined, false],
      [thread, false],
      [thread, true]
    ])
  }).pipe(Effect.scoped))

it.live("when the thread is gone, the message begins another one", () =>
  Effect.gen(function*() {
    const slack = yield* SlackServer.serve
    const channel = yield* botOf(slack.api)
    const thread = yield* channel.send(notice("opened"))
    slack.forget()
    const another = yield* channel.send(notice("resolved", thread))
    expect(another).toBe(slack.messages[1]!.ts)
    expect(slack.messages.map((one) => one.thread)).toEqual([undefined, undefined])
  }).pipe(Effect.scoped))

it.live("what a webhook answers is an outage, a setting or a message that cannot be", () =>
  Effect.gen(function*() {
    const slack = yield* SlackServer.serve
    const channel = yield* webhookOf(slack.webhook)
    const of = (reply: Reply) => answered(channel, slack, reply)
    expect(yield* of({ status: 429, body: "rate_limited", headers: { "retry-after": "7" } })).toMatchObject({
      _tag: "Unavailable",
      retryAfterMillis: 7000
    })
    expect(yield* of({ status: 429, body: "" })).toMatchObject({ _tag: "Unavailable", retryAfterMillis: 30_000 })
    expect(yield* of({ status: 503, body: "<html>" })).toEqual(
      new AlertChannels.Unavailable({ text: "status 503" })
    )
    expect(yield* of({ status: 400, body: "invalid_payload" })).toEqual(
      new AlertChannels.Refused({ text: "Slack answered 400: invalid_payload" })
    )
    for (const body of ["no_service", "channel_is_archived", "invalid_token", "action_prohibited"]) {
      const reason = yield* of({ status: body === "no_service" ? 404 : 403, body })
      expect(reason).toMatchObject({ _tag: "Misconfigured", text: expect.stringContaining(body) })
    }
    expect(yield* of({ status: 302, body: "", headers: { location: `${slack.server.origin}/elsewhere` } }))
      .toMatchObject({
        _tag: "Misconfigured"
      })
    expect(slack.server.calls.map(({ path }) => path)).not.toContain("/elsewhere")
    expect(slack.messages).toEqual([])
  }).pipe(Effect.scoped))

it.live("what the API answers a bot is an outage, a setting or a message that cannot be", () =>
  Effect.gen(function*() {
    const slack = yield* SlackServer.serve
    const channel = yield* botOf(slack.api)
    const of = (error: string) => answered(channel, slack, { body: JSON.stringify({ ok: false, error }) })
    expect(yield* of("ratelimited")).toMatchObject({ _tag: "Unavailable" })
    expect(yield* of("msg_blocks_too_long")).toMatchObject({ _tag: "Refused" })
    expect(yield* of("not_in_channel")).toMatchObject({ fix: expect.stringContaining("BAROGRAPH_SLACK_CHANNEL") })
    expect(yield* of("token_revoked")).toMatchObject({ fix: expect.stringContaining("BAROGRAPH_SLACK_TOKEN") })
    expect(yield* answered(channel, slack, { body: "<html>welcome to the hotel</html>" })).toMatchObject({
      _tag: "Unavailable",
      text: "status 200, and no answer of Slack's"
    })
    const wrong = yield* botOf(slack.api, { token: Redacted.make("xoxb-other") })
    expect((yield* Effect.flip(wrong.send(flood))).reason).toMatchObject({
      _tag: "Misconfigured",
      text: "Slack answered invalid_auth"
    })
    const elsewhere = yield* botOf(slack.api, { to: "nowhere" })
    expect((yield* Effect.flip(elsewhere.send(flood))).reason).toMatchObject({
      fix: expect.stringContaining("BAROGRAPH_SLACK_CHANNEL")
    })
  }).pipe(Effect.scoped))

it.live("no error holds the address, the token, or what a stranger says", () =>
  Effect.gen(function*() {
    const slack = yield* SlackServer.serve
    const echo = `no ${SlackServer.SECRET_PATH} ${SlackServer.TOKEN}`
    const replies: ReadonlyArray<Reply> = [
      { status: 400, body: echo },
      { status: 404, body: echo },
      { status: 500, body: echo },
      { status: 429, body: echo, headers: { "retry-after": echo } },
      { status: 302, body: echo, headers: { location: slack.webhook } },
      { body: JSON.stringify({ ok: false, error: echo }) }
    ]
    const errors: Array<unknown> = []
    for (const channel of [yield* webhookOf(slack.webhook), yield* botOf(slack.api)]) {
      for (const reply of replies) {
        slack.faults.push(reply)
        errors.push(yield* Effect.result(channel.send(flood)))
      }
    }
    const refused = slack.webhook.replace(/:\d+/, ":1")
    errors.push(yield* Effect.result((yield* webhookOf(refused)).send(flood)))
    errors.push(yield* Effect.result((yield* webhookOf(`http://[/${SlackServer.SECRET_PATH}`)).send(flood)))
    const said = errors.map((one) => `${String(one)} ${JSON.stringify(one)}`).join("\n")
    expect(said).toContain("ChannelError")
    expect(said).not.toMatch(/SECRET|services\/T000|xoxb/i)
  }).pipe(Effect.scoped))

/** Tells when something of a channel was recorded. */
const withReceipts = Effect.gen(function*() {
  const store = yield* AlertStore
  const receipts = yield* Queue.unbounded<"delivered" | "failed">()
  const receipt = (what: "delivered" | "failed") => Effect.tap(() => Queue.offer(receipts, what))
  const watched: AlertStore["Service"] = {
    ...store,
    delivered: (...of) => store.delivered(...of).pipe(receipt("delivered")),
    failed: (...of) => store.failed(...of).pipe(receipt("failed"))
  }
  return { receipts, watched }
})

it.effect("Slack answers errors, hangs and asks for patience for an hour, and hears of everything once it is back", () =>
  Effect.gen(function*() {
    const slack = yield* SlackServer.serve
    const { receipts, watched } = yield* withReceipts
    const { observe, run } = yield* Notifier.make({ fenced: (effect) => effect, policy: AlertPolicy.standard }).pipe(
      Effect.provideService(AlertChannels.AlertChannels, [yield* botOf(slack.api)]),
      Effect.provideService(AlertStore, watched)
    )
    yield* Effect.forkScoped(run)
    yield* TestClock.adjust(0)

    yield* observe([finding({ incident: "run/a" })])
    expect(yield* Queue.take(receipts)).toBe("delivered")
    yield* TestClock.adjust("1 minute")

    slack.faults.push({ status: 503, body: "" }, "hang", {
      status: 429,
      body: "",
      headers: { "retry-after": "3000" }
    })
    yield* observe(Array.from({ length: 50 }, (_, n) => finding({ incident: `run/${n}`, at: MINUTE })))
    expect(yield* Queue.take(receipts)).toBe("failed")
    const hanging = yield* Effect.forkChild(slack.server.nextCall, { startImmediately: true })
    yield* TestClock.adjust("5 seconds")
    yield* Fiber.join(hanging)
    yield* TestClock.adjust("10 seconds")
    expect(yield* Queue.take(receipts)).toBe("failed")
    yield* TestClock.adjust("10 seconds")
    expect(yield* Queue.take(receipts)).toBe("failed")
    yield* TestClock.adjust("49 minutes")
    expect(slack.server.calls).toHaveLength(4)
    yield* observe([finding({ incident: "run/a", state: "well", at: 40 * MINUTE })])
    yield* TestClock.adjust("1 minute")
    expect(yield* Queue.take(receipts)).toBe("delivered")
    expect(slack.messages.map(({ text }) => text.split(":")[0])).toEqual([
      "schedule weekly failed",
      "51 alerts at once"
    ])
    expect(slack.messages[1]!.text).toContain("50 open, 1 recovered")
    expect(JSON.stringify(slack.messages[1]!.blocks)).toContain("and 41 more")
  }).pipe(Effect.scoped, Effect.provide(Layer.merge(AlertStore.layerMemory, RunStore.layerMemory))))
