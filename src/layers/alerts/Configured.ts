/** The channels that the settings name, beside the log. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import type { Channel } from "../../runtime/automation/AlertChannels.ts"
import type * as Settings from "../settings/Settings.ts"
import * as Slack from "./Slack.ts"
import * as Webhook from "./Webhook.ts"

export const channels = ({ slackBot, slackWebhook, webhook }: Settings.Alerts) => {
  const found: ReadonlyArray<Effect.Effect<Channel, never, HttpClient.HttpClient>> = [
    ...(slackWebhook === undefined ? [] : [Slack.webhook(slackWebhook)]),
    ...(slackBot === undefined ? [] : [Slack.bot(slackBot)]),
    ...(webhook === undefined ? [] : [Webhook.webhook(webhook)])
  ]
  return Effect.provide(Effect.all(found), FetchHttpClient.layer)
}
