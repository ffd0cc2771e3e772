/**
 * A webhook of one's own: the message as JSON. With a secret, `x-barograph-signature: t=SECONDS,v1=HEX` is the HMAC-SHA256 of
 * `SECONDS.BODY`: the receiver makes the same of the bytes that it got, compares in constant time, and refuses what is
 * older than a few minutes.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import * as Crypto from "node:crypto"
import * as Alert from "../../runtime/automation/Alert.ts"
import { type Channel, ChannelError, Misconfigured, Refused } from "../../runtime/automation/AlertChannels.ts"
import * as Post from "./Post.ts"

export interface Options {
  readonly url: Redacted.Redacted<string>
  /** Messages are signed with it. */
  readonly secret: Redacted.Redacted<string> | undefined
}

const noticeJson = ({ at, openedAt, thread: _, ...notice }: Alert.Notice) => ({
  ...notice,
  headline: Alert.headline({ ...notice, at, openedAt, thread: undefined }),
  openedAt: new Date(openedAt).toISOString(),
  at: new Date(at).toISOString()
})

/** `type` says which; times are ISO 8601. */
const json = (message: Alert.Message): string =>
  JSON.stringify(
    message._tag === "Notice"
      ? { type: "alert", ...noticeJson(message.notice) }
      : {
        type: "flood",
        ...message.flood,
        headline: Alert.floodHeadline(message.flood),
        notices: message.flood.notices.map(noticeJson)
      }
  )

const signature = (secret: Redacted.Redacted<string>, body: string, now: number): string => {
  const seconds = Math.floor(now / 1000)
  const digest = Crypto.createHmac("sha256", Redacted.value(secret)).update(`${seconds}.${body}`).digest("hex")
  return `t=${seconds},v1=${digest}`
}

const refusal = ({ status }: Post.Answer): ChannelError["reason"] => {
  const text = `status ${status}`
  return status === 400 || status === 413 || status === 422
    ? new Refused({ text })
    : new Misconfigured({ text, fix: "check BAROGRAPH_ALERT_WEBHOOK and BAROGRAPH_ALERT_WEBHOOK_SECRET" })
}

export const webhook = ({ secret, url }: Options): Effect.Effect<Channel, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (client) => {
    const channel = "webhook"
    const send = Effect.fnUntraced(function*(message: Alert.Message) {
      const body = json(message)
      const now = yield* Clock.currentTimeMillis
      const headers = secret === undefined ? {} : { "x-barograph-signature": signature(secret, body, now) }
      const answer = yield* Post.post({ channel, url, body, headers })
      if (answer.status >= 200 && answer.status < 300) return undefined
      return yield* new ChannelError({ channel, reason: refusal(answer) })
    }, Effect.provideService(HttpClient.HttpClient, client))
    return { name: channel, setting: "BAROGRAPH_ALERT_WEBHOOK", spacing: 0, send }
  })
