/**
 * Slack: an incoming webhook, or a bot that writes to a channel. A webhook does not say which message it made, so only a
 * bot keeps an incident in a thread; messages of a webhook carry the incident's name.
 *
 * Both take a message a second: https://docs.slack.dev/apis/web-api/rate-limits. What is refused:
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors and
 * https://docs.slack.dev/reference/methods/chat.postMessage#errors
 */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Message } from "../../runtime/automation/Alert.ts"
import {
  type Channel,
  ChannelError,
  Misconfigured,
  Refused,
  Unavailable
} from "../../runtime/automation/AlertChannels.ts"
import * as Post from "./Post.ts"
import * as SlackText from "./SlackText.ts"

const SPACING = 1000

/** Slack's errors are words with underscores; anything else came from somebody in between and is not repeated. */
const word = (text: string): string => /^[a-z_]{1,60}$/.test(text) ? text : "no reason given"

const webhookRefusal = ({ status, text }: Post.Answer): ChannelError["reason"] => {
  const said = `Slack answered ${status}: ${word(text)}`
  return status === 400 && text !== "user_not_found" && text !== "invalid_token"
    ? new Refused({ text: said })
    : new Misconfigured({ text: said, fix: "make a new incoming webhook in Slack and set BAROGRAPH_SLACK_WEBHOOK" })
}

/** An incoming webhook. */
export const webhook = (url: Redacted.Redacted<string>): Effect.Effect<Channel, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (client) => {
    const channel = "slack-webhook"
    const send = Effect.fnUntraced(function*(message: Message) {
      const answer = yield* Post.post({ channel, url, body: JSON.stringify(SlackText.render(message)) })
      if (answer.status === 200) return undefined
      return yield* new ChannelError({ channel, reason: webhookRefusal(answer) })
    }, Effect.provideService(HttpClient.HttpClient, client))
    return { name: channel, setting: "BAROGRAPH_SLACK_WEBHOOK", spacing: SPACING, send }
  })

const Posted = Schema.fromJsonString(Schema.Struct({
  ok: Schema.Boolean,
  ts: Schema.optionalKey(Schema.String),
  error: Schema.optionalKey(Schema.String)
}))

/** Not this message is at fault, and not the settings. */
const PASSING =
  /^(ratelimited|rate_limited|internal_error|fatal_error|service_unavailable|request_timeout|accesslimited)$/

const UNACCEPTABLE =
  /^(invalid_blocks|invalid_blocks_format|msg_blocks_too_long|msg_too_long|no_text|too_many_\w+|markdown_text_conflict)$/

/** The message that began the thread was removed, or it is another channel's. */
const NO_THREAD = /^(thread_not_found|message_not_found|cannot_reply_to_message|invalid_thread_ts|thread_locked)$/

const botRefusal = (error: string): ChannelError["reason"] => {
  const text = `Slack answered ${word(error)}`
  if (PASSING.test(error)) return new Unavailable({ text })
  if (UNACCEPTABLE.test(error)) return new Refused({ text })
  const fix = /channel|archived/.test(error)
    ? "invite the bot to the channel and set BAROGRAPH_SLACK_CHANNEL to the channel's id"
    : "set BAROGRAPH_SLACK_TOKEN to a bot's token with the scope chat:write"
  return new Misconfigured({ text, fix })
}

export interface Bot {
  readonly token: Redacted.Redacted<string>
  /** Id or name. */
  readonly to: string
  /** Where Slack's API is. */
  readonly baseUrl?: string | undefined
}

/** A recovery that only the thread's followers see would leave all others with the failure. */
const isForAll = (message: Message): boolean =>
  message._tag === "Notice" && (message.notice.change === "resolved" || message.notice.change === "worse")

/** A bot that keeps each incident in a thread of its own. */
export const bot = (
  { baseUrl = "https://slack.com/api", to, token }: Bot
): Effect.Effect<Channel, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (client) => {
    const channel = "slack"
    const failed = (reason: ChannelError["reason"]) => new ChannelError({ channel, reason })
    const post = Effect.fnUntraced(function*(message: Message, thread: string | undefined) {
      const answer = yield* Post.post({
        channel,
        url: Redacted.make(`${baseUrl}/chat.postMessage`),
        headers: { authorization: `Bearer ${Redacted.value(token)}` },
        body: JSON.stringify({
          channel: to,
          ...SlackText.render(message),
          ...(thread === undefined ? {} : { thread_ts: thread, reply_broadcast: isForAll(message) })
        })
      })
      const posted = Schema.decodeUnknownOption(Posted)(answer.text)
      return Option.isSome(posted)
        ? posted.value
        : yield* failed(new Unavailable({ text: `status ${answer.status}, and no answer of Slack's` }))
    })
    const send = Effect.fnUntraced(function*(message: Message) {
      const thread = message._tag === "Notice" ? message.notice.thread : undefined
      const first = yield* post(message, thread)
      const lost = thread !== undefined && !first.ok && NO_THREAD.test(first.error ?? "")
      const { error, ok, ts } = lost ? yield* post(message, undefined) : first
      if (!ok) return yield* failed(botRefusal(error ?? ""))
      return lost ? ts : thread ?? ts
    }, Effect.provideService(HttpClient.HttpClient, client))
    return { name: channel, spacing: SPACING, send }
  })
