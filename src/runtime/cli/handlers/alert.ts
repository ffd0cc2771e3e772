/** `alert list` and `test`: what needs a person, and whether alerts arrive. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Alert from "../../automation/Alert.ts"
import * as AlertChannels from "../../automation/AlertChannels.ts"
import * as Outbox from "../../automation/Outbox.ts"
import { AlertStore } from "../../store/AlertStore.ts"
import { ApplicationLoader } from "../Application.ts"
import { configuration, Failure } from "../Failure.ts"
import * as AlertText from "../render/AlertText.ts"
import * as Print from "../render/Print.ts"

/** What a channel does not know although it should. */
const standing = Effect.fnUntraced(function*(channel: string) {
  const store = yield* AlertStore
  const now = yield* Clock.currentTimeMillis
  const state = yield* store.channel(channel)
  const pending = yield* store.pending(channel)
  const undelivered = Outbox.overdue(pending, state?.since ?? now, now)
  return {
    channel,
    deliveredAt: state?.deliveredAt,
    failures: state?.failures ?? 0,
    error: state?.error,
    nextAt: state?.nextAt,
    undelivered: undelivered.map(({ due, incident }) => ({ incident: incident.incident, change: due.change })),
    refused: yield* store.refusals(channel)
  } satisfies AlertText.ChannelStanding
})

export const list = Effect.fnUntraced(function*(input: { readonly json: boolean }) {
  const layer = yield* (yield* ApplicationLoader).stores
  const { channels, incidents } = yield* Effect.gen(function*() {
    const incidents = yield* (yield* AlertStore).open
    const channels = yield* Effect.forEach(yield* AlertChannels.AlertChannels, ({ name }) => standing(name))
    return { incidents, channels }
  }).pipe(Effect.provide(layer))
  if (input.json) return yield* Print.json({ incidents, channels })
  yield* Print.lines([...AlertText.incidents(incidents), "", ...AlertText.channels(channels)])
})

const message = (at: number): Alert.Message => ({
  _tag: "Notice",
  notice: {
    kind: "test",
    incident: "test",
    severity: "info",
    change: "event",
    title: "Alerts of barograph arrive here",
    lines: ["This is a test, nothing happened."],
    command: "barograph alert list",
    count: 1,
    openedAt: at,
    at,
    thread: undefined
  }
})

const answered = (sent: Result.Result<string | undefined, AlertChannels.ChannelError>) => {
  if (Result.isSuccess(sent)) return { ok: true, said: "arrived", fix: "" }
  const { reason } = sent.failure
  return { ok: false, said: reason.text, fix: reason._tag === "Misconfigured" ? reason.fix : "" }
}

/** Channels that did not answer, or only that they cannot: their addresses, or what is between here and there. */
const reach = (channels: ReadonlyArray<AlertChannels.Channel>): string => {
  const names = channels.map(({ name, setting }) => setting === undefined ? name : `${name} (${setting})`)
  return `see that the address of ${names.join(", ")} is right and can be reached from here; then barograph alert test`
}

export const test = Effect.fnUntraced(function*(input: { readonly json: boolean }) {
  const layer = yield* (yield* ApplicationLoader).stores
  const channels = yield* Effect.provide(AlertChannels.AlertChannels, layer)
  if (channels.length === 0) {
    return yield* configuration(
      "no channel is configured",
      "set BAROGRAPH_SLACK_WEBHOOK to an incoming webhook of Slack"
    )
  }
  const now = yield* Clock.currentTimeMillis
  const sent = yield* Effect.forEach(
    channels,
    (channel) =>
      Effect.map(Effect.result(AlertChannels.deliver(channel, message(now))), (result) => ({
        channel,
        result
      })),
    { concurrency: "unbounded" }
  )
  const found = sent.map(({ channel, result }) => ({ channel: channel.name, ...answered(result) }))
  yield* input.json ? Print.json(found) : Print.lines(AlertText.answers(found))
  const failed = sent.filter(({ result }) => Result.isFailure(result))
  if (failed.length === 0) return
  const away = failed.filter(({ result }) => Result.isFailure(result) && result.failure.reason._tag === "Unavailable")
  return yield* new Failure({
    exitCode: away.length === failed.length ? 4 : 3,
    message: `${failed.length} of ${sent.length} channels did not take the message`,
    fix: found.find(({ fix }) => fix !== "")?.fix ??
      (away.length > 0 ? reach(away.map(({ channel }) => channel)) : "try it again: barograph alert test")
  })
})
