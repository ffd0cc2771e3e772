/** Where alerts go. Several channels are told side by side, each at its own pace; without one, nothing is told. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { message as causeText } from "../run/CauseText.ts"
import type { Message } from "./Alert.ts"

/** Outage, timeout, or too many messages: the same one is sent again. */
export class Unavailable extends Schema.TaggedClass<Unavailable>()("Unavailable", {
  text: Schema.String,
  /** The least time to wait, where the channel named one. */
  retryAfterMillis: Schema.optionalKey(Schema.Finite)
}) {}

/** Nothing gets through until a person changes a setting. Tried again all the same: it may be mended over there. */
export class Misconfigured extends Schema.TaggedClass<Misconfigured>()("Misconfigured", {
  text: Schema.String,
  fix: Schema.String
}) {}

/** This very message is not accepted, and would not be the next time. Others may be. */
export class Refused extends Schema.TaggedClass<Refused>()("Refused", { text: Schema.String }) {}

/** A message that did not arrive. No text ever holds a secret. */
export class ChannelError extends Schema.TaggedError<ChannelError>()("ChannelError", {
  channel: Schema.String,
  reason: Schema.Union([Unavailable, Misconfigured, Refused])
}) {
  override get message(): string {
    return `${this.channel}: ${this.reason.text}`
  }
}

export interface Channel {
  /** Of its own among the channels: what it was told is kept under this name. */
  readonly name: string
  /** The setting that holds its address, to be looked at when nothing answers there. */
  readonly setting?: string
  /** Least milliseconds between two messages. */
  readonly spacing: number
  /** Answers the thread that the message is in, where the channel has threads. */
  readonly send: (message: Message) => Effect.Effect<string | undefined, ChannelError>
}

export const AlertChannels = Context.Reference<ReadonlyArray<Channel>>(
  "barograph/runtime/automation/AlertChannels",
  { defaultValue: () => [] }
)

/** A channel that answers nothing for so long has not got the message: some answers take seconds, none takes this. */
const ANSWER_LIMIT = 10_000

/** Sends within bounds, whatever the channel does. */
export const deliver = (channel: Channel, message: Message): Effect.Effect<string | undefined, ChannelError> => {
  const unavailable = (text: string) => new ChannelError({ channel: channel.name, reason: new Unavailable({ text }) })
  return channel.send(message).pipe(
    Effect.timeoutOrElse({
      duration: ANSWER_LIMIT,
      orElse: () => Effect.fail(unavailable(`no answer within ${ANSWER_LIMIT / 1000} s`))
    }),
    Effect.catchDefect((defect) => Effect.fail(unavailable(causeText(Cause.die(defect)))))
  )
}
